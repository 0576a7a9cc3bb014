import CoordinatorFleet
import Testing

@Suite("what becomes of a resource on a host")
struct HostedLifecycleTests {
    typealias State = Volume.State
    typealias Decision = HostedDecision<State>

    static func state(_ task: Volume.Task?) -> State {
        State(status: task == .creating ? .creating : .available, task: task, sizeGiB: 10)
    }

    @Test("every task ends when nothing is heard, when its host fails it and when its host is removed")
    func waysOut() {
        for task in Volume.Task.allCases {
            for report in [HostedReport<Int>.overdue, .hostRemoved, .status(.failed, nil)] {
                let decision = HostedLifecycle.decide(report, in: Self.state(task))
                switch decision {
                case .completed(let state), .reverted(let state), .failed(let state): #expect(state.task == nil)
                case .reschedule: #expect(task == .creating && report != .hostRemoved)
                case .hidden: #expect(task == .deleting)
                case .nothing: #expect(task == .retyping && report == .status(.failed, nil), "its result decides")
                case .progress, .advanced, .followed, .removed: Issue.record("\(task) with \(report): \(decision)")
                }
            }
        }
    }

    static let cases: [(Volume.Task?, HostedReport<Int>, Decision)] = [
        (.creating, .status(.pending, nil), .nothing),
        (.creating, .status(.applying, 4), .progress(State(status: .creating, task: .creating, sizeGiB: 4))),
        (.creating, .status(.ready, 10), .completed(State(status: .available, task: nil, sizeGiB: 10))),
        (.creating, .hostDown, .reschedule),
        (.extending, .hostDown, .nothing),
        (.extending, .status(.failed, 10), .reverted(State(status: .available, task: nil, sizeGiB: 10))),
        (.deleting, .hostDown, .hidden),
        (.deleting, .status(.failed, nil), .failed(State(status: .error, task: nil, sizeGiB: 10))),
        (.deleting, .status(.gone, nil), .removed),
        (.retyping, .operationEnded(succeeded: true), .completed(State(status: .available, task: nil, sizeGiB: 10))),
        (.retyping, .overdue, .reverted(State(status: .available, task: nil, sizeGiB: 10))),
        (nil, .overdue, .nothing), (nil, .hostDown, .nothing), (nil, .operationEnded(succeeded: false), .nothing),
        (nil, .status(.ready, 10), .nothing),
        (nil, .status(.ready, 7), .followed(State(status: .available, task: nil, sizeGiB: 7))),
        (nil, .status(.failed, nil), .failed(State(status: .error, task: nil, sizeGiB: 10))),
        (nil, .hostRemoved, .failed(State(status: .error, task: nil, sizeGiB: 0)))
    ]

    @Test("decisions", arguments: cases)
    func decides(task: Volume.Task?, report: HostedReport<Int>, decision: Decision) {
        #expect(HostedLifecycle.decide(report, in: Self.state(task)) == decision)
    }

    @Test("what is in ERROR already is not told again")
    func failedOnce() {
        let state = State(status: .error, task: nil, sizeGiB: 0)
        #expect(HostedLifecycle.decide(.status(.failed, nil), in: state) == .nothing)
    }
}
