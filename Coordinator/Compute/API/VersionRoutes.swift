import CoordinatorPlatform

/// What versions there are, for clients that look before they ask.
enum VersionRoutes {
    static let all = [
        Route(.get, "/", access: .anybody) { .json(VersionDocument.list([version], style, at: $0.baseURL)) },
        Route(.get, "/v2.1", access: .anybody) { .json(version.alone(style, at: $0.baseURL)) }
    ]

    private static let style = VersionDocument.Style(isListBrief: true)
    private static let version = VersionDocument(
        "v2.1", path: "/compute/v2.1/", microversions: Microversion(2, 1)...Microversion.computeMaximum,
        updated: "2013-07-23T11:33:21Z", mediaType: "application/vnd.openstack.compute+json;version=2.1",
        documentation: "https://docs.openstack.org/api-ref/compute/")
}
