import CoordinatorFleet
import ProtocolModel

extension Node {
    /// It has the compute role; a node that never reported has none.
    var runsServers: Bool { report?.roles.contains(.compute) ?? false }

    func zone(default zone: String) -> String {
        guard let reported = report?.availabilityZone, !reported.isEmpty else { return zone }
        return reported
    }

    /// The compute API's word on a host (`host_status`).
    var hostStatus: String {
        if !isEnabled { return "MAINTENANCE" }
        switch health {
        case .up: return "UP"
        case .suspect: return "UNKNOWN"
        case .down: return "DOWN"
        }
    }
}
