import ProtocolSettings
import Testing

@Suite("settings of a daemon")
struct SettingsReaderTests {
    private struct Settings: Equatable {
        var path = "-"
        var count: Int64 = -1
        var isOn: Bool?
        var ports: [Int] = []
        var listen: ListenAddress?
        var common = CommonSettings(metricsListen: ListenAddress(host: "::1", port: 1))
    }

    private func read(_ text: String) throws(SettingsError) -> Settings {
        var settings = Settings()
        try SettingsReader.read(text, path: "/etc/x.yaml") { reader, root in
            for (name, node) in reader.members(root, of: "the file") {
                switch name {
                case "path": reader.path(node, name).map { settings.path = $0 }
                case "count": reader.number(node, name, "a number of days", 1...9).map { settings.count = $0 }
                case "on": reader.flag(node, name).map { settings.isOn = $0 }
                case "ports": reader.list(node, name, "a list of ports") { Int($0) }.map { settings.ports = $0 }
                case "listen": reader.address(node, name).map { settings.listen = $0 }
                case "metrics": reader.readMetrics(node, into: &settings.common)
                case "log": reader.readLog(node, into: &settings.common)
                default: reader.unknown(name, node, known: "path, count")
                }
            }
        }
        return settings
    }

    @Test("values are read as what they are")
    func values() throws {
        let settings = try read(
            """
            path: /a
            count: 3
            on: false
            ports: [1, 2]
            listen: "[::1]:80"
            metrics: {listen: none}
            log: {level: debug, format: json}
            """)
        #expect(settings.path == "/a" && settings.count == 3 && settings.isOn == false && settings.ports == [1, 2])
        #expect(settings.listen == ListenAddress(host: "::1", port: 80))
        #expect(settings.common.metricsListen == nil)
        #expect(settings.common.logLevel == .debug && settings.common.logsJSON)
    }

    @Test("a file of comments changes nothing", arguments: ["", "# nothing\n"])
    func empty(text: String) throws {
        #expect(try read(text) == Settings())
    }

    @Test("every mistake is told, with its line")
    func mistakes() throws {
        let text = """
            path: a
            count: 10
            on: perhaps
            ports: [1, x]
            listen: "localhost"
            nonsense: 1
            log: {level: loud, colour: red}
            metrics: [1]
            """
        let error = #expect(throws: SettingsError.self) { try read(text) }
        #expect(
            error?.problems == [
                "line 1: path must be an absolute path.",
                "line 2: count must be a number of days, 1 to 9.",
                "line 3: on must be true or false.",
                "line 4: ports must be a list of ports.",
                "line 5: listen must be HOST:PORT.",
                "line 6: 'nonsense' is not known here; known are path, count. Correct or remove it.",
                "line 7: log.level must be trace, debug, info, notice, warning, error or critical.",
                "line 7: 'colour' is not known here; known are level, format. Correct or remove it.",
                "line 8: 'metrics' must be a mapping of names to values."
            ])
    }

    @Test("what is no YAML is said to be none", arguments: ["a: [", "\t- x"])
    func noYAML(text: String) {
        let error = #expect(throws: SettingsError.self) { try read(text) }
        #expect(error?.problems.count == 1)
        #expect(error?.description.contains("'/etc/x.yaml' cannot be used:\n  - It is not YAML") == true)
    }

    @Test(
        "addresses to listen on",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1", 80), ("[::]:0", "::", 0), ("a.b:65535", "a.b", 65_535)
        ])
    func addresses(text: String, host: String, port: Int) {
        let address = ListenAddress(text)
        #expect(address == ListenAddress(host: host, port: port))
        #expect(address?.description == text)
    }

    @Test("no addresses to listen on", arguments: ["", "80", ":80", "a:", "a:65536", "a:-1", "[]:1"])
    func noAddresses(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
