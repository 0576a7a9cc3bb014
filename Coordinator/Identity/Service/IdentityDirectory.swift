import CoordinatorPlatform
import ProtocolModel
import Synchronization

/// The identity service's current state, for whoever needs a name, a role or a yes: never touches the database.
///
/// It is a copy of rows. Each commit here that changes identity puts its state here before the writer's caller goes on;
/// what others have committed to the same database comes with ``IdentityService/follow()``, within a second.
public final class IdentityDirectory: Sendable {
    private final class Snapshot: Sendable {
        let state: IdentityState
        init(_ state: IdentityState) { self.state = state }
    }

    private let current: Mutex<Snapshot>

    public init(_ state: IdentityState = IdentityState()) { current = Mutex(Snapshot(state)) }

    /// An immutable picture of one moment.
    public var state: IdentityState { snapshot.state }

    /// Of the state, for who only needs to know whether it is the same one still: a state is large to hand around.
    var generation: UInt64 { snapshot.state.generation }

    private var snapshot: Snapshot { current.withLock { $0 } }

    /// Puts a state in force, unless a newer one is already.
    /// - Parameters:
    ///   - base: The generation of the state that it was made from.
    ///   - moment: From now on nothing is made from a token whose revocation comes with this state.
    func publish(_ next: IdentityState, since base: UInt64, at moment: Int64) {
        current.withLock { snapshot in
            let known = snapshot.state
            guard next.feedNumber > known.feedNumber else { return }
            var state = next
            // Some changes are none for what was derived from the state, log-ins for instance.
            let isSame = next.generation == base && known.generation == base
            state.publish(generation: isSame ? base : known.generation + 1, at: moment)
            snapshot = Snapshot(state)
        }
    }

    // MARK: - For other slices

    public func projectExists(_ id: ProjectID) -> Bool { snapshot.state.projects[id] != nil }
    public func projectName(_ id: ProjectID) -> String? { snapshot.state.projects[id]?.name }
    public func userName(_ id: UserID) -> String? { snapshot.state.users[id]?.name }
    /// The key of the domain a project stands in.
    public func domain(of project: ProjectID) -> String? { snapshot.state.projects[project]?.domain }
    public func domainName(_ key: String) -> String? { snapshot.state.domains[key]?.name }
    /// The unified limit of a project.
    /// - Parameters:
    ///   - service: The service's type in the catalog: `image`.
    ///   - region: What is registered for this region goes before what is registered for all.
    /// - Returns: The project's own limit, else the registered one; `nil` for no bound.
    public func limit(_ resource: String, ofService service: String, region: String, project: ProjectID) -> Int64? {
        let state = snapshot.state
        let services = Set(state.services.values.lazy.filter { $0.type == service }.map(\.key))
        return state.resources.limits.bound(on: resource, services: services, region: region, project: project)
    }
    public var projects: [Project] { Array(snapshot.state.projects.values) }
}
