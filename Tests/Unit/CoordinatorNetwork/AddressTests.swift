import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

struct AddressTests {
    @Test("a pool is used to the last address and then exhausted; freed addresses come back")
    func exhaustion() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network("192.168.7.0/29")
        var ports: [PortID] = []
        for _ in 0..<5 { ports.append(try await cloud.port(on: network)) }
        let all = try await ports.asyncMap { try await cloud.addresses($0)[0] }
        #expect(Set(all) == Set((2...6).map { "192.168.7.\($0)" }))
        await #expect(throws: AddressRefusal.noneLeft(network)) { try await cloud.port(on: network) }
        let service = cloud.service
        let freed = ports[2]
        try await cloud.database.write { try service.deletePort(freed, at: 2, in: $0) }
        #expect(try await cloud.addresses(try await cloud.port(on: network)) == [all[2]])
    }

    @Test("an address asked for is given once")
    func fixed() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        let wanted = try #require(IPAddress("10.0.0.77"))
        let first = try await cloud.port(on: network) { $0.setAddresses([wanted]) }
        #expect(try await cloud.addresses(first) == ["10.0.0.77"])
        let taken = await #expect(throws: AddressRefusal.self) {
            try await cloud.port(on: network) { $0.setAddresses([wanted]) }
        }
        #expect(taken?.neutron.type == "IpAddressAlreadyAllocated")
        #expect(taken?.neutron.status == 409)
        let foreign = try #require(IPAddress("10.0.1.77"))
        await #expect(throws: AddressRefusal.notInNetwork(foreign)) {
            try await cloud.port(on: network) { $0.setAddresses([foreign]) }
        }
    }

    @Test("SLAAC addresses follow from the MAC address")
    func slaac() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network("2001:db8::/64") {
            $0.addressMode = .slaac
            $0.raMode = .slaac
        }
        let mac = try #require(MACAddress("fa:16:3e:12:34:56"))
        let made = try await cloud.port(on: network) { $0.mac = mac }
        #expect(try await cloud.addresses(made) == ["2001:db8::f816:3eff:fe12:3456"])
        await #expect(throws: AddressRefusal.macInUse(mac, network)) {
            try await cloud.port(on: network) { $0.mac = mac }
        }
    }

    @Test("a subnet added later gives its automatic addresses to the ports that are there")
    func slaacLater() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        let made = try await cloud.port(on: network)
        let service = cloud.service
        try await cloud.database.write { transaction in
            guard let prefix = IPPrefix("2001:db8::/64") else { return }
            var draft = SubnetDraft(project: TestCloud.project, network: network, prefix: prefix)
            draft.addressMode = .slaac
            _ = try service.createSubnet(draft, viewer: .everything, at: 2, in: transaction)
        }
        #expect(try await cloud.addresses(made).count == 2)
    }

    @Test("thousands of addresses in use cost the next one no further statement and no further row")
    func manyAllocations() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network("10.0.0.0/16")
        try await cloud.write { try $0.setQuota(-1, of: "port", project: TestCloud.project, in: $1) }
        func make(_ count: Int) async throws -> Work {
            try await cloud.write { service, transaction in
                let counted = CountedTransaction(transaction)
                for _ in 0..<count {
                    _ = try service.createPort(
                        PortDraft(project: TestCloud.project, network: network), viewer: TestCloud.viewer, at: 1,
                        in: counted)
                }
                return counted.work
            }
        }
        _ = try await make(100)
        let early = try await make(10)
        _ = try await make(4000)
        let late = try await make(10)
        #expect(early.statements > 50)
        #expect(late == early)
    }
}

extension Array {
    func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}
