/// What the operator says about consoles.
public struct ConsoleSettings: Sendable, Equatable {
    /// `nil`: no consoles are served.
    public var listen: Listen? = Listen()
    /// What browsers call the port, without a slash at its end: `https://cloud.example.org:6080`.
    public var publicURL = "https://127.0.0.1:6080"
    /// For how long a token can be used.
    public var tokenSeconds: Int64 = 600
    /// Hosts of pages that may open consoles, beside the one that consoles are served by: a dashboard's, say.
    public var allowedOrigins: [String] = []
    /// Where noVNC is.
    public var novncFolder = "/usr/share/novnc"
    /// Connections at a time, of viewers and of browsers that fetch pages.
    public var maximumConnections = 256
    /// Viewers of one server at a time.
    public var viewersPerServer = 8
    /// Tokens of one server that wait to be used; the oldest gives way.
    public var tokensPerServer = 16
    /// A viewer whom nothing reaches and who sends nothing for so long is let go.
    public var idleSeconds: Int64 = 3_600

    public init() {}

    public struct Listen: Sendable, Equatable {
        public var host = "127.0.0.1"
        public var port = 6080

        public init(host: String = "127.0.0.1", port: Int = 6080) {
            self.host = host
            self.port = port
        }
    }

    /// Where a viewer of a server goes, with the token.
    package func url(_ kind: ConsoleKindName, token: String) -> String {
        switch kind {
        case .novnc: "\(publicURL)/vnc_lite.html?path=%3Ftoken%3D\(token)"
        case .serial: "\(webSocketURL)/?token=\(token)"
        }
    }

    private var webSocketURL: String {
        publicURL.hasPrefix("https://") ? "wss://" + publicURL.dropFirst(8) : "ws://" + publicURL.dropFirst(7)
    }
}

/// The compute API's names of the consoles that there are.
public enum ConsoleKindName: String, Sendable, Hashable, CaseIterable {
    case novnc, serial
}
