import CoordinatorPlatform

extension ListDialect {
    /// How Glance's lists are asked for and answered.
    /// - Parameters:
    ///   - path: Of the list, for links.
    ///   - schema: Of the document that describes the list.
    ///   - limitDefault: `nil` lists everything.
    ///   - ending: What makes the order total.
    ///   - sortKeys: Named where a key is none of them; `nil` says only that.
    ///   - unknownMarker: The refusal of a marker that is not there.
    package static func glance(
        path: String, schema: String, limitDefault: Int?, limitMaximum: Int, ending: [String], sortKeys: [String]?,
        unknownMarker: @escaping @Sendable (String) -> APIError
    ) -> ListDialect {
        ListDialect(
            limitDefault: limitDefault.map { min($0, limitMaximum) }, limitMaximum: limitMaximum,
            directions: .oneOrEach(isAscending: false), sortDefault: "created_at", sortEnding: ending,
            flag: { ["true": true, "false": false][$0] },
            refusal: { fault in
                switch fault {
                case .limit(let text):
                    .badRequest("limit param must be \(Int(text) == nil ? "an integer" : "positive")")
                case .unknownFilters: nil
                case .flag(let name, let value):
                    .badRequest(
                        "Invalid value '\(value)' for '\(name)' filter. Valid values are 'true' or 'false'.")
                case .unknownSortKeys(let keys):
                    .badRequest(
                        sortKeys.map { names in
                            """
                            Invalid sort key: \(keys[0]). It must be one of the following: \
                            \(names.joined(separator: ", ")).
                            """
                        } ?? "Sort key supplied was not valid.")
                case .sortDirections(let words): .badRequest("Invalid sort direction: \(words[0])")
                case .sortCount: .badRequest("Number of sort dirs does not match the number of sort keys")
                case .unknownMarker(let marker): unknownMarker(marker)
                case .tooMany(let what, let most): .badRequest("A list takes at most \(most) \(what).")
                }
            },
            links: { page, call in
                var links: [String: JSON] = [
                    "schema": JSON("/v2/schemas/\(schema)"), "first": JSON(path + call.query(marker: nil))
                ]
                if let last = page.last, page.isFull { links["next"] = JSON(path + call.query(marker: last)) }
                return links
            })
    }
}

extension APICall {
    /// What has a value: some of Glance's lists pass over the rest.
    var givenQuery: [(name: String, value: String)] { query.filter { !$0.value.isEmpty } }
}
