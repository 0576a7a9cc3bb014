/// The name of a host network interface.
public struct InterfaceName: Hashable, Sendable, Comparable, CustomStringConvertible {
    public enum NameError: Error, Equatable, Sendable {
        case empty
        case tooLong(bytes: Int, limit: Int)
        case forbiddenCharacter
    }

    public let text: String

    /// - Parameter text: 1 to 15 bytes of UTF-8 without white space, `/` or `:`: `IFNAMSIZ` is 16 with the closing NUL
    ///   (Linux `include/uapi/linux/if.h`, `dev_valid_name`).
    /// - Throws: ``NameError``; a name is never shortened, since two could then collide.
    public init(_ text: String) throws(NameError) {
        guard !text.isEmpty, text != ".", text != ".." else { throw .empty }
        guard text.utf8.count <= 15 else { throw .tooLong(bytes: text.utf8.count, limit: 15) }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") })
        else { throw .forbiddenCharacter }
        self.text = text
    }

    /// For names built from a fixed prefix of at most four bytes and the eleven characters of ``Identifier/short``.
    private init(prefix: String, short: String) { text = prefix + short }

    /// The bridge of a network.
    public static func bridge(_ network: NetworkID) -> Self { Self(prefix: "brq", short: network.short) }
    /// The tap of a port.
    public static func tap(_ port: PortID) -> Self { Self(prefix: "tap", short: port.short) }
    /// The bridge's end of the pair that leads into the network's service namespace.
    public static func serviceLink(_ network: NetworkID) -> Self { Self(prefix: "sdh", short: network.short) }

    /// The device that carries a network's frames between hosts, `vxl0a1b2c3d-4e`.
    public static func vxlan(_ network: NetworkID) -> Self { Self(prefix: "vxl", short: network.short) }
    /// Where what comes from a port's guest waits its turn, `sqi0a1b2c3d-4e`.
    public static func queue(_ port: PortID) -> Self { Self(prefix: "sqi", short: port.short) }
    /// The bridge's end of the pair that leads into a router, `rto0a1b2c3d-4e`, and the router's end.
    public static func routerLink(_ port: PortID) -> Self { Self(prefix: "rto", short: port.short) }
    public static func routerInterface(_ port: PortID) -> Self { Self(prefix: "rti", short: port.short) }

    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
    public var description: String { text }
}
