import ProtocolModel

/// Entries of newer releases: each is reported as such, and the host goes on with all others.
extension StatusError {
    /// - Parameter problem: What is not known.
    /// - Parameter coordinator: The version of the coordinator that sent it, and so knows it; empty when that was not said.
    static func unsupported(_ problem: String, coordinator: String) -> StatusError {
        let newer = coordinator.isEmpty ? "a newer release" : "release \(coordinator)"
        return StatusError(
            code: .unsupported,
            message: "The host's agent is of release \(Release.version) and cannot do this: use another host, or have "
                + "its agent upgraded to \(newer).",
            detail: "\(problem); not known to release \(Release.version), to \(newer) it is")
    }

    static func unreadable(_ spec: OpaqueSpec, coordinator: String) -> StatusError {
        guard !spec.isWithheld else {
            return StatusError(code: .unsupported, message: spec.problem, detail: "withheld by the coordinator")
        }
        return unsupported("\(spec.key.kind.numbered): \(spec.problem)", coordinator: coordinator)
    }
}

extension ResourceKind {
    /// For the details of errors.
    var numbered: String { "\(name) (kind \(rawValue) of plan entries)" }
}
