import CoordinatorPlatform

/// What versions there are, for clients that look before they ask.
enum VersionRoutes {
    static let all = [
        Route(.get, "/", access: .anybody) { .json(VersionDocument.list([old, version], style, at: $0.baseURL)) },
        Route(.get, "/v2", access: .anybody) { .json(old.alone(style, at: $0.baseURL)) },
        Route(.get, "/v2.1", access: .anybody) { .json(version.alone(style, at: $0.baseURL)) }
    ]

    private static let style = VersionDocument.Style(isListBrief: true, namesMissing: true)
    /// The same calls as 2.1 has without microversions.
    private static let old = VersionDocument(
        "v2.0", status: "SUPPORTED", path: "/compute/v2/", updated: "2011-01-21T11:33:21Z",
        mediaType: "application/vnd.openstack.compute+json;version=2",
        documentation: "https://docs.openstack.org/api-ref/compute/")
    private static let version = VersionDocument(
        "v2.1", path: "/compute/v2.1/", microversions: Microversion(2, 1)...Microversion.computeMaximum,
        updated: "2013-07-23T11:33:21Z", mediaType: "application/vnd.openstack.compute+json;version=2.1",
        documentation: "https://docs.openstack.org/api-ref/compute/")
}
