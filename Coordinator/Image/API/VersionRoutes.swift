import CoordinatorPlatform

extension ImageAPI {
    /// Glance leaves 2.14 out where there is no image cache to manage, and so do we.
    static let minorVersions = [15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]

    var versionRoutes: [Route] {
        [
            Route(.get, "/", access: .anybody) { call in .json(Self.versions(call), status: 300) },
            Route(.get, "/versions", access: .anybody) { call in .json(Self.versions(call)) }
        ]
    }

    private static func versions(_ call: APICall) -> JSON {
        let link: JSON = [["rel": "self", "href": JSON("\(call.baseURL)/image/v2/")]]
        let versions = minorVersions.map { minor -> JSON in
            [
                "id": JSON("v2.\(minor)"), "links": link,
                "status": minor == minorVersions[0] ? "CURRENT" : "SUPPORTED"
            ]
        }
        return ["versions": .array(versions)]
    }
}
