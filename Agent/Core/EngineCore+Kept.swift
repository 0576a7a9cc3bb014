import Logging
import ProtocolModel

/// What is kept although the plan does not name it, where it is looked after.
extension EngineCore {
    /// How much of the running time a crash may take: what is kept is then kept for so much longer.
    private static let notedEvery = Duration.seconds(600)

    var keptProblems: [String] {
        plan.keptProblems(at: runningTime, keepSeconds: settings.keepSeconds)
    }

    /// - Parameter total: How many of the kind are on the host.
    func keep(strays: [ResourceKey], of total: Int) async {
        let plan = plan
        // An agent without a plan has not heard yet what it should have.
        guard plan.position != .none else { return }
        let fresh = strays.filter { $0.kind.holdsData && plan.entries[$0] == nil && plan.setAside[$0] == nil }
        guard !fresh.isEmpty else { return }
        let now = runningTime
        do {
            try await store.keep(strays: fresh, of: total, at: now)
        } catch {
            logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
            return
        }
        _ = alter { plan in
            plan.keep(strays: fresh, of: total, at: now)
            return [:]
        }
        logKept(since: now)
    }

    /// Tells of what was set aside just now.
    func logKept(since now: Int64) {
        for (key, kept) in plan.setAside.sorted(by: { $0.key < $1.key }) where kept.since == now {
            logger.warning(
                "what the plan does not name is kept",
                metadata: ["\(key.kind)": "\(key.id)", "held": "\(kept.isHeld)"])
        }
    }

    /// Has removed what was kept long enough, while there is a coordinator that could still name it.
    func releaseDue() async {
        if let now = runningTimeToNote(every: Self.notedEvery) {
            do { try await store.note(runningTime: now) } catch {
                logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
            }
        }
        guard let age = sessionAge, age >= settings.keepCaution else { return }
        await release(plan.due(at: runningTime, keepSeconds: settings.keepSeconds), because: "its time is over")
    }

    /// - Returns: Whether it is written down.
    @discardableResult
    func release(_ keys: Set<ResourceKey>, because reason: String) async -> Bool {
        let known = keys.intersection(plan.setAside.keys)
        guard !known.isEmpty else { return true }
        do {
            try await store.release(known)
        } catch {
            logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
            return false
        }
        let changed = alter { $0.release(known) }
        for key in known.sorted() {
            logger.notice(
                "what was kept is removed", metadata: ["\(key.kind)": "\(key.id)", "reason": "\(reason)"])
        }
        for kind in changed { wake(kind, .plan) }
        return true
    }
}
