import CoordinatorFleet
import ProtocolModel
import ProtocolWire
import Testing

@Suite("the budget of a plan's entry")
struct PlanAdmissionTests {
    private func group(members: Int) -> ResourceSpec {
        .securityGroup(
            SecurityGroupSpec(
                id: SecurityGroupID(high: 0, low: 1), rules: [],
                members: (0..<members).map { IPAddress(family: .ipv6, bits: UInt128($0)) }))
    }

    @Test("what is admitted fits one frame, to the last byte, and what is not is refused with its size")
    func edge() throws {
        // 18 bytes a member.
        var members = PlanBudget.entryBytes / 18
        while (try? PlanBudget.admit(group(members: members))) == nil { members -= 1 }
        try PlanBudget.admit(group(members: members))
        let error = #expect(throws: FleetError.self) { try PlanBudget.admit(group(members: members + 1)) }
        guard case .entryTooLarge(let message)? = error else { return #expect(Bool(false)) }
        #expect(message.contains("\(PlanBudget.entryBytes)"))
        let spec = group(members: members)
        let update = PlanUpdate(
            epoch: .max, revision: .max, isSnapshot: true,
            entries: [PlanEntry(key: spec.key, generation: .max, spec: spec)])
        #expect(try MessageDivision.frames(of: update).count == 1)
    }
}
