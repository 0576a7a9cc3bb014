import CoordinatorPlatform

extension ImageAPI {
    /// Glance leaves 2.14 out where there is no image cache to manage, and so do we.
    static let minorVersions = [15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]

    var versionRoutes: [Route] {
        [
            Route(.get, "/", access: .anybody) { .json(Self.versions($0), status: 300) },
            Route(.get, "/versions", access: .anybody) { .json(Self.versions($0)) }
        ]
    }

    private static func versions(_ call: APICall) -> JSON {
        let versions = minorVersions.map { minor in
            let status = minor == minorVersions[0] ? "CURRENT" : "SUPPORTED"
            return VersionDocument("v2.\(minor)", status: status, path: "/image/v2/")
        }
        return VersionDocument.list(versions, at: call.baseURL)
    }
}
