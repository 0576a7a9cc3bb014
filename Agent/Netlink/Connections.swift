import CNetlink
import Glibc
import ProtocolModel

/// A tracked IPv4 connection whose addresses are translated.
public struct TranslatedConnection: Hashable, Sendable {
    /// As the first packet came.
    public var source: IPAddress
    public var destination: IPAddress
    public var protocolNumber: Int
    /// `nil` for protocols without ports.
    public var destinationPort: Int?
    /// From whom answers come, and where they go.
    public var replySource: IPAddress
    public var replyDestination: IPAddress
    /// The connection's name in the kernel.
    fileprivate var tuple: [UInt8]

    public init(
        source: IPAddress, destination: IPAddress, protocolNumber: Int, destinationPort: Int?, replySource: IPAddress,
        replyDestination: IPAddress
    ) {
        self.source = source
        self.destination = destination
        self.protocolNumber = protocolNumber
        self.destinationPort = destinationPort
        self.replySource = replySource
        self.replyDestination = replyDestination
        tuple = []
    }

    public var isDestinationTranslated: Bool { destination != replySource }
    public var isSourceTranslated: Bool { source != replyDestination }
}

/// The connections that the calling thread's namespace keeps track of.
public enum ConnectionTable {
    // Of <linux/netfilter/nfnetlink_conntrack.h>.
    private static let subsystem = 1 << 8
    private static let (new, get, delete) = (subsystem, subsystem | 1, subsystem | 2)
    fileprivate static let (original, reply, addresses, transport) = (1, 2, 1, 2)
    fileprivate static let (sourceAddress, destinationAddress, protocolNumber, destinationPort) = (1, 2, 1, 3)

    /// `struct nfgenmsg`.
    private struct Header: BitwiseCopyable {
        var family = UInt8(AF_INET)
        var version = UInt8(0)
        var resource = UInt16(0)
    }

    /// Ends the connections that `isStale` picks out of those whose addresses are translated.
    /// - Returns: how many.
    @discardableResult
    public static func cut(where isStale: (TranslatedConnection) -> Bool) throws(NetlinkError) -> Int {
        let socket = try NetlinkSocket(protocol: NETLINK_NETFILTER)
        var stale: [TranslatedConnection] = []
        try socket.dump(kind: get, header: Header(), expecting: new, operation: "list connections") { message in
            guard let connection = TranslatedConnection(message, headerSize: MemoryLayout<Header>.size) else { return }
            if connection.isSourceTranslated || connection.isDestinationTranslated, isStale(connection) {
                stale.append(connection)
            }
        }
        for connection in stale {
            let message = try NetlinkMessage(kind: delete, flags: Int32(NLM_F_REQUEST), operation: "end a connection")
            message.append(Header())
            message.put(original | Int(NLA_F_NESTED), connection.tuple)
            do throws(NetlinkError) {
                try socket.request(message, operation: "end a connection")
            } catch {
                if !error.isMissing { throw error }
            }
        }
        return stale.count
    }
}

extension TranslatedConnection {
    fileprivate init?(_ message: OpaquePointer, headerSize: Int) {
        let header = nlmsg_hdr(message)
        let attributes = Attributes(
            nlmsg_attrdata(header, Int32(headerSize)), nlmsg_attrlen(header, Int32(headerSize)))
        typealias Table = ConnectionTable
        func address(_ direction: Int, _ end: Int) -> IPAddress? {
            attributes.nested(direction)?.nested(Table.addresses)?.octets(end).flatMap { IPAddress(octets: $0) }
        }
        let transport = attributes.nested(Table.original)?.nested(Table.transport)
        guard let tuple = attributes.octets(Table.original),
            let source = address(Table.original, Table.sourceAddress),
            let destination = address(Table.original, Table.destinationAddress),
            let replySource = address(Table.reply, Table.sourceAddress),
            let replyDestination = address(Table.reply, Table.destinationAddress),
            let number = transport?.uint8(Table.protocolNumber)
        else { return nil }
        let port = transport?.octets(Table.destinationPort).map { $0.reduce(0) { $0 << 8 | Int($1) } }
        self.init(
            source: source, destination: destination, protocolNumber: Int(number), destinationPort: port,
            replySource: replySource, replyDestination: replyDestination)
        self.tuple = tuple
    }
}
