import AgentCore
import ProtocolModel
import Testing

@Suite("what a volume needs next")
struct VolumePlannerTests {
    typealias View = VolumePlanner.View
    typealias Step = VolumePlanner.Step

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var view: View
        var reversion: Int?
        var phase: ResourceStatus.Phase
        var steps: [Step] = []
        var code: StatusError.Code?
        var testDescription: String { name }
    }

    static let gib = Int64(1) << 30
    static let broken = StatusError(code: .hostFailure, message: "m", detail: "d")
    static let strange = StatusError(code: .unsupported, message: "m", detail: "d")

    static func stored(_ sizeGiB: Int64 = 2, reversion: Int = 0, isUnfinished: Bool = false) -> StoredVolume {
        StoredVolume(sizeBytes: sizeGiB * gib, reversion: reversion, isUnfinished: isUnfinished)
    }

    static let cases: [Case] = [
        Case(name: "new", view: View(stored: nil), phase: .applying, steps: [.create]),
        Case(name: "its source is not there yet", view: View(stored: nil, source: .waiting), phase: .pending),
        Case(name: "its source is not planned yet", view: View(stored: nil, source: .unknown), phase: .pending),
        Case(
            name: "its source has failed", view: View(stored: nil, source: .failed(broken)), phase: .failed,
            code: .hostFailure),
        Case(name: "lost", view: View(stored: nil, wasMade: true), phase: .failed, code: .hostFailure),
        Case(
            name: "lost, with a source to make it from", view: View(stored: nil, wasMade: true, source: .waiting),
            phase: .failed, code: .hostFailure),
        Case(name: "as wanted", view: View(stored: stored()), phase: .ready),
        Case(name: "in use", view: View(stored: stored(), isInUse: true), phase: .ready),
        Case(name: "nobody can tell who has it", view: View(stored: stored(), isInUse: nil), phase: .ready),
        Case(name: "larger than wanted", view: View(stored: stored(3)), phase: .ready),
        Case(name: "smaller", view: View(stored: stored(1)), phase: .applying, steps: [.extend]),
        Case(
            name: "smaller, in use", view: View(stored: stored(1), isInUse: true), phase: .applying, steps: [.extend]),
        Case(
            name: "to go back", view: View(stored: stored()), reversion: 1, phase: .applying, steps: [.revert]),
        Case(
            name: "to go back and grow", view: View(stored: stored(1)), reversion: 1, phase: .applying,
            steps: [.revert]),
        Case(
            name: "to go back, in use", view: View(stored: stored(), isInUse: true), reversion: 1, phase: .applying,
            code: .conflict),
        Case(
            name: "to go back, and nobody can tell who has it", view: View(stored: stored(), isInUse: nil),
            reversion: 1, phase: .applying),
        Case(
            name: "to go back to what is not there", view: View(stored: stored(), hasReversion: false), reversion: 1,
            phase: .pending),
        Case(
            name: "went back, and the snapshot is gone", view: View(stored: stored(reversion: 1), hasReversion: false),
            reversion: 1, phase: .ready),
        Case(
            name: "went back further than the plan knows", view: View(stored: stored(reversion: 2)), reversion: 1,
            phase: .ready),
        Case(
            name: "half-way in a snapshot", view: View(stored: stored(1, isUnfinished: true), isInUse: true),
            reversion: 1, phase: .applying, steps: [.finish]),
        Case(
            name: "its pool cannot be looked at", view: View(poolFailure: broken, stored: nil), phase: .applying,
            code: .hostFailure),
        Case(
            name: "it was made, and its pool cannot be looked at",
            view: View(poolFailure: broken, stored: nil, wasMade: true), phase: .applying, code: .hostFailure),
        Case(
            name: "a pool of another host", view: View(poolFailure: strange, stored: nil), phase: .failed,
            code: .unsupported)
    ]

    @Test("each situation has one answer", arguments: cases)
    func decisions(_ one: Case) {
        let reversion = one.reversion.map { VolumeSpec.Reversion(version: $0, snapshot: id(9)) }
        let spec = VolumeSpec(id: id(1), project: id(2), pool: "local", sizeGiB: 2, reversion: reversion)
        let decision = VolumePlanner.plan(spec, one.view)
        #expect(decision.phase == one.phase)
        #expect(decision.steps == one.steps)
        #expect((decision.error ?? decision.failure)?.code == one.code)
        #expect((decision.failure != nil) == (one.code == .unsupported))
    }

    @Test("a volume goes when nobody has it, nothing is to be made from it, and it is known where it is")
    func removal() {
        func plan(
            isThere: Bool = true, isInUse: Bool? = false, isNeeded: Bool = false, canTell: Bool = true
        ) -> VolumePlanner.Decision {
            VolumePlanner.planRemoval(isThere: isThere, isInUse: isInUse, isNeeded: isNeeded, canTell: canTell)
        }
        #expect(plan().steps == [.remove])
        for waiting in [plan(isInUse: true), plan(isInUse: nil), plan(isNeeded: true)] {
            #expect(waiting.steps.isEmpty && waiting.phase == .applying)
        }
        #expect(plan(isThere: false).phase == .gone)
        #expect(plan(isThere: false, canTell: false).phase == .applying)
    }
}
