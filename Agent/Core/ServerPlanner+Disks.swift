import ProtocolModel

/// What a server's disks need.
extension ServerPlanner {
    /// Why no disk can be made; a fresh one would take the place of data that is somewhere else.
    static func diskObstacle(_ spec: ServerSpec, _ view: View) -> Wait? {
        guard spec.image != nil else { return nil }
        // The plan is of an earlier day: a coordinator that was restored from a copy, say.
        if let version = view.files?.rootDiskVersion, version > spec.rootDiskVersion { return .laterDisk(version) }
        return hasLostDisk(spec, view) ? .missingDisk : nil
    }

    /// Only the first making of a disk is one: once the guest ran on it, or was so much as defined with it, a disk that is
    /// not there is lost.
    private static func hasLostDisk(_ spec: ServerSpec, _ view: View) -> Bool {
        guard view.files?.rootDiskVersion != spec.rootDiskVersion else { return false }
        // A rebuild asks for another version, and so for another definition.
        return view.settled?.isOn(rootDiskVersion: spec.rootDiskVersion) == true
            || view.domain?.definitionDigest == view.definitionDigest && view.files?.rootDiskVersion == nil
            // Settled by a release that did not say on which disk: with the guest there, it was on one.
            || view.settled?.base.isEmpty == true && view.domain != nil && view.files?.rootDiskVersion == nil
    }

    /// Whether the disks are to be made, or made anew.
    static func needsNewDisks(_ spec: ServerSpec, _ view: View) -> Bool {
        guard spec.image == nil else { return view.files?.rootDiskVersion != spec.rootDiskVersion }
        let made = [view.files?.ephemeral, view.files?.swap].compactMap { $0?.version }
        if let latest = made.max() { return latest < spec.rootDiskVersion }
        // With no disk of its own it has a folder still, where its console is written down.
        return view.domain == nil && (view.files == nil || spec.ephemeralGiB > 0 || spec.swapMiB > 0)
    }

    /// Whether the flavor gives more than the disks have. A disk never becomes smaller; swap holds nothing worth keeping,
    /// and is made anew.
    static func hasOutgrownDisks(_ spec: ServerSpec, _ files: ServerFiles?) -> Bool {
        guard let files else { return false }
        if spec.image.map({ $0.format != .iso }) == true, let bytes = files.rootBytes,
            bytes < Int64(spec.rootGiB) << 30
        {
            return true
        }
        let ephemeralBytes = Int64(spec.ephemeralGiB) << 30
        if (files.ephemeral?.bytes ?? 0) < ephemeralBytes { return true }
        return (files.swap?.bytes ?? 0) != Int64(spec.swapMiB) << 20
    }

    /// Brings the guest to its rescue disk, or back to its own.
    /// - Returns: `false` when the rest has to wait for that.
    static func planRescue(
        _ spec: ServerSpec, _ view: View, _ domain: inout DomainObservation?, into decision: inout Decision
    ) -> Bool {
        let isOther = domain.map { $0.devices.rescueVersion != spec.rescue?.version } ?? false
        if let rescue = spec.rescue {
            let needsDisk = view.files?.rescueVersion != rescue.version
            guard !needsDisk || view.hasRescueImage else {
                decision.wait = .rescueImage
                return false
            }
            if isOther, domain?.isActive == true {
                // Its own system may write down what it has in memory.
                let state = GuestState(domain)
                guard state == .crashed || view.shutdown == .graceOver else {
                    shutDown(state, view, into: &decision)
                    return false
                }
                decision.steps.append(.stop)
                domain?.power = .shutdown
            }
            if needsDisk { decision.steps.append(.createRescueDisk) }
        } else if isOther, domain?.isActive == true {
            // What runs from a rescue disk is over with it.
            decision.steps.append(.stop)
            domain?.power = .shutdown
        }
        if isOther, domain?.hasSavedState == true {
            decision.steps.append(.undefine)
            domain = nil
        }
        return true
    }

    /// Whether a guest that runs has to go down before it can be as it is wanted.
    static func mustGoDown(_ spec: ServerSpec, _ domain: DomainObservation?) -> Bool {
        guard let domain, domain.isActive else { return false }
        return spec.power == .stopped || spec.rescue != nil && domain.devices.rescueVersion != spec.rescue?.version
    }
}
