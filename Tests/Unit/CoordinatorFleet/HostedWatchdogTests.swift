import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolModel
import Testing

@Suite("hosted resources: what nobody ends is ended, each for itself")
struct HostedWatchdogTests {
    @Test("one that cannot be written keeps no other from its way out, when it is late or its host goes down")
    func poison() async throws {
        let others = [AnyID(high: 9, low: 10), AnyID(high: 9, low: 11)]
        for isLate in [true, false] {
            let setting = try await HostedWorkflowTests.Setting()
            for id in [others[0], setting.id, others[1]] { try await setting.create(as: id) }
            setting.kind.poisoned.withLock { $0 = setting.id }
            let reports = setting.reports
            try await setting.database.write { transaction in
                if isLate {
                    try reports.expire(at: 60_000_000, in: transaction)
                } else {
                    try reports.nodeHealthChanged(.down, of: HostedWorkflowTests.first.node, at: 8, in: transaction)
                }
            }
            let hosts = try await setting.database.read { [kind = setting.kind] reader in
                try ([setting.id] + others).map { try kind.find($0, in: reader)?.host }
            }
            #expect(hosts == [HostedWorkflowTests.first, HostedWorkflowTests.second, HostedWorkflowTests.second])
            #expect(try await setting.actions().first?.updatedAt == 0, "nothing of it stays half done")
        }
    }

    @Test("a deadline waits until its host could be heard")
    func unheard() async throws {
        let setting = try await HostedWorkflowTests.Setting()
        try await setting.create()
        let registry = SessionRegistry(startedAt: 100_000_000)
        let nodes = NodeService(
            registry: registry, observers: [], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let reports = HostedReports(setting.workflow, directory: nodes)
        #expect(try await setting.database.write { try reports.expire(at: 110_000_000, in: $0) } == 0)
        #expect(try await setting.volume().host == HostedWorkflowTests.first)
        #expect(try await setting.database.write { try reports.expire(at: 160_000_000, in: $0) } == 1)
        #expect(try await setting.volume().host == HostedWorkflowTests.second)
    }
}
