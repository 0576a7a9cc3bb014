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

    @Sendable static func renderError(_ error: APIError, requestID: String) -> (body: JSON, contentType: String) {
        let titles = [
            400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
            409: "Conflict", 410: "Gone", 413: "Request Entity Too Large", 415: "Unsupported Media Type",
            416: "Requested Range Not Satisfiable", 500: "Internal Server Error", 503: "Service Unavailable"
        ]
        let title = titles[error.status] ?? "Error"
        return (
            ["message": JSON(error.message), "code": JSON("\(error.status) \(title)"), "title": JSON(title)],
            "application/json"
        )
    }
}
