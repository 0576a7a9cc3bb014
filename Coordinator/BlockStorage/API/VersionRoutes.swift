import CoordinatorPlatform

/// What versions there are, for clients that look before they ask.
enum VersionRoutes {
    static let all = [
        Route(.get, "/", access: .anybody) { call in
            .json(VersionDocument.list([version], at: call.baseURL), status: 300)
        },
        Route(.get, "/v3", access: .anybody) { .json(VersionDocument.list([version], at: $0.baseURL)) }
    ]

    private static let version = VersionDocument(
        "v3.0", path: "/volume/v3/", microversions: Microversion(3, 0)...Microversion.volumeMaximum,
        updated: "2023-08-31T00:00:00Z", mediaType: "application/vnd.openstack.volume+json;version=3",
        documentation: "https://docs.openstack.org/")
}
