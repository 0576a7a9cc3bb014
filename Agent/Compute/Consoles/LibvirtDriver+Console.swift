import AgentCore
import CLibvirt
import Glibc
import ProtocolModel

/// Ways into a running guest: its screen through a socket that libvirt hands over, its serial port through the terminal
/// that QEMU made for it.
extension LibvirtDriver {
    public func openConsole(
        _ kind: ConsoleKind, of server: ServerID
    ) async throws(StatusError) -> any ByteChannel {
        let descriptor = try await withRunning(server, "open the server's console") {
            domain, call throws(StatusError) in
            switch kind {
            case .vnc: try Self.screen(of: domain, call)
            case .serial: try Self.serialPort(of: domain, call)
            }
        }
        do {
            return switch kind {
            case .vnc: try await DescriptorChannel.adopt(socket: descriptor)
            case .serial: try await DescriptorChannel.adopt(terminal: descriptor)
            }
        } catch {
            throw StatusError(
                code: .hostFailure, message: "The host could not connect to the server's console: try again.",
                detail: "\(error)")
        }
    }

    /// - Returns: A connected socket.
    private static func screen(of domain: OpaquePointer, _ call: String) throws(StatusError) -> CInt {
        // Whoever comes this way was let in by the coordinator.
        let flags = UInt32(VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH.rawValue)
        let descriptor = virDomainOpenGraphicsFD(domain, 0, flags)
        guard descriptor < 0 else { return descriptor }
        throw unavailable("\(call): \(LibvirtFailure.last().message)")
    }

    /// - Returns: A terminal in raw mode.
    private static func serialPort(of domain: OpaquePointer, _ call: String) throws(StatusError) -> CInt {
        guard let text = virDomainGetXMLDesc(domain, 0) else {
            throw LibvirtFailure.last().statusError(doing: "open the server's console", call: call)
        }
        defer { free(text) }
        guard let path = LiveDomainXML.terminal(in: String(cString: text)) else {
            throw unavailable("\(call): no serial port that is a terminal")
        }
        let descriptor = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw unavailable("\(call): \(path): errno \(errno)") }
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else {
            close(descriptor)
            throw unavailable("\(call): \(path) is no terminal")
        }
        cfmakeraw(&settings)
        tcsetattr(descriptor, TCSANOW, &settings)
        return descriptor
    }

    private static func unavailable(_ detail: String) -> StatusError {
        StatusError(
            code: .unsupported,
            message: "The server has no such console since it was started before there were any: reboot it (hard).",
            detail: detail)
    }
}

/// What is read of a running domain's definition.
package enum LiveDomainXML {
    /// The terminal of the first serial port; `nil` where there is none.
    package static func terminal(in text: String) -> String? {
        guard let start = text.firstRange(of: "<serial type='pty'"),
            let end = text[start.upperBound...].firstRange(of: "</serial>"),
            let source = text[start.upperBound..<end.lowerBound].firstRange(of: "<source path='")
        else { return nil }
        let rest = text[source.upperBound..<end.lowerBound]
        guard let quote = rest.firstIndex(of: "'"), rest.hasPrefix("/dev/pts/") else { return nil }
        return String(rest[..<quote])
    }
}
