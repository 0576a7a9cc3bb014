import AgentCore
import AgentNetlink
import Glibc
import ProtocolModel

extension HostNetworkDriver {
    /// Lets go of guests that are no longer limited.
    /// - Returns: Whether anything is limited, or is to be.
    func releaseLimits(_ desired: NetworkState, _ socket: NetlinkSocket) -> Bool {
        let isWanted = desired.ports.values.contains { $0.quality.toGuest != nil || $0.quality.fromGuest != nil }
        guard let queues = try? socket.queues() else { return true }
        guard isWanted || !queues.isEmpty else { return false }
        guard let links = try? socket.links() else { return true }
        var failures: [ResourceKey: StatusError] = [:]
        apply(
            ShapingPlanner.release(
                ports: desired.ports, observed: ShapingPlanner.Observed(links: links, queues: queues)), socket,
            &failures)
        return true
    }

    /// Holds ports to their limits, once their links are there.
    func limit(_ desired: NetworkState, _ socket: NetlinkSocket, _ failures: inout [ResourceKey: StatusError]) {
        do throws(NetlinkError) {
            var observed = ShapingPlanner.Observed(links: try socket.links(), queues: try socket.queues())
            for link in observed.links where observed.queues[link.index]?.hasFilters == true {
                guard case .port(let id)? = OwnershipMark(alias: link.alias),
                    desired.ports[id]?.quality.fromGuest != nil
                else { continue }
                observed.diversions[link.index] = try socket.diversion(of: link.index)
            }
            let steps = ShapingPlanner.plan(ports: desired.ports, networks: desired.networks, observed: observed)
            apply(steps, socket, &failures)
        } catch {
            logger.warning("limits not looked at", metadata: ["error": "\(error)"])
            for port in desired.ports.values
            where (port.quality.toGuest != nil || port.quality.fromGuest != nil) && failures[.port(port.id)] == nil {
                failures[.port(port.id)] = StatusError(error, while: "look at the limits of its ports")
            }
        }
    }

    /// Goes on past a failed step; the later steps of the same port are left out.
    private func apply(
        _ steps: [ShapingPlanner.Step], _ socket: NetlinkSocket, _ failures: inout [ResourceKey: StatusError]
    ) {
        for step in steps where failures[.port(step.port)] == nil {
            do throws(NetlinkError) {
                switch step.action {
                case .setBucket(let bucket): try socket.setBucket(bucket, on: step.device)
                case .removeBucket: try socket.removeBucket(from: step.device)
                case .divert(let queue): try socket.divert(step.device, through: queue)
                case .undivert: try socket.undivert(step.device)
                }
                logger.info("limit changed", metadata: ["port": "\(step.port)", "change": "\(step.action)"])
            } catch {
                logger.warning("limit not changed", metadata: ["port": "\(step.port)", "error": "\(error)"])
                failures[.port(step.port)] = .limit(error)
            }
        }
    }
}

extension StatusError {
    /// A limit that is not kept is no limit: the port says so.
    fileprivate static func limit(_ error: NetlinkError) -> Self {
        // What the kernel answers about disciplines, filters and actions that it does not know.
        guard error.errno == ENOENT || error.isUnsupported else { return Self(error, while: "limit the port") }
        return Self(
            code: .unsupported,
            message: "This host cannot limit the bandwidth of ports: use another host, or take the QoS policy away.",
            detail: "\(error): the kernel needs sch_tbf, sch_ingress, cls_u32, act_mirred and ifb")
    }
}
