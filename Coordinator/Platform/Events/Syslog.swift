/// Where events go to besides the log.
public enum SyslogDestination: Sendable, Hashable, CustomStringConvertible {
    /// A Unix datagram socket: `/dev/log`.
    case socket(path: String)
    case udp(host: String, port: Int)

    public var description: String {
        switch self {
        case .socket(let path): path
        case .udp(let host, let port): host.contains(":") ? "udp://[\(host)]:\(port)" : "udp://\(host):\(port)"
        }
    }
}

/// Writes events as syslog messages (RFC 5424), the event itself as JSON in the message. Pure.
public struct SyslogFormat: Sendable {
    private let form: CADF
    private let origin: String

    /// - Parameters:
    ///   - hostname: Of this machine.
    ///   - process: The process id.
    public init(_ form: CADF, hostname: String, process: Int32) {
        self.form = form
        // Printable ASCII without blanks, at most 255 characters (RFC 5424 section 6).
        let name = String(hostname.filter { $0.isASCII && $0 > " " && $0 != "\u{7f}" }.prefix(255))
        origin = "\(name.isEmpty ? "-" : name) skerry-coordinator \(process) audit -"
    }

    /// Facility 13, "log audit".
    private static let facility = 13

    public func render(_ stored: StoredEvent) -> [UInt8] {
        // Severity "notice" for what was done, "warning" for what was refused.
        let priority = Self.facility * 8 + (stored.event.refusedWith == nil ? 5 : 4)
        let time = Timestamp.micros(stored.event.time)
        return Array("<\(priority)>1 \(time) \(origin) ".utf8) + form.render(stored).serialize()
    }
}
