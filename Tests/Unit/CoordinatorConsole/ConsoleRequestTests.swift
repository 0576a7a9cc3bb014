import CoordinatorConsole
import ProtocolModel
import Testing

@Suite("what the console port is asked for")
struct ConsoleRequestTests {
    @Test(
        "a connection names a token, of letters and digits alone",
        arguments: [
            ("/?token=abc1", "abc1"), ("/websockify?token=abc1", "abc1"), ("/?x=1&token=0-9", "0-9"),
            ("/?token=", nil), ("/?token=a%20b", nil), ("/?token=A", nil), ("/?Token=a", nil), ("/", nil),
            ("/other?token=a", nil), ("/?token=\(String(repeating: "a", count: 129))", nil), ("", nil)
        ] as [(String, String?)])
    func tokens(uri: String, token: String?) {
        #expect(
            ConsoleRequest(uri: uri, isUpgrade: true) == token.map { .connect(token: $0) } ?? .unknown, "\(uri)")
    }

    @Test(
        "a file is one of the folder, and never leads out of it",
        arguments: [
            ("/vnc_lite.html?path=%3Ftoken%3Dabc", "vnc_lite.html"), ("/core/rfb.js", "core/rfb.js"),
            ("/app/images/icons/a-1.png", "app/images/icons/a-1.png"), ("/", "vnc_lite.html"),
            ("/../etc/passwd", nil), ("/core/../../x", nil), ("/.hidden", nil), ("/a//b", nil), ("/core/", nil),
            ("/%2e%2e/x", nil), ("vnc_lite.html", nil), ("/a b", nil), ("/\(String(repeating: "a", count: 300))", nil)
        ] as [(String, String?)])
    func files(uri: String, file: String?) {
        #expect(ConsoleRequest(uri: uri, isUpgrade: false) == file.map { .file($0) } ?? .unknown, "\(uri)")
    }

    @Test("files that are no part of a page are not served")
    func mediaTypes() {
        #expect(ConsoleRequest.mediaType(of: "core/rfb.js") == "text/javascript; charset=utf-8")
        #expect(ConsoleRequest.mediaType(of: "vnc_lite.html") == "text/html; charset=utf-8")
        for name in ["utils/launch.sh", "utils/novnc_proxy", "html", "a.pem", "package"] {
            #expect(ConsoleRequest.mediaType(of: name) == nil || name == "html", "\(name)")
        }
    }

    @Test("pages of the same host and of those that the operator names may connect, others not")
    func origins() {
        func isAllowed(_ origin: String?, _ host: String? = "cloud.test:6080", isTLS: Bool = true) -> Bool {
            ConsoleOrigin.isAllowed(
                origin, host: host, allowed: ["Horizon.test", "2001:db8::1", "[2001:db8::2]"], isTLS: isTLS)
        }
        for origin in [
            nil, "https://cloud.test:6080", "https://cloud.test", "https://CLOUD.test:443", "https://horizon.test:8443",
            "https://[2001:db8::1]:80", "https://[2001:db8::2]"
        ] {
            #expect(isAllowed(origin), "\(origin ?? "none")")
        }
        for origin in [
            "https://evil.test", "https://cloud.test.evil.test", "https://evil.test/cloud.test", "null", "", "https://",
            "https://cloud.test@evil.test", "http://cloud.test:6080", "file://cloud.test", "cloud.test",
            "https://evil.test?cloud.test", "https://[2001:db8::3]"
        ] {
            #expect(!isAllowed(origin), "\(origin)")
        }
        #expect(isAllowed("http://127.0.0.1:6080", "127.0.0.1:6080", isTLS: false))
        #expect(isAllowed("https://127.0.0.1", "127.0.0.1:6080", isTLS: false))
        #expect(!isAllowed("https://cloud.test", nil))
    }
}
