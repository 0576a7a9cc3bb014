/// One version of a service's API, as the documents show it by which clients find out what there is.
public struct VersionDocument: Sendable {
    /// What services write differently.
    public struct Style: Sendable {
        /// What the newest microversion is called.
        public var maximumName: String
        /// Whether the list stands one level further in, below `values`.
        public var isNested: Bool
        /// Whether a list leaves out media types and documentation.
        public var isListBrief: Bool

        /// Whether a version without microversions says so.
        public var namesMissing: Bool

        public init(
            maximumName: String = "version", isNested: Bool = false, isListBrief: Bool = false,
            namesMissing: Bool = false
        ) {
            self.namesMissing = namesMissing
            self.maximumName = maximumName
            self.isNested = isNested
            self.isListBrief = isListBrief
        }
    }

    /// `v2.1`
    public var id: String
    public var status: String
    /// Below the server's address, with the service's prefix; `nil` where the service is its own only version.
    public var path: String?
    public var microversions: ClosedRange<Microversion>?
    /// Since when it is as it is: RFC 3339.
    public var updated: String?
    /// `application/vnd.openstack.compute+json;version=2.1`
    public var mediaType: String?
    /// Where people read about it.
    public var documentation: String?

    public init(
        _ id: String, status: String = "CURRENT", path: String?, microversions: ClosedRange<Microversion>? = nil,
        updated: String? = nil, mediaType: String? = nil, documentation: String? = nil
    ) {
        self.id = id
        self.status = status
        self.path = path
        self.microversions = microversions
        self.updated = updated
        self.mediaType = mediaType
        self.documentation = documentation
    }

    /// `{"versions": [...]}`
    /// - Parameter baseURL: The server's address, as ``APICall/baseURL`` has it.
    public static func list(_ versions: [VersionDocument], _ style: Style = Style(), at baseURL: String) -> JSON {
        let views = JSON.array(versions.map { $0.view(style, isBrief: style.isListBrief, at: baseURL) })
        return ["versions": style.isNested ? ["values": views] : views]
    }

    /// `{"version": {...}}`
    public func alone(_ style: Style = Style(), at baseURL: String) -> JSON {
        ["version": view(style, isBrief: false, at: baseURL)]
    }

    private func view(_ style: Style, isBrief: Bool, at baseURL: String) -> JSON {
        var links: [JSON] = [["rel": "self", "href": JSON(path.map { baseURL + $0 } ?? "")]]
        if let documentation, !isBrief {
            links.append(["rel": "describedby", "type": "text/html", "href": JSON(documentation)])
        }
        var view: [String: JSON] = ["id": JSON(id), "status": JSON(status), "links": .array(links)]
        view["updated"] = updated.map(JSON.string)
        if let microversions {
            view["min_version"] = JSON(microversions.lowerBound.description)
            view[style.maximumName] = JSON(microversions.upperBound.description)
        } else if style.namesMissing {
            view["min_version"] = ""
            view[style.maximumName] = ""
        }
        if let mediaType, !isBrief {
            view["media-types"] = [["base": "application/json", "type": JSON(mediaType)]]
        }
        return .object(view)
    }
}
