import ProtocolModel

/// Identifiers that read well in failures: the number is their low half.
func id<Tag>(_ number: UInt64, _: Tag.Type = Tag.self) -> Identifier<Tag> { Identifier(high: 0, low: number) }

func makeServer(
    _ number: UInt64 = 1, power: ServerSpec.Power = .running, diskVersion: Int = 0, ports: [UInt64] = [],
    hasConfigDrive: Bool = false
) -> ServerSpec {
    ServerSpec(
        id: id(number), project: id(900), user: id(901), name: "vm-\(number)", hostname: "vm-\(number)",
        number: Int(number), flavorName: "m1.nano", vcpus: 1, memoryMiB: 64, rootGiB: 0,
        image: ImageSpec(
            id: id(500), sha512: String(repeating: "a", count: 128), sizeBytes: 1_000, format: .qcow2),
        rootDiskVersion: diskVersion, power: power,
        interfaces: ports.map {
            ServerSpec.Interface(
                port: id($0), network: id(700), mac: MACAddress("fa:16:3e:00:00:01")!, mtuBytes: 1_500, model: "virtio")
        }, hasConfigDrive: hasConfigDrive)
}

func makeVolume(_ number: UInt64, bootIndex: Int? = nil) -> ServerSpec.Volume {
    ServerSpec.Volume(id: id(number), place: .pool("local"), device: "vd\(number)", bootIndex: bootIndex)
}

func makeRescue(_ version: Int) -> ServerSpec.Rescue {
    ServerSpec.Rescue(
        version: version,
        image: ImageSpec(id: id(501), sha512: String(repeating: "b", count: 128), sizeBytes: 2_000, format: .qcow2),
        adminPassword: "rescue me")
}

func makePort(_ number: UInt64, server: UInt64) -> PortSpec {
    PortSpec(
        id: id(number), network: id(700), server: id(server), mac: MACAddress("fa:16:3e:00:00:01")!, fixedIPs: [],
        isAdminUp: true, isSecurityEnabled: true, securityGroups: [id(800)], allowedPairs: [], hostname: "vm")
}

let network = NetworkSpec(
    id: id(700), project: id(900), attachment: .local, mtuBytes: 1_500, subnets: [], dnsDomain: "")
let group = SecurityGroupSpec(id: id(800), rules: [], members: [])

func entry(_ spec: ResourceSpec, _ generation: Int64) -> PlanEntry {
    PlanEntry(key: spec.key, generation: generation, spec: spec)
}

func removal(_ key: ResourceKey, _ generation: Int64) -> PlanEntry {
    PlanEntry(key: key, generation: generation, spec: nil)
}
