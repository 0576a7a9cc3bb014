import CoordinatorPlatform
import ProtocolModel

/// What a create call says of where a server is to be. Pure.
package struct SchedulerHints: Sendable, Hashable {
    package var group: String?
    /// On the host of one of these.
    package var sameHost: [String] = []
    /// On the host of none of these.
    package var differentHost: [String] = []
    /// A host whose address is in the same network.
    package var near: IPPrefix?

    /// - Parameter hints: Whose form was checked when they came.
    package init(_ hints: [String: JSON] = [:]) {
        func list(_ name: String) -> [String] {
            hints[name]?.stringValue.map { [$0] } ?? (hints[name]?.arrayValue ?? []).compactMap(\.stringValue)
        }
        group = hints["group"]?.stringValue
        sameHost = list("same_host")
        differentHost = list("different_host")
        near = hints["build_near_host_ip"]?.stringValue.flatMap { address in
            IPPrefix(address + (hints["cidr"]?.stringValue ?? "/24"))
        }
    }
}
