import CoordinatorPlatform
import Testing

@Suite("version documents")
struct VersionDocumentTests {
    private static let base = "https://cloud.test"
    private static let full = VersionDocument(
        "v2.1", path: "/compute/v2.1/", microversions: Microversion(2, 1)...Microversion(2, 96),
        updated: "2013-07-23T11:33:21Z", mediaType: "application/x+json", documentation: "https://docs.test/")

    private static let common: [String: JSON] = [
        "id": "v2.1", "status": "CURRENT", "version": "2.96", "min_version": "2.1", "updated": "2013-07-23T11:33:21Z"
    ]
    private static let own: JSON = ["rel": "self", "href": "https://cloud.test/compute/v2.1/"]
    private static let details: [String: JSON] = [
        "links": [own, ["rel": "describedby", "type": "text/html", "href": "https://docs.test/"]],
        "media-types": [["base": "application/json", "type": "application/x+json"]]
    ]

    @Test("a brief list says less than a version alone")
    func brief() {
        let brief = Self.common.merging(["links": [Self.own]]) { $1 }
        let whole = Self.common.merging(Self.details) { $1 }
        #expect(
            VersionDocument.list([Self.full], .init(isListBrief: true), at: Self.base) == ["versions": [.object(brief)]]
        )
        #expect(VersionDocument.list([Self.full], at: Self.base) == ["versions": [.object(whole)]])
        #expect(Self.full.alone(at: Self.base) == ["version": .object(whole)])
    }

    @Test("nested lists, other names, services that are their own version")
    func styles() {
        let plain = VersionDocument("v1.0", path: nil, microversions: Microversion(1, 0)...Microversion(1, 13))
        let view: JSON = [
            "id": "v1.0", "status": "CURRENT", "min_version": "1.0", "max_version": "1.13",
            "links": [["rel": "self", "href": ""]]
        ]
        let style = VersionDocument.Style(maximumName: "max_version", isNested: true)
        #expect(VersionDocument.list([plain], style, at: Self.base) == ["versions": ["values": [view]]])
    }
}
