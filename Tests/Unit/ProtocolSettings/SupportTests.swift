import Foundation
import ProtocolSettings
import Testing

@Suite("what one who helps is told")
struct SupportTests {
    @Test("of a configuration, allowed keys with harmless values and nothing else")
    func outline() {
        let text = """
            # secret-in-a-comment
            region: here
            store:
              url: postgresql://skerry:secret@db/skerry
            api:
              listen: 127.0.0.1:8700
              public_url: https://user:secret@host
            secret_key: 1
            roles: [compute, "secret@here"]
            log: {level: info, secret: secret}
            """
        let lines = SettingsOutline.lines(text, shown: ["region", "api.listen", "roles", "log.level", "keep_days"])
        #expect(
            lines == [
                "region: here", "line 3: (not shown)", "api.listen: 127.0.0.1:8700", "line 7: (not shown)",
                "line 8: (not shown)", "roles: compute", "roles: (not shown)", "log.level: info", "line 10: (not shown)"
            ])
        #expect(!lines.joined().contains("secret"))
        // A secret in the place of an allowed value is none of its form.
        for value in ["p@ss", "a'b", "x=y", "über", String(repeating: "a", count: 101)] {
            #expect(SettingsOutline.lines("region: \"\(value)\"", shown: ["region"]) == ["region: (not shown)"])
        }
        #expect(SettingsOutline.lines("{", shown: ["region"]).count == 1)
    }

    @Test(
        "of a log line, what the program says and no value",
        arguments: [
            (
                "2026-11-30T19:31:23.520Z notice agent agent started driver=libvirt secret=secret",
                "2026-11-30T19:31:23.520Z notice agent agent started"
            ),
            (
                "Nov 30 19:31:23 rig skerry[1]: 2026-11-30T19:31:23.520Z error agent it failed error=\"the secret\" secret",
                "2026-11-30T19:31:23.520Z error agent it failed"
            ),
            ("secret in a line of somebody else's", nil), ("secret error secret", nil), ("", nil), ("notice", nil)
        ])
    func log(line: String, wanted: String?) { #expect(LogOutline.line(line) == wanted) }

    @Test("never more than one can send")
    func bounds() {
        var text = SupportText()
        let line = String(repeating: "a", count: 1_000)
        for number in 0..<10 { text.add("section \(number)", repeatElement(line, count: 100_000)) }
        #expect(text.text.utf8.count < 10_000_000 && text.text.contains("(more does not fit)"))
    }
}
