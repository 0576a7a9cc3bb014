import AgentCore
import ProtocolModel
import Testing

@Suite("guest metadata")
struct GuestMetadataTests {
    static let network = NetworkSpec(
        id: NetworkID("11111111-0000-4000-8000-000000000001")!, project: ProjectID(high: 1, low: 2), attachment: .local,
        mtuBytes: 1450,
        subnets: [
            SubnetSpec(
                id: SubnetID("22222222-0000-4000-8000-000000000001")!, prefix: IPPrefix("10.1.0.0/24")!,
                gateway: IPAddress("10.1.0.1"), dnsServers: [IPAddress("9.9.9.9")!], hostRoutes: [],
                isDHCPEnabled: true,
                ipv6AddressMode: nil, ipv6RAMode: nil, serviceAddress: IPAddress("10.1.0.2")),
            SubnetSpec(
                id: SubnetID("22222222-0000-4000-8000-000000000002")!, prefix: IPPrefix("2001:db8::/64")!,
                gateway: IPAddress("2001:db8::1"), dnsServers: [IPAddress("2001:db8::53")!], hostRoutes: [],
                isDHCPEnabled: true, ipv6AddressMode: .slaac, ipv6RAMode: .slaac, serviceAddress: nil),
            SubnetSpec(
                id: SubnetID("22222222-0000-4000-8000-000000000003")!, prefix: IPPrefix("10.2.0.0/24")!, gateway: nil,
                dnsServers: [],
                hostRoutes: [HostRoute(destination: IPPrefix("10.9.0.0/16")!, nextHop: IPAddress("10.2.0.9")!)],
                isDHCPEnabled: false, ipv6AddressMode: nil, ipv6RAMode: nil, serviceAddress: nil)
        ], dnsDomain: "")

    static let port = PortSpec(
        id: PortID("33333333-0000-4000-8000-000000000001")!, network: network.id, server: nil,
        mac: MACAddress("fa:16:3e:00:00:01")!,
        fixedIPs: [
            .init(subnet: network.subnets[1].id, address: IPAddress("2001:db8::f816:3eff:fe00:1")!),
            .init(subnet: network.subnets[0].id, address: IPAddress("10.1.0.7")!),
            .init(subnet: network.subnets[2].id, address: IPAddress("10.2.0.7")!)
        ], isAdminUp: true, isSecurityEnabled: true, securityGroups: [], allowedPairs: [], hostname: "web")

    static func server(_ change: (inout ServerSpec) -> Void = { _ in }) -> ServerSpec {
        var spec = ServerSpec(
            id: ServerID("44444444-0000-4000-8000-000000000001")!,
            project: ProjectID("55555555000040008000000000000001")!, user: UserID(high: 1, low: 1), name: "Web \"1\"",
            hostname: "web", number: 26, flavorName: "m1.nano", vcpus: 1, memoryMiB: 64, rootGiB: 0,
            image: ImageSpec(id: ImageID(high: 1, low: 0xAB), sha512: "", sizeBytes: 0, format: .qcow2),
            interfaces: [.init(port: port.id, network: network.id, mac: port.mac, mtuBytes: 1450, model: "virtio")],
            publicKeys: [.init(name: "mine", key: "ssh-ed25519 AAAA me")], userData: Array("#!/bin/sh\n".utf8),
            metadata: ["b": "2", "a": "\u{1}\n"], adminPassword: "secret")
        change(&spec)
        return spec
    }

    static func metadata(_ spec: ServerSpec = server(), domain: String = "") -> GuestMetadata {
        var network = network
        network.dnsDomain = domain
        return GuestMetadata(server: spec, networks: [network.id: network], ports: [port.id: port])
    }

    @Test("a guest is told its groups by name, or by identifier where that is not known")
    func groupNames() {
        var bound = Self.port
        let (web, unnamed) = (SecurityGroupID(high: 0, low: 1), SecurityGroupID(high: 0, low: 2))
        bound.securityGroups = [unnamed, web]
        let metadata = GuestMetadata(
            server: Self.server(), networks: [Self.network.id: Self.network], ports: [bound.id: bound],
            groupNames: [web: "web servers", unnamed: ""])
        #expect(
            metadata.answer(path: "/latest/meta-data/security-groups") == .text("web servers\n\(unnamed.text)"))
    }

    private func json(_ path: String, _ metadata: GuestMetadata = metadata()) -> String? {
        guard case .bytes(let bytes, "application/json") = metadata.answer(path: path) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        "listings and values of the EC2 tree",
        arguments: [
            (
                "",
                "1.0\n2007-01-19\n2007-03-01\n2007-08-29\n2007-10-10\n2007-12-15\n2008-02-01\n2008-09-01\n2009-04-04\nlatest"
            ),
            ("/latest", "meta-data/\nuser-data"),
            ("/latest//./x/../meta-data/public-keys/", "0=mine"),
            ("/2009-04-04/meta-data/public-keys/0", "openssh-key"),
            ("/2009-04-04/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA me"),
            ("/latest/meta-data/instance-id", "i-0000001a"), ("/latest/meta-data/ami-id", "ami-000000ab"),
            ("/latest/meta-data/local-ipv4", "10.1.0.7"), ("/latest/meta-data/hostname", "web.novalocal"),
            ("/latest/meta-data/placement/availability-zone", "nova"),
            ("/latest/meta-data/placement", "availability-zone"),
            ("/latest/meta-data/block-device-mapping/root", "/dev/vda"),
            (
                "/1.0/meta-data",
                "ami-id\nami-launch-index\nami-manifest-path\nhostname\ninstance-id\nlocal-ipv4\npublic-keys/\n"
                    + "reservation-id\nsecurity-groups"
            ),
            (
                "/latest/meta-data/",
                "ami-id\nami-launch-index\nami-manifest-path\nblock-device-mapping/\nhostname\ninstance-action\n"
                    + "instance-id\ninstance-type\nlocal-hostname\nlocal-ipv4\nplacement/\npublic-hostname\npublic-ipv4\n"
                    + "public-keys/\nreservation-id\nsecurity-groups"
            )
        ])
    func ec2(path: String, text: String) {
        #expect(Self.metadata().answer(path: path) == .text(text))
    }

    @Test(
        "what does not exist is not found",
        arguments: [
            "/nonsense", "/latest/meta-data/nope", "/latest/meta-data/hostname/more", "/openstack/2099-01-01",
            "/openstack/latest/nope", "/openstack/2012-08-10/network_data.json", "/../../etc/passwd",
            String(repeating: "/a", count: 2000)
        ])
    func missing(path: String) {
        #expect(Self.metadata().answer(path: path) == .notFound)
    }

    @Test("the OpenStack tree lists its versions and what each has")
    func openStackListing() {
        let metadata = Self.metadata()
        let versions = [
            "2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22",
            "2018-08-27", "2020-10-14", "latest"
        ]
        #expect(metadata.answer(path: "/openstack/") == .text(versions.joined(separator: "\n")))
        #expect(metadata.answer(path: "/openstack/2012-08-10") == .text("meta_data.json\nuser_data"))
        #expect(
            metadata.answer(path: "/openstack/latest")
                == .text("meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json\nvendor_data2.json"))
        let bare = Self.metadata(Self.server { $0.userData = [] })
        #expect(bare.answer(path: "/openstack/2012-08-10") == .text("meta_data.json"))
        #expect(bare.answer(path: "/openstack/latest/user_data") == .notFound)
        #expect(bare.answer(path: "/latest/user-data") == .notFound)
    }

    @Test("meta_data.json says who the server is, and keeps the password for the config drive")
    func instanceDocument() {
        #expect(
            json("/openstack/latest/meta_data.json")
                == #"{"uuid": "44444444-0000-4000-8000-000000000001", "meta": {"a": "\u0001\n", "b": "2"}, "#
                + #""public_keys": {"mine": "ssh-ed25519 AAAA me"}, "#
                + #""keys": [{"name": "mine", "type": "ssh", "data": "ssh-ed25519 AAAA me"}], "#
                + #""hostname": "web.novalocal", "name": "Web \"1\"", "launch_index": 0, "availability_zone": "nova", "#
                + #""project_id": "55555555000040008000000000000001", "devices": [], "dedicated_cpus": []}"#)
        let drive = Self.metadata().configDrive()
        let document = drive.files.first { $0.path == "openstack/latest/meta_data.json" }
        #expect(
            document.map { String(decoding: $0.bytes, as: UTF8.self) }?.contains(#""admin_pass": "secret""#) == true)
    }

    @Test("a network's own domain completes the host name, and a complete name stays as it is")
    func hostnames() {
        #expect(
            Self.metadata(domain: "example.org").answer(path: "/latest/meta-data/hostname") == .text("web.example.org"))
        let full = Self.metadata(Self.server { $0.hostname = "web.my.org" })
        #expect(full.answer(path: "/latest/meta-data/local-hostname") == .text("web.my.org"))
    }

    @Test("network_data.json tells DHCP, SLAAC and static addresses apart")
    func networkDocument() {
        let network = Self.network.id.text
        #expect(
            json("/openstack/latest/network_data.json")
                == #"{"links": [{"id": "tap33333333-00", "vif_id": "33333333-0000-4000-8000-000000000001", "#
                + #""type": "bridge", "mtu": 1450, "ethernet_mac_address": "fa:16:3e:00:00:01"}], "#
                + #""networks": [{"id": "network0", "type": "ipv4_dhcp", "link": "tap33333333-00", "#
                + #""network_id": "\#(network)"}, "#
                + #"{"id": "network1", "type": "ipv4", "link": "tap33333333-00", "ip_address": "10.2.0.7", "#
                + #""netmask": "255.255.255.0", "routes": [{"network": "10.9.0.0", "netmask": "255.255.0.0", "#
                + #""gateway": "10.2.0.9"}], "network_id": "\#(network)", "services": []}, "#
                + #"{"id": "network2", "type": "ipv6_slaac", "link": "tap33333333-00", "#
                + #""ip_address": "2001:db8::f816:3eff:fe00:1", "netmask": "ffff:ffff:ffff:ffff::", "#
                + #""routes": [{"network": "::", "netmask": "::", "gateway": "2001:db8::1"}], "#
                + #""network_id": "\#(network)", "services": [{"type": "dns", "address": "2001:db8::53"}]}], "#
                + #""services": [{"type": "dns", "address": "9.9.9.9"}, {"type": "dns", "address": "2001:db8::53"}]}"#)
    }

    @Test("the config drive carries both trees, sorted, and its digest follows its content")
    func configDrive() {
        let drive = Self.metadata().configDrive()
        let paths = drive.files.map(\.path)
        #expect(paths == paths.sorted())
        #expect(paths.contains("ec2/latest/meta-data.json") && paths.contains("ec2/2009-04-04/user-data"))
        #expect(paths.contains("openstack/2012-08-10/user_data") && !paths.contains { $0.hasSuffix("password") })
        #expect(drive.digest == Self.metadata().configDrive().digest)
        #expect(drive.digest != Self.metadata(Self.server { $0.name = "other" }).configDrive().digest)
    }

    @Test(
        "a random seed is given in base64", arguments: [([0xFF], "/w=="), ([1, 2], "AQI="), ([1, 2, 3, 4], "AQIDBA==")])
    func randomSeed(seed: [UInt8], text: String) {
        let metadata = GuestMetadata(server: Self.server(), networks: [:], ports: [:], randomSeed: seed)
        #expect(json("/openstack/latest/meta_data.json", metadata)?.contains(#""random_seed": "\#(text)""#) == true)
        #expect(json("/openstack/2012-08-10/meta_data.json", metadata)?.contains("random_seed") == false)
    }
}
