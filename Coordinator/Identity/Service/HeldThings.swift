import CoordinatorPlatform
import ProtocolModel

/// All slices' holdings, together.
struct HeldThings: Sendable {
    let slices: [any ProjectHoldings]

    /// Clears the projects for their removal.
    /// - Parameter cascade: Whether what they hold goes along; else it is in the way.
    /// - Returns: `nil` once nothing is left, else the refusal that lists what is, a part being gone.
    /// - Throws: The refusal where nothing could be removed, or nothing was to be.
    func release(
        _ projects: [Project], cascade: Bool, by origin: RemovalOrigin, in transaction: any SQLTransaction
    ) throws -> APIError? {
        var left: [(project: Project, things: [ProjectHolding])] = []
        var isChanged = false
        for project in projects {
            var things = try remaining(of: project, in: transaction)
            if cascade {
                let held = things
                // The later slices stand on the earlier ones, so they let go first.
                for slice in slices.reversed() {
                    try slice.remove(everythingOf: project.id, by: origin, in: transaction)
                }
                things = try remaining(of: project, in: transaction)
                if things != held { isChanged = true }
            }
            if !things.isEmpty { left.append((project, things)) }
        }
        if let first = left.first {
            guard cascade else { throw Self.refusal(first.project, first.things) }
            let postponement = Self.postponement(first.project, first.things)
            guard isChanged else { throw postponement }
            return postponement
        }
        for project in projects {
            for slice in slices.reversed() { try slice.tidy(after: project.id, in: transaction) }
        }
        return nil
    }

    private func remaining(of project: Project, in reader: any SQLReader) throws -> [ProjectHolding] {
        try slices.reversed().flatMap { try $0.remaining(of: project.id, in: reader) }.filter { $0.count > 0 }
    }

    func tidy(after user: UserID, in transaction: any SQLTransaction) throws {
        for slice in slices.reversed() { try slice.tidy(after: user, in: transaction) }
    }

    static func refusal(_ project: Project, _ left: [ProjectHolding]) -> APIError {
        .conflict(
            """
            Cannot delete the project \(project.key) since it still has \(list(left)): delete them first, or repeat the \
            request with ?cascade=true.
            """)
    }

    static func postponement(_ project: Project, _ left: [ProjectHolding]) -> APIError {
        .conflict(
            """
            Cannot delete the project \(project.key) yet, since it still has \(list(left)): what is used by servers \
            that are being deleted goes with them, so repeat the request in a moment; what is protected must be \
            released first.
            """)
    }

    private static func list(_ things: [ProjectHolding]) -> String {
        things.map(\.text).joined(separator: ", ")
    }
}
