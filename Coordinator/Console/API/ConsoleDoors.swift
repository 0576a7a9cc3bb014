import CoordinatorPlatform
import NIOHTTP1
import ProtocolModel

/// Decides who may become a viewer. A token is used up here, before there is any connection to a guest.
struct ConsoleDoors: Sendable {
    let tokens: ConsoleTokens
    let database: any SQLDatabase
    let clock: any WallClock
    let settings: ConsoleSettings
    let isTLS: Bool

    struct Opened: Sendable {
        var ticket: ConsoleTicket
        var headers: HTTPHeaders
    }

    /// - Returns: `nil` for what is refused, whatever the reason: strangers are not told which.
    func open(_ head: HTTPRequestHead) async -> Opened? {
        guard case .connect(let token) = ConsoleRequest(uri: head.uri, isUpgrade: true),
            ConsoleOrigin.isAllowed(
                head.headers.first(name: "Origin"), host: head.headers.first(name: "Host"),
                allowed: settings.allowedOrigins, isTLS: isTLS)
        else { return nil }
        var headers = HTTPHeaders()
        let offered = head.headers[canonicalForm: "Sec-WebSocket-Protocol"]
        if offered.contains("binary") {
            headers.add(name: "Sec-WebSocket-Protocol", value: "binary")
        } else if !offered.isEmpty {
            return nil
        }
        let now = clock.now()
        let tokens = tokens
        // Strangers read: what they try costs no turn of the writer.
        guard (try? await database.read { try tokens.server(of: token, at: now, in: $0) }) != nil,
            let ticket = try? await database.write({ try tokens.use(token, at: now, in: $0) })
        else { return nil }
        return Opened(ticket: ticket, headers: headers)
    }
}
