import NIOHTTP1

/// What a container says of itself as a web site.
struct WebSite: Hashable, Sendable {
    var index: String?
    var error: String?
    var listings: Bool
    var styles: String?
    var label: String?

    /// - Returns: `nil` for a container that is none.
    init?(_ metadata: Metadata) {
        index = metadata["x-container-meta-web-index"]
        error = metadata["x-container-meta-web-error"]
        listings = metadata["x-container-meta-web-listings"]?.isTruthy ?? false
        styles = metadata["x-container-meta-web-listings-css"]
        label = metadata["x-container-meta-web-listings-label"]
        guard index != nil || error != nil || listings else { return nil }
    }
}

/// Containers as web sites, for those who come without a token, or say `X-Web-Mode: true`.
extension SwiftCall {
    /// - Returns: `nil` where the request is not one for a site's page.
    func webPage(_ name: ContainerName, object: ObjectName?) async throws -> ObjectResponse? {
        guard ["GET", "HEAD"].contains(request.method), signed == nil,
            authorization.who == nil || request.flag("x-web-mode"), let record = try await container(name),
            let site = WebSite(record.metadata)
        else { return nil }
        do {
            if let object { return try await page(object, site) }
            return try await folder(name, prefix: "", site)
        } catch let refusal as SwiftRefusal where [401, 404].contains(refusal.status) {
            guard let error = site.error else { throw refusal }
            let page = ObjectName(container: name, name: "\(refusal.status)\(error)")
            guard await mayRead(name), let record = try await self.object(page) else { throw refusal }
            return try await answer(page, record, status: refusal.status)
        }
    }

    private func page(_ name: ObjectName, _ site: WebSite) async throws -> ObjectResponse {
        if name.name.endsWithSlash { return try await folder(name.container, prefix: name.name, site) }
        try await authorizeObject(.read, in: name.container)
        if let record = try await object(name) { return try await answer(name, record, status: 200) }
        var query = ListingQuery()
        query.prefix = name.name + "/"
        query.limit = 1
        guard site.index != nil || site.listings,
            try await !store.objects(in: name.container, query).isEmpty
        else { throw SwiftRefusal(404) }
        return redirect()
    }

    private func redirect() -> ObjectResponse {
        ObjectResponse(301, headers: ["Location": "\(request.origin)\(request.path)/"])
    }

    private func folder(_ name: ContainerName, prefix: String, _ site: WebSite) async throws -> ObjectResponse {
        if prefix.isEmpty, !target.path.endsWithSlash, site.index != nil || site.listings { return redirect() }
        if let index = site.index {
            let page = ObjectName(container: name, name: prefix + index)
            try await authorizeObject(.read, in: name)
            if let record = try await object(page) { return try await answer(page, record, status: 200) }
        }
        try await authorizeContainer(.read, name)
        guard site.listings else { throw SwiftRefusal(404) }
        var query = ListingQuery()
        query.prefix = prefix
        query.delimiter = "/"
        let items = try await store.objects(in: name, query)
        guard prefix.isEmpty || !items.isEmpty else { throw SwiftRefusal(404) }
        let page = WebListing.page(items, below: prefix, path: target.path, site)
        return ObjectResponse(200, text: page, type: "text/html; charset=UTF-8")
    }
}

enum WebListing {
    static func page(_ items: [ListedObject], below prefix: String, path: String, _ site: WebSite) -> String {
        let title = "Listing of \(Markup.text(site.label.map { "\($0)/\(prefix)" } ?? path))"
        var out = """
            <!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">
            <html>
             <head>
              <title>\(title)</title>

            """
        if let styles = site.styles {
            let up = String(repeating: "../", count: prefix.count { $0 == "/" })
            let isElsewhere = styles.hasPrefix("/") || styles.hasPrefix("http://") || styles.hasPrefix("https://")
            let link = Markup.attribute(isElsewhere ? styles : up + styles)
            out += "  <link rel=\"stylesheet\" type=\"text/css\" href=\"\(link)\" />\n"
        }
        out += " </head>\n <body>\n  <h1 id=\"title\">\(title)</h1>\n  <table id=\"listing\">\n"
        out += "   <tr id=\"heading\"><th>Name</th><th>Size</th><th>Date</th></tr>\n"
        if !prefix.isEmpty { out += "   <tr id=\"parent\"><td colspan=\"3\"><a href=\"../\">../</a></td></tr>\n" }
        for item in items where item.name != prefix {
            let short = String(item.name.dropFirst(prefix.count))
            let link = "<a href=\"\(PercentText.encode(short))\">\(Markup.text(short))</a>"
            guard let record = item.record else {
                out += "   <tr class=\"item subdir\"><td>\(link)</td><td></td><td></td></tr>\n"
                continue
            }
            out += "   <tr class=\"item\"><td>\(link)</td><td>\(record.size)</td>"
            out += "<td>\(HTTPDate.lastModified(record.changed))</td></tr>\n"
        }
        return out + "  </table>\n </body>\n</html>\n"
    }
}
