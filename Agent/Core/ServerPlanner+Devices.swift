import ProtocolModel

/// What comes to a running guest, and goes from it. A guest that does not run has no need of this: its definition names
/// what it shall have.
extension ServerPlanner {
    /// Devices that the guest has and shall not have.
    static func surplus(_ spec: ServerSpec, _ domain: DomainObservation?) -> [GuestDevice] {
        guard let domain, domain.isActive else { return [] }
        let wanted = Set(spec.devices)
        return domain.devices.all.filter { !wanted.contains($0) }
    }

    static func planDevices(
        _ spec: ServerSpec, domain: DomainObservation?, view: View, into decision: inout Decision
    ) {
        guard let domain, domain == view.domain, staysUp(spec, domain, decision) else { return }
        let surplus = surplus(spec, domain)
        if !surplus.isEmpty {
            switch view.detach {
            case .notAsked:
                decision.steps.append(.detachDevices)
                decision.devices.detach = surplus
                decision.wait = .detachment
            case .asked: decision.wait = .detachment
            case .givenUp: decision.wait = .stuck(surplus)
            }
        }
        // What goes may have the name that something that comes is to have.
        let isInTheWay = view.detach != .givenUp && surplus.contains { if case .volume = $0 { true } else { false } }
        let present = Set(domain.devices.all)
        for device in spec.devices where !present.contains(device) {
            if case .volume = device, isInTheWay { continue }
            if let wait = wait(for: view.devices[device] ?? .ready) {
                decision.wait = decision.wait ?? wait
            } else {
                decision.devices.attach.append(device)
            }
        }
        guard !decision.devices.attach.isEmpty else { return }
        decision.steps.append(.attachDevices)
        // So that one that goes well and is of no effect is not done for ever.
        decision.isSettled = false
    }

    /// Whether the guest is up and nothing that is about to be done to it changes that.
    private static func staysUp(_ spec: ServerSpec, _ domain: DomainObservation, _ decision: Decision) -> Bool {
        guard decision.wait == nil, spec.power == .running || spec.power == .paused else { return false }
        guard domain.power == .running || domain.power == .paused else { return false }
        return decision.steps.allSatisfy { [.define, .resume, .pause].contains($0) }
    }
}
