import CoordinatorBlockStorage
import CoordinatorFleet
import ProtocolModel
import Testing

@Suite("the states of volumes and snapshots")
struct VolumeStateTests {
    private func details(_ progress: Int = 100) -> VolumeDetails {
        VolumeDetails(sizeGiB: 1, allocatedBytes: 0, progressPercent: progress)
    }

    @Test("every task has a deadline and a way out", arguments: VolumeTask.allCases)
    func ways(task: VolumeTask) {
        #expect(task.allowedSeconds > 0)
        let state = VolumeState(status: .inUse, task: task)
        #expect(state.shown.rawValue == task.rawValue)
        // What ends an operation is its result, whatever is said of the volume meanwhile.
        let isOperation = task.purpose == .operating
        let failed: HostedReport<VolumeDetails> =
            isOperation ? .operationEnded(succeeded: false) : .status(.failed, nil)
        for report in [HostedReport<VolumeDetails>.overdue, .hostRemoved, failed] {
            let decision = HostedLifecycle<VolumeState>.decide(report, in: state)
            #expect(decision != .nothing, "\(task) \(report)")
        }
        guard task != .deleting else { return }
        let ready = HostedLifecycle<VolumeState>.decide(
            isOperation ? .operationEnded(succeeded: true) : .status(.ready, details()), in: state)
        guard case .completed(let next) = ready else {
            Issue.record("\(ready)")
            return
        }
        #expect(next.task == nil && next.status == .inUse && (isOperation || next.progress == 100))
        if isOperation { #expect(HostedLifecycle<VolumeState>.decide(.overdue, in: state) == .reverted(state.idle)) }
    }

    @Test("a removal waits for a host that is down, and stays in sight when one does not get to it")
    func removal() {
        let state = VolumeState(status: .available, task: .deleting)
        #expect(HostedLifecycle<VolumeState>.decide(.hostDown, in: state) == .nothing)
        let late = HostedLifecycle<VolumeState>.decide(.overdue, in: state)
        #expect(late == .failed(VolumeState(status: .errorDeleting, task: nil)))
        #expect(VolumeState(status: .errorDeleting, task: nil).isLeaving)
        #expect(HostedLifecycle<VolumeState>.decide(.hostRemoved, in: state) == .hidden)
        let snapshot = SnapshotState(status: .available, task: .deleting)
        #expect(HostedLifecycle<SnapshotState>.decide(.hostDown, in: snapshot) == .nothing)
    }

    @Test("what a host cannot keep for a while stays what it is to its owner, and is well again when the host says so")
    func failing() {
        let state = VolumeState(status: .inUse, task: nil)
        let failed = HostedLifecycle<VolumeState>.decide(.status(.failed, nil), in: state)
        guard case .failed(let next) = failed else {
            Issue.record("\(failed)")
            return
        }
        #expect(next.shown == .inUse && next.isFailing)
        #expect(HostedLifecycle<VolumeState>.decide(.status(.failed, nil), in: next) == .nothing)
        let well = HostedLifecycle<VolumeState>.decide(.status(.ready, details()), in: next)
        #expect(well == .completed(VolumeState(status: .inUse, task: nil, progress: 100)))
        #expect(HostedLifecycle<VolumeState>.decide(.status(.ready, details()), in: state) == .nothing)
    }

    @Test("progress is told, nothing else of a status that goes on")
    func progress() {
        let state = VolumeState()
        let decision = HostedLifecycle<VolumeState>.decide(.status(.applying, details(40)), in: state)
        #expect(decision == .progress(VolumeState(progress: 40)))
    }

    @Test(
        "a volume is what its attachments make it",
        arguments: [
            ([], .available), ([.reserved], .reserved), ([.attached], .inUse), ([.attached, .reserved], .reserved),
            ([.attached, .attaching], .attaching), ([.attached, .detaching], .detaching)
        ] as [([AttachmentStatus], VolumeStatus)])
    func attachments(_ attachments: [AttachmentStatus], _ expected: VolumeStatus) {
        #expect(VolumeStatus.of(attachments) == expected)
    }
}
