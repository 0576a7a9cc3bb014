import CoordinatorPlatform
import ProtocolModel

/// Ends projects and domains with all that hangs on them: assignments, credentials, limits and associations go with
/// their rows and with the directory's change, so the tokens they carried are void at once.
extension IdentityService {
    var held: HeldThings { HeldThings(slices: holdings) }

    /// - Parameter projects: Those that stand in others first.
    /// - Throws: ``APIError`` 409 with what other slices still hold of them.
    func remove(_ projects: [Project], cascade: Bool, _ call: APICall) async throws {
        try await finish(call, target: projects.last?.key ?? "", clearing: "identity.project.clear") { transaction in
            if let refusal = try held.release(projects, cascade: cascade, by: try origin(call), in: transaction) {
                return refusal
            }
            for project in projects {
                try ResourceStore.requireLeaf(project.key, in: transaction)
                try ResourceStore.clearDefaultProject(project.key, in: transaction)
                try project.delete(in: transaction)
            }
            transaction.afterCommit { directory.apply { state in for project in projects { state.remove(project) } } }
            return nil
        }
    }

    /// A domain takes its projects, users, groups and roles along.
    func remove(_ domain: Domain, cascade: Bool, _ call: APICall) async throws {
        let state = directory.state
        let projects = state.projects.values.filter { $0.domain == domain.key }
        let users = state.users.values.filter { $0.domain == domain.key }
        try await finish(call, target: domain.key, clearing: "identity.domain.clear") { transaction in
            try ResourceStore.requireProjects(projects.count, of: domain.key, in: transaction)
            if let refusal = try held.release(projects, cascade: cascade, by: try origin(call), in: transaction) {
                return refusal
            }
            for project in projects { try ResourceStore.clearDefaultProject(project.key, in: transaction) }
            for user in users { try held.tidy(after: user.id, in: transaction) }
            try ResourceStore.removeRoles(of: domain.key, in: transaction)
            try domain.delete(in: transaction)
            transaction.afterCommit { directory.apply { $0.remove(domain) } }
            return nil
        }
    }

    /// Runs a removal. A refusal after a part of it was carried out leaves that part done: servers that were asked to
    /// go need their time, and the next attempt goes on from there. The event log then has what was done, which is no
    /// deletion, beside the refusal.
    private func finish(
        _ call: APICall, target: String, clearing: String,
        _ body: @escaping @Sendable (any SQLTransaction) throws -> APIError?
    ) async throws {
        let refusal = try await call.write(
            target: { (_: APIError?) in target }, action: { $0 == nil ? nil : clearing }, body)
        if let refusal { throw refusal }
    }

    private func origin(_ call: APICall) throws -> RemovalOrigin {
        RemovalOrigin(permissions: try call.permissions(), requestID: call.requestID, now: call.now)
    }

    /// Several projects in one change.
    /// - Returns: They as stored, in their order.
    func update(_ projects: [Project], _ call: APICall) async throws -> [Project] {
        let stored = projects.map { project in
            var project = project
            project.generation += 1
            return project
        }
        try await change(call, target: projects.first?.key ?? "") { transaction in
            for (project, old) in zip(stored, projects) { try project.update(after: old.generation, in: transaction) }
        } apply: { state in
            for project in stored { state.put(project) }
        }
        return stored
    }
}
