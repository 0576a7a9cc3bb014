import CoordinatorPlatform
import ProtocolModel

/// Ends projects and domains with all that hangs on them: assignments, credentials, limits and associations go with
/// their rows, so the tokens they carried are void at once.
///
/// A refusal after a part of a removal was carried out is returned and not thrown, so that this part stays done: servers
/// that were asked to go need their time, and the next attempt goes on from there.
extension IdentityService {
    var held: HeldThings { HeldThings(slices: holdings) }

    /// - Parameter projects: Those that stand in others first.
    /// - Throws: ``APIError`` 409 with what other slices still hold of them.
    func remove(
        _ projects: [Project], cascade: Bool, by origin: RemovalOrigin, in edit: inout IdentityEdit
    ) throws -> APIError? {
        if let refusal = try held.release(projects, cascade: cascade, by: origin, in: edit.transaction) {
            return refusal
        }
        for project in projects {
            try edit.clearDefaultProject(project)
            try edit.delete(project)
        }
        return nil
    }

    /// A domain takes its projects, users, groups and roles along.
    func remove(
        _ domain: Domain, cascade: Bool, by origin: RemovalOrigin, in edit: inout IdentityEdit
    ) throws -> APIError? {
        let projects = edit.state.projects.values.filter { $0.domain == domain.key }
        if let refusal = try held.release(projects, cascade: cascade, by: origin, in: edit.transaction) {
            return refusal
        }
        for project in projects { try edit.clearDefaultProject(project) }
        for user in edit.state.users.values where user.domain == domain.key {
            try held.tidy(after: user.id, in: edit.transaction)
        }
        // They have no reference that would take them along.
        for role in edit.state.roles.values where role.domain == domain.key { try edit.delete(role) }
        try edit.delete(domain)
        return nil
    }
}
