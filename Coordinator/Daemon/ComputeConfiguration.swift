import CoordinatorCompute
import ProtocolSettings

/// `compute`: what the operator says about servers.
extension SettingsReader {
    mutating func readCompute(_ node: Node, into compute: inout ComputeSettings) {
        let longest: ClosedRange<Int64> = 0...315_360_000
        for (name, value) in members(node, of: "'compute'") {
            let path = "compute.\(name)"
            switch name {
            case "reclaim_seconds":
                number(value, path, "a number of seconds", longest).map { compute.reclaimSeconds = $0 }
            case "resize_confirm_seconds":
                number(value, path, "a number of seconds", longest).map { compute.resizeConfirmSeconds = $0 }
            case "shelved_offload_seconds":
                number(value, path, "a number of seconds, or -1", -1...longest.upperBound)
                    .map { compute.shelvedOffloadSeconds = $0 }
            default:
                unknown(name, value, known: "reclaim_seconds, resize_confirm_seconds, shelved_offload_seconds")
            }
        }
    }
}
