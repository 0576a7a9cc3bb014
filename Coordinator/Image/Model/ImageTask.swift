import CoordinatorPlatform
import ProtocolModel

package enum ImageTaskTag {}
package typealias ImageTaskID = Identifier<ImageTaskTag>

/// One import, as the tasks API shows it. Its work is a durable job; this is what people see of it.
struct ImageTask: Sendable {
    enum Status: String, Sendable, CaseIterable {
        case pending, processing, success, failure
    }

    var id: ImageTaskID
    /// `api_image_import`.
    var type: String
    var status = Status.pending
    var image: ImageID
    var owner: ProjectID?
    var user: UserID
    var requestID: String
    /// `{"image_id": ..., "import_req": {...}, "backend": [...]}`.
    var input: JSON
    var result = JSON.null
    /// Why it failed, for the person who asked.
    var message = ""
    /// The ``ImportLane`` that it waits in; none for a task of an older release.
    var lane: String
    /// Microseconds since 1970-01-01T00:00:00Z.
    var createdAt: Int64
    var updatedAt: Int64
    /// From then on the import fails, whatever it is doing; while it is pending, how long it may wait for its turn.
    var deadline: Int64
    /// When an ended task is forgotten; `nil` until it has ended.
    var expiresAt: Int64?
}
