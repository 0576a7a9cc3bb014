import CoordinatorPlatform
import ProtocolModel
import Testing

/// What is kept of scheduling decisions, and told of them.
struct ComputeDecisionTests {
    func decisions(_ cloud: ComputeCloud, _ id: ServerID) async throws -> [JSON] {
        let slice = cloud.slice
        let story = try await cloud.harness.database.read { try slice.explain(id, in: $0) }
        return story?["decisions"]?.arrayValue ?? []
    }

    @Test("a decision tells its reasons, how many hosts each is of, and some by name")
    func grouped() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let decision = try await decisions(cloud, id).first
        #expect(decision?["host"] == "host-a")
        #expect(decision?["reasons"]?.arrayValue?.map { $0["hosts"]?.intValue } == [2])
        #expect(
            decision?["verdicts"]?.arrayValue?.first
                == [
                    "host": "host-a", "kept": true,
                    "reason": "weight 1.00: free memory 1.00, free VCPUs 1.00, spread 1.00"
                ])
    }

    @Test("a decision that an older release wrote is still told, host by host")
    func oldRows() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let verdicts = """
            [{"host":"host-a","kept":true,"reason":"weight 0.90"},{"host":"host-b","kept":false,"reason":"down"}]
            """
        try await cloud.harness.database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO server_decisions (server_uuid, action_id, decided_at, host, summary, verdicts)
                VALUES (?, 1, 5, 'host-a', '2 hosts: 1 suitable', ?)
                """, [id, verdicts])
        }
        let old = try await decisions(cloud, id).last
        #expect(old?["summary"] == "2 hosts: 1 suitable")
        #expect(
            old?["verdicts"] == [
                ["host": "host-a", "kept": true, "reason": "weight 0.90"],
                ["host": "host-b", "kept": false, "reason": "down"]
            ])
        #expect(old?["reasons"]?.arrayValue?.map { $0["hosts"]?.intValue } == [1, 1])
    }
}
