import AgentCompute
import AgentNetwork
import ProtocolLink
import ProtocolModel
import ProtocolSettings

/// What `skerry-agent` is told, from one YAML file. `packaging/config/agent.yaml` explains every key.
package struct Configuration: Sendable, Equatable {
    enum Driver: String, Sendable {
        case libvirt, simulated
    }

    /// Identity, stored plan, images, disks.
    var stateDirectory = "/var/lib/skerry/agent"
    /// `nil`: where `skerry-agent join` was told.
    var coordinator: LinkEndpoint?
    /// What the cloud calls the host; its own name when `nil`.
    var name: String?
    var roles: Set<NodeReport.Role> = [.compute, .network, .storage]
    var driver = Driver.libvirt
    var libvirt = Libvirt()
    /// The interface that leads to each physical network.
    var physicalNetworks: [String: InterfaceName] = [:]
    /// Where other hosts send the frames of overlay networks; `nil`: where the coordinator is reached from.
    var tunnel: TunnelSource?
    var common = CommonSettings(metricsListen: ListenAddress(host: "127.0.0.1", port: 8703))
    var availabilityZone = "nova"
    var reservedMemoryMiB = 512
    var reservedDiskGiB = 1
    var imageCacheGiB = 20
    /// Where volumes are kept; `nil` where the file does not say.
    var configuredPools: [String: Pool]?
    /// For how long what the plan no longer names is kept.
    var keepDays = 7
    var object = ObjectStorage()
    var simulated = Simulated()

    package init() {}

    package var keepSeconds: Int64 { Int64(keepDays) * 86_400 }

    struct Libvirt: Sendable, Equatable {
        var uri = "qemu:///system"
        var virtType = VirtTypeProbe.Setting.automatic
    }

    /// The object store, where the host has the role.
    struct ObjectStorage: Sendable, Equatable {
        /// `nil`: `objects` in the state directory.
        var folder: String?
        var listen = ListenAddress(host: "127.0.0.1", port: 8704)
        /// For how long what was seen of a token holds while the coordinator is away.
        var keepTokensMinutes = 60
    }

    /// Hosts without a hypervisor, all in one process.
    struct Simulated: Sendable, Equatable {
        var nodes = 1
        var vcpus = 64
        var memoryMiB = 262_144
        var diskGiB = 4_096
    }
}
