import CoordinatorPlatform

/// The Image API v2 (API reference "Image Service API v2"). Each topic has a file of its own with its routes.
struct ImageAPI: Sendable {
    let service: ImageService

    var api: ServiceAPI {
        let topics: [[Route]] = [
            versionRoutes, schemaRoutes, imageRoutes, dataRoutes, tagRoutes, memberRoutes, actionRoutes, usageRoutes,
            metadefRoutes
        ]
        return ServiceAPI(
            prefix: "/image", routes: topics.flatMap { $0 }, policy: ImagePolicy.policy, renderError: Self.renderError)
    }

    /// Reads as the caller.
    func read<T: Sendable>(
        _ call: APICall, _ body: @escaping @Sendable (ImageAccess, any SQLReader) throws -> T
    ) async throws -> T {
        let access = ImageAccess(try call.permissions())
        return try await call.database.read { try body(access, $0) }
    }

    /// Writes as the caller.
    func write<T: Sendable>(
        _ call: APICall, target: @escaping @Sendable (T) -> String = { _ in "" },
        _ body: @escaping @Sendable (ImageAccess, any SQLTransaction) throws -> T
    ) async throws -> T {
        let access = ImageAccess(try call.permissions())
        return try await call.write(target: target) { try body(access, $0) }
    }

    @Sendable static func renderError(_ error: APIError, requestID: String) -> (body: JSON, contentType: String) {
        let code = JSON("\(error.status) \(error.title)")
        return (["message": JSON(error.message), "code": code, "title": JSON(error.title)], "application/json")
    }
}
