import CoordinatorPlatform

/// How Neutron's calls are read and answered.
enum Neutron {
    static let list = ListDialect(
        limitMaximum: 10_000, zeroMeansAll: true, refusal: refusal,
        links: { page, call in
            guard page.query.limit != nil else { return [:] }
            var links: [JSON] = []
            let isReversed = page.query.isReversed
            if let last = page.last, page.isFull || isReversed { links.append(link("next", last, false, call)) }
            if let first = page.first, page.query.marker != nil, page.isFull || !isReversed {
                links.append(link("previous", first, true, call))
            }
            return links.isEmpty ? [:] : ["\(page.collection)_links": .array(links)]
        })

    static let conventions = ResourceConventions(
        list: list, body: bodyWords, takesMany: true, selectsFields: true, refused: refused,
        rule: { verb, names in "\(verb == .list ? "get" : verb.rawValue)_\(names.singular)" })

    /// The members that `fields` asks for; all where it asks for none.
    static func selected(_ members: View.Members, _ call: APICall) -> JSON {
        let fields = Set(call.queryAll("fields"))
        return .object(fields.isEmpty ? members : members.filter { fields.contains($0.key) })
    }

    private static func link(_ relation: String, _ marker: String, _ isReversed: Bool, _ call: APICall) -> JSON {
        let kept = call.query.filter { $0.name != "marker" && $0.name != "page_reverse" }
        let added = [(name: "marker", value: marker)] + (isReversed ? [(name: "page_reverse", value: "True")] : [])
        return ["rel": JSON(relation), "href": JSON("\(call.baseURL)\(call.path)\(PercentCoding.text(kept + added))")]
    }

    @Sendable private static func refusal(_ fault: ListDialect.Fault) -> APIError? {
        func quoted(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }
        return switch fault {
        case .limit(let text):
            .badRequest(
                "Bad limit request: Limit must be an integer 0 or greater and not '\(text)'.", type: "BadRequest")
        case .unknownFilters(let names): .http("[\(quoted(names))] is invalid attribute for filtering")
        case .flag: nil
        case .unknownSortKeys(let names): .http("[\(quoted(names))] is invalid attribute for sort_keys")
        case .sortDirections(let words):
            .http("[\(quoted(words))] is invalid value for sort_dirs, valid value is 'asc' and 'desc'")
        case .sortCount: .http("The number of sort_keys and sort_dirs must be same")
        case .unknownMarker(let id): .notFound("The marker \(id) could not be found.", type: "HTTPNotFound")
        case .tooMany(let what, let most): .http("A list takes at most \(most) \(what)")
        }
    }

    /// What the service throws of more than one API's concern.
    @Sendable static func refused(_ error: any Error) -> any Error {
        switch error {
        case let refusal as AddressRefusal: refusal.neutron
        case let excess as QuotaExceeded:
            APIError.conflict(
                "Quota exceeded for resources: [\(excess.excesses.map { "'\($0.name)'" }.joined(separator: ", "))].",
                type: "OverQuota")
        default: error
        }
    }
}

extension APICall {
    func viewer() throws -> Viewer { Viewer(try requireCaller()) }
}
