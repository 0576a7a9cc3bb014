import CoordinatorPlatform
import ProtocolModel

/// Who may see and change which image. Pure.
enum ImagePolicy {
    static func canSee(_ image: Image, caller: Caller) -> Bool {
        if caller.isAdmin || image.visibility == .public || image.visibility == .community { return true }
        return image.owner != nil && image.owner == caller.project
    }

    /// - Throws: ``APIError`` 403, or 404 where the caller must not even learn that the image exists.
    static func requireChange(_ image: Image, caller: Caller) throws {
        guard canSee(image, caller: caller) else { throw ImageError.notFound(image.id.text) }
        if caller.isAdmin { return }
        guard image.owner != nil, image.owner == caller.project, canWrite(caller) else {
            throw APIError.forbidden("You are not permitted to modify this image.")
        }
    }

    static func canWrite(_ caller: Caller) -> Bool { caller.roles.contains("member") || caller.isAdmin }

    static func requireVisibility(_ visibility: Image.Visibility, caller: Caller) throws {
        if visibility == .public, !caller.isAdmin {
            throw APIError.forbidden("You are not authorized to complete publicize_image action.")
        }
    }
}

/// The image service's refusals.
enum ImageError {
    static func notFound(_ id: String) -> APIError { .notFound("Failed to find image \(id)") }
    static func noImage(_ id: String) -> APIError { .notFound("No image found with ID \(id)") }
}
