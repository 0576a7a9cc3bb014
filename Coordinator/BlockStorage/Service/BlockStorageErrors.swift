import CoordinatorPlatform
import ProtocolModel

/// Refusals in the volume API's words.
enum BlockStorageError {
    static func volume(_ reason: String) -> APIError { .badRequest("Invalid volume: \(reason)") }
    static func snapshot(_ reason: String) -> APIError { .badRequest("Invalid snapshot: \(reason)") }
    static func input(_ reason: String) -> APIError { .badRequest("Invalid input received: \(reason)") }
    static func noVolume(_ id: String) -> APIError { .notFound("Volume \(id) could not be found.") }
    static func noSnapshot(_ id: String) -> APIError { .notFound("Snapshot \(id) could not be found.") }
    static func noType(_ id: String) -> APIError { .notFound("Volume type \(id) could not be found.") }
    static func noType(named name: String) -> APIError {
        .notFound("Volume type with name \(name) could not be found.")
    }
    static func noAttachment(_ id: String) -> APIError {
        .notFound("Volume attachment could not be found with filter: attachment_id = \(id).")
    }
    static func usedByServer(_ server: ServerID?) -> APIError {
        .conflict("Detach volume from instance \(server?.text ?? "") using the Compute API")
    }

    /// `a`, `a or b`, `a, b or c`.
    static func alternatives(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
