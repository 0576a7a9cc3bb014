extension ListDialect {
    /// Reads a list call's query.
    /// - Throws: ``APIError`` in the service's words.
    public func read(_ call: APICall, _ schema: ListSchema) throws(APIError) -> ListQuery {
        try read(call.query, schema)
    }

    public func read(
        _ query: [(name: String, value: String)], _ schema: ListSchema
    ) throws(APIError) -> ListQuery {
        try read(
            query, isFilter: schema.isFilter, isFlag: { schema.columns[$0]?.kind == .flag },
            isSort: schema.isSort)
    }

    /// The same for lists that are kept in memory.
    public func read(
        _ query: [(name: String, value: String)], isFilter: (String) -> Bool, isFlag: (String) -> Bool = { _ in false },
        isSort: (String) -> Bool = { _ in false }
    ) throws(APIError) -> ListQuery {
        var result = ListQuery()
        result.filters = try filters(query, isFilter, isFlag)
        result.sorts = try sorts(query, isSort)
        result.limit = try limit(query)
        result.marker = Self.first("marker", query).flatMap { $0.isEmpty ? nil : $0 }
        result.isReversed =
            control.contains("page_reverse") && Self.first("page_reverse", query).flatMap { flag($0) } ?? false
        return result
    }

    /// The page's length that was asked for; `nil` for all.
    public func limit(_ query: [(name: String, value: String)]) throws(APIError) -> Int? {
        guard let text = Self.first("limit", query) else { return limitDefault }
        guard let limit = Int(text), limit >= 0 else {
            if let refusal = refusal(.limit(text)) { throw refusal }
            return limitDefault
        }
        if limit == 0, zeroMeansAll { return limitDefault }
        return min(limit, limitMaximum)
    }

    private func filters(
        _ query: [(name: String, value: String)], _ isFilter: (String) -> Bool, _ isFlag: (String) -> Bool
    ) throws(APIError) -> [ListQuery.Filter] {
        var filters: [ListQuery.Filter] = []
        var unknown: [String] = []
        for (name, value) in query where !control.contains(name) {
            var filter = comparison(name, value)
            guard isFilter(filter.name) else {
                if !unknown.contains(name) { unknown.append(name) }
                continue
            }
            if isFlag(filter.name) {
                filter.values = try filter.values.map { value throws(APIError) in try word(value, name) }
            }
            let twin = filters.firstIndex { $0.name == filter.name && $0.comparison == filter.comparison }
            if let twin, !repeatsNarrow { filters[twin].values += filter.values } else { filters.append(filter) }
        }
        if !unknown.isEmpty, let refusal = refusal(.unknownFilters(unknown)) { throw refusal }
        try bound(filters.reduce(0) { $0 + $1.values.count }, Self.mostFilters * 16, "filter values")
        try bound(filters.count, Self.mostFilters, "filters")
        return filters
    }

    private func word(_ value: String, _ name: String) throws(APIError) -> String {
        try readFlag(value, of: name).map { $0 ? "true" : "false" } ?? value
    }

    /// - Returns: `nil` for what is neither of the service's words, where it passes over that.
    public func readFlag(_ value: String, of name: String) throws(APIError) -> Bool? {
        if let flag = flag(value) { return flag }
        if let refusal = refusal(.flag(name: name, value: value)) { throw refusal }
        return nil
    }

    private func sorts(
        _ query: [(name: String, value: String)], _ isSort: (String) -> Bool
    ) throws(APIError) -> [ListQuery.Sort] {
        var keys = query.filter { $0.name == "sort_key" }.map(\.value)
        let directions = query.filter { $0.name == "sort_dir" }.map(\.value)
        try bound(keys.count, Self.mostSorts, "sort keys")
        if keys.isEmpty, let sortDefault { keys = [sortDefault] }
        let wrong = directions.filter { $0 != "asc" && $0 != "desc" }
        let unknown = keys.filter { !isSort($0) }
        if !unknown.isEmpty, let refusal = refusal(.unknownSortKeys(unknown)) { throw refusal }
        if !wrong.isEmpty, let refusal = refusal(.sortDirections(wrong)) { throw refusal }
        let fallback: Bool
        switch self.directions {
        case .matched(let isAscending):
            if !directions.isEmpty, directions.count != keys.count, let refusal = refusal(.sortCount) { throw refusal }
            fallback = isAscending
        case .oneOrEach(let isAscending):
            if directions.count > 1, directions.count != keys.count, let refusal = refusal(.sortCount) { throw refusal }
            fallback = directions.count == 1 ? directions[0] == "asc" : isAscending
        case .lastRepeats(let isAscending): fallback = directions.last.map { $0 == "asc" } ?? isAscending
        }
        let given = keys.enumerated().filter { isSort($0.element) }.map { place, key in
            ListQuery.Sort(key, isAscending: place < directions.count ? directions[place] == "asc" : fallback)
        }
        return ended(given, fallback)
    }

    /// Without repetitions, and no further than to what makes the order total.
    private func ended(_ given: [ListQuery.Sort], _ isAscending: Bool) -> [ListQuery.Sort] {
        guard let last = sortEnding.last else { return given }
        var order: [ListQuery.Sort] = []
        for sort in given + sortEnding.map({ ListQuery.Sort($0, isAscending: isAscending) })
        where !order.contains(where: { $0.name == sort.name || $0.name == last }) {
            order.append(sort)
        }
        return order
    }

    private func bound(_ count: Int, _ most: Int, _ what: String) throws(APIError) {
        guard count > most else { return }
        throw refusal(.tooMany(what: what, most: most)) ?? .badRequest("A list takes at most \(most) \(what).")
    }

    static func first(_ name: String, _ query: [(name: String, value: String)]) -> String? {
        query.first { $0.name == name }?.value
    }
}

extension ListDialect {
    /// Runs a list, with a marker that is not there refused in the service's words.
    public func found<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as UnknownMarker {
            throw refusal(.unknownMarker(error.marker)) ?? .badRequest("Marker \(error.marker) could not be found.")
        }
    }

    /// The answer to a list call out of memory: whole lists in the order of names, pages in that of identities.
    /// - Throws: ``APIError`` in the service's words.
    public func answer(
        _ items: [(id: String, members: [String: JSON])], _ collection: String, filters: Set<String>,
        flags: Set<String> = [], _ call: APICall,
        _ show: ([String: JSON], APICall) -> JSON = { members, _ in .object(members) }
    ) throws -> APIResponse {
        let query = try read(call.query, isFilter: filters.contains, isFlag: flags.contains)
        let isWhole = query.limit == nil && query.marker == nil
        let matching = items.filter { item in query.filters.allSatisfy { $0.matches(item.members[$0.name]) } }
            .map { item in (name: isWhole ? item.members["name"]?.stringValue ?? item.id : "", item: item) }
            .sorted { ($0.name, $0.item.id) < ($1.name, $1.item.id) }.map(\.item)
        let (page, goesOn) = try found { try query.page(of: matching, by: \.id) }
        return answer(
            ListPage(collection: collection, identities: page.map(\.id), query: query, goesOn: goesOn),
            page.map { show($0.members, call) }, call)
    }

    /// The answer: the items, and what stands beside them.
    public func answer(_ page: ListPage, _ items: [JSON], _ call: APICall) -> APIResponse {
        var body = links(page, call)
        body[page.collection] = .array(items)
        return .json(.object(body))
    }
}

extension APICall {
    /// The query of a further page, with a question mark: what was asked, from another marker on.
    /// - Parameter added: Further parameters, which take the place of those of the same name.
    public func query(marker: String?, adding added: [(name: String, value: String)] = []) -> String {
        let replaced = Set(["marker"] + added.map(\.name))
        var pairs = query.filter { !replaced.contains($0.name) }
        if let marker { pairs.append((name: "marker", value: marker)) }
        return PercentCoding.text(pairs + added)
    }
}

extension PercentCoding {
    /// Pairs as a query, with its question mark; nothing without any.
    public static func text(_ pairs: [(name: String, value: String)]) -> String {
        guard !pairs.isEmpty else { return "" }
        return "?" + pairs.map { "\(encode($0.name))=\(encode($0.value))" }.joined(separator: "&")
    }
}
