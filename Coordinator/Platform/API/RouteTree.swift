import HTTPTypes

/// Finds the route for a method and a path: literal segments before parameters, with a way back where the literal one
/// has no such method (`DELETE /servers/detail` asks for a server of that name). Immutable once built.
package final class RouteTree: Sendable {
    package enum Match: Sendable {
        case route(Route, parameters: [String: String])
        /// The path exists with these methods only.
        case methodNotAllowed([String])
        case unknownPath
    }

    private struct Leaf: Sendable {
        let route: Route
        /// The names in the order of their segments.
        let names: [String]
    }

    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        var parameter: Int?
        var leaves: [String: Leaf] = [:]
        /// Routes whose last segment takes the rest of the path.
        var rest: [String: Leaf] = [:]
    }

    private let nodes: [Node]

    package init(_ routes: [Route]) {
        var nodes = [Node()]
        for route in routes { Self.insert(route, into: &nodes) }
        self.nodes = nodes
    }

    private static func insert(_ route: Route, into nodes: inout [Node]) {
        var index = 0
        var names: [String] = []
        for segment in route.path.split(separator: "/") {
            guard segment.first == "{", segment.last == "}" else {
                index = child(of: index, literal: String(segment), in: &nodes)
                continue
            }
            let name = segment.dropFirst().dropLast()
            if name.last == "*" {
                names.append(String(name.dropLast()))
                nodes[index].rest[route.method.rawValue] = Leaf(route: route, names: names)
                return
            }
            names.append(String(name))
            index = parameterChild(of: index, in: &nodes)
        }
        nodes[index].leaves[route.method.rawValue] = Leaf(route: route, names: names)
    }

    private static func child(of index: Int, literal: String, in nodes: inout [Node]) -> Int {
        if let found = nodes[index].literals[literal] { return found }
        nodes.append(Node())
        nodes[index].literals[literal] = nodes.count - 1
        return nodes.count - 1
    }

    private static func parameterChild(of index: Int, in nodes: inout [Node]) -> Int {
        if let found = nodes[index].parameter { return found }
        nodes.append(Node())
        nodes[index].parameter = nodes.count - 1
        return nodes.count - 1
    }

    /// - Parameter path: Below the service's prefix, without a query.
    package func find(_ method: HTTPRequest.Method, _ path: Substring) -> Match {
        let segments = path.split(separator: "/")
        var allowed = Set<String>()
        var values: [Substring] = []
        if let leaf = find(method.rawValue, segments[...], at: 0, values: &values, allowed: &allowed) {
            return .route(leaf.route, parameters: Self.parameters(leaf, values))
        }
        // A route for GET answers HEAD, too: same headers, no body (RFC 9110 section 9.3.2).
        if method == .head, allowed.contains("GET") {
            if let leaf = find("GET", segments[...], at: 0, values: &values, allowed: &allowed) {
                return .route(leaf.route, parameters: Self.parameters(leaf, values))
            }
        }
        return allowed.isEmpty ? .unknownPath : .methodNotAllowed(allowed.sorted())
    }

    private func find(
        _ method: String, _ segments: ArraySlice<Substring>, at index: Int, values: inout [Substring],
        allowed: inout Set<String>
    ) -> Leaf? {
        let node = nodes[index]
        guard let segment = segments.first else {
            if let leaf = node.leaves[method] { return leaf }
            allowed.formUnion(node.leaves.keys)
            return nil
        }
        if let next = node.literals[String(segment)],
            let leaf = find(method, segments.dropFirst(), at: next, values: &values, allowed: &allowed)
        {
            return leaf
        }
        if let next = node.parameter {
            values.append(segment)
            if let leaf = find(method, segments.dropFirst(), at: next, values: &values, allowed: &allowed) {
                return leaf
            }
            values.removeLast()
        }
        guard !node.rest.isEmpty, let last = segments.last else { return nil }
        allowed.formUnion(node.rest.keys)
        guard let leaf = node.rest[method] else { return nil }
        values.append(segment.base[segment.startIndex..<last.endIndex])
        return leaf
    }

    private static func parameters(_ leaf: Leaf, _ values: [Substring]) -> [String: String] {
        guard !values.isEmpty else { return [:] }
        return Dictionary(
            zip(leaf.names, values.map { PercentCoding.decode($0) }), uniquingKeysWith: { _, last in last })
    }
}
