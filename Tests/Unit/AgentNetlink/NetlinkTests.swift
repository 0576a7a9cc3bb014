import AgentNetlink
import Glibc
import ProtocolModel
import Testing

/// Real links, in a namespace that each test makes for itself.
@Suite("netlink on a real kernel", .enabled(if: getuid() == 0, "needs root, to make network namespaces"))
struct NetlinkTests {
    /// Runs `body` on a thread in a fresh namespace.
    private func inNamespace<Value: Sendable>(
        _ body: @escaping @Sendable (NetlinkSocket, String) throws(NetlinkError) -> Value
    ) throws -> Value {
        let name = "sktest-\(UInt32.random(in: .min ... .max))"
        try NetworkNamespace.create(name)
        defer { try? NetworkNamespace.delete(name) }
        return try NamespaceThread.once(in: NetworkNamespace.path(name)) { () throws(NetlinkError) in
            try body(try NetlinkSocket(), name)
        }
    }

    @Test("a bridge with a tap and an isolated port shows what was asked of it")
    func bridgeAndPorts() throws {
        let bridge = try InterfaceName("br0")
        let tap = try InterfaceName("tap0")
        let links = try inNamespace { (socket, _) throws(NetlinkError) in
            try socket.createBridge(bridge)
            guard let index = try socket.index(of: bridge) else { return [] as [Link] }
            try socket.change(index, named: bridge, .init(isUp: true, mtuBytes: 1450, alias: "skerry:x"))
            try TapDevice.create(tap, owner: .init(user: 0, group: 0), socket: socket) { own throws(NetlinkError) in
                try socket.change(
                    own, named: tap, .init(master: index, alias: "skerry-port:x", mac: MACAddress(bits: 0xFA163E010203))
                )
                try socket.setIsolated(own, named: tap, true)
            }
            return try socket.links()
        }
        let made = try #require(links.first { $0.name == bridge })
        #expect(made.kind == "bridge" && made.isUp && made.mtuBytes == 1450 && made.alias == "skerry:x")
        let port = try #require(links.first { $0.name == tap })
        #expect(port.kind == "tun" && port.master == made.index && port.isIsolated && !port.isUp)
        #expect(port.mac == MACAddress("fa:16:3e:01:02:03"))
    }

    @Test("a link that is not there has no index, and what the kernel refuses says why")
    func errors() throws {
        let name = try InterfaceName("nothing")
        let result = try inNamespace { (socket, _) throws(NetlinkError) -> (Int32?, NetlinkError?) in
            var failure: NetlinkError?
            do throws(NetlinkError) { try socket.deleteLink(4711, named: name) } catch { failure = error }
            return (try socket.index(of: name), failure)
        }
        #expect(result.0 == nil)
        #expect(result.1?.isMissing == true)
        #expect(result.1?.description == "delete link nothing: No such device (errno 19)")
    }

    @Test("a veth's peer comes up in the other namespace, with addresses usable at once")
    func vethAndAddresses() throws {
        let other = "sktest-\(UInt32.random(in: .min ... .max))"
        try NetworkNamespace.create(other)
        defer { try? NetworkNamespace.delete(other) }
        let near = try InterfaceName("sdh0")
        let far = try InterfaceName("eth0")
        let wanted: Set<InterfaceAddress> = [
            InterfaceAddress(address: try #require(IPAddress("10.0.0.2")), prefixLength: 24),
            InterfaceAddress(address: try #require(IPAddress("fe80::a9fe:a9fe")), prefixLength: 64)
        ]
        let found = try inNamespace { (socket, _) throws(NetlinkError) -> Set<InterfaceAddress> in
            let mac = MACAddress(bits: 0xFA163F010203)
            try socket.createVeth(near, peer: far, peerMAC: mac, inNamespace: NetworkNamespace.path(other))
            let inside = try NetlinkSocket.opened(inNamespace: NetworkNamespace.path(other))
            guard let link = try inside.links().first(where: { $0.name == far }), link.mac == mac else { return [] }
            try inside.change(link.index, named: far, .init(isUp: true))
            for address in wanted { try inside.addAddress(address, to: link.index) }
            return try inside.addresses()[link.index] ?? []
        }
        #expect(found.isSuperset(of: wanted))
    }

    @Test("namespaces come and go by name")
    func namespaces() throws {
        let name = "sktest-\(UInt32.random(in: .min ... .max))"
        try NetworkNamespace.create(name)
        try NetworkNamespace.create(name)
        #expect(NetworkNamespace.exists(name) && NetworkNamespace.list().contains(name))
        try NetworkNamespace.delete(name)
        try NetworkNamespace.delete(name)
        #expect(!NetworkNamespace.exists(name) && !NetworkNamespace.list().contains(name))
    }
}
