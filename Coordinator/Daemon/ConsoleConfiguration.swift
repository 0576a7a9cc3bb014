import CoordinatorConsole
import ProtocolSettings

/// `console`: what the operator says about guests' consoles.
extension Configuration {
    struct Console: Sendable, Equatable {
        /// `nil`: where the API listens, on port 6080.
        var listen: ListenAddress?
        /// `listen: none`.
        var isOff = false
        /// `nil`: made from the host of the API's public URL.
        var publicURL: String?
        var settings = ConsoleSettings()
    }

    var consoleSettings: ConsoleSettings {
        var settings = console.settings
        guard !console.isOff else {
            settings.listen = nil
            return settings
        }
        let listen = console.listen ?? ListenAddress(host: api.listen.host, port: 6080)
        settings.listen = .init(host: listen.host, port: listen.port)
        // An IPv6 address stands in brackets.
        let host = ListenAddress(host: apiHost ?? listen.host, port: listen.port)
        settings.publicURL = console.publicURL ?? "\(api.isTLS ? "https" : "http")://\(host)"
        return settings
    }
}

extension SettingsReader {
    mutating func readConsole(_ node: Node, into console: inout Configuration.Console) {
        for (name, value) in members(node, of: "'console'") {
            let path = "console.\(name)"
            switch name {
            case "listen":
                console.isOff = value.string == "none"
                guard !console.isOff else { continue }
                address(value, path).map { console.listen = $0 }
            case "public_url":
                parsed(value, path, "https://HOST:PORT") { text in
                    let isURL = text.hasPrefix("https://") || text.hasPrefix("http://")
                    return isURL && !text.hasSuffix("/") && !text.contains("?") ? text : nil
                }.map { console.publicURL = $0 }
            case "token_seconds":
                number(value, path, "a number of seconds", 10...86_400).map { console.settings.tokenSeconds = $0 }
            case "idle_seconds":
                number(value, path, "a number of seconds", 60...604_800).map { console.settings.idleSeconds = $0 }
            case "viewers_per_server":
                number(value, path, "a number of viewers", 1...100).map {
                    console.settings.viewersPerServer = Int($0)
                }
            case "allowed_origins":
                list(value, path, "a list of host names") { $0 }.map { console.settings.allowedOrigins = $0 }
            case "novnc_folder": self.path(value, path).map { console.settings.novncFolder = $0 }
            default:
                unknown(
                    name, value,
                    known: """
                        listen, public_url, token_seconds, idle_seconds, viewers_per_server, allowed_origins, novnc_folder
                        """)
            }
        }
    }
}
