import CoordinatorPlatform

/// Reads what the lists of metadata definitions are asked for.
enum MetadefRequest {
    /// - Parameters:
    ///   - limitDefault: `nil` lists everything.
    ///   - sortKeys: What the list can be sorted by.
    /// - Throws: ``APIError`` 400.
    static func page(
        _ call: APICall, limitDefault: Int?, limitMaximum: Int, sortKeys: [MetadefPage.SortKey]
    ) throws -> MetadefPage {
        var page = MetadefPage()
        page.limit = limitDefault
        if let text = call.query("limit"), !text.isEmpty {
            guard let limit = Int(text) else { throw APIError.badRequest("limit param must be an integer") }
            guard limit >= 0 else { throw APIError.badRequest("limit param must be positive") }
            page.limit = min(limit, limitMaximum)
        }
        if let marker = call.query("marker"), !marker.isEmpty { page.marker = marker }
        if let key = call.query("sort_key") {
            guard let known = MetadefPage.SortKey(rawValue: key), sortKeys.contains(known) else {
                let names = sortKeys.map(\.rawValue).joined(separator: ", ")
                throw APIError.badRequest("Invalid sort key: \(key). It must be one of the following: \(names).")
            }
            page.sortKey = known
        }
        if let direction = call.query("sort_dir") {
            guard direction == "asc" || direction == "desc" else {
                throw APIError.badRequest("Invalid sort direction: \(direction)")
            }
            page.ascending = direction == "asc"
        }
        if let text = call.query("visibility"), !text.isEmpty {
            guard let visibility = MetadefNamespace.Visibility(rawValue: text) else {
                throw APIError.badRequest("Invalid visibility value: \(text)")
            }
            page.visibility = visibility
        }
        page.resourceTypes = call.query("resource_types")?.split(separator: ",").map(String.init)
        return page
    }
}
