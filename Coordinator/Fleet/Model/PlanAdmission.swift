import ProtocolModel
import ProtocolWire

extension PlanBudget {
    /// Checks a spec as it would be sent, so that no request makes an entry that cannot be delivered. To be asked where a
    /// request makes a resource larger and nothing else limits it; what others make of it later (the members of a group)
    /// is found when it is delivered.
    /// - Throws: ``FleetError/entryTooLarge(_:)``, with a message for whoever asked.
    public static func admit(_ spec: ResourceSpec) throws {
        let bytes = try PlanEntry(key: spec.key, generation: .max, spec: spec).wireBytes.count
        guard bytes > entryBytes else { return }
        throw FleetError.entryTooLarge(
            "The \(spec.key.kind) would take \(bytes) bytes to describe to its host, and \(entryBytes) is the most that "
                + "can be sent: make it smaller.")
    }
}
