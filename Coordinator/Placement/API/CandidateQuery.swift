import CoordinatorPlatform
import ProtocolModel

/// Reads the query of `GET /allocation_candidates`: groups of resources, and what holds for all of them.
package struct CandidateQuery {
    private let call: APICall
    private let kinds = ["resources", "required", "member_of", "in_tree"]

    /// - Throws: ``APIError`` 400.
    package static func read(_ call: APICall) throws -> CandidateRequest {
        let query = CandidateQuery(call: call)
        try query.checkNames()
        try query.checkValues()
        var request = CandidateRequest(groups: [])
        try query.readWide(&request)
        request.groups = try query.groups()
        try query.check(request)
        return request
    }

    private init(call: APICall) { self.call = call }

    // MARK: Names and forms

    private var wide: Set<String> {
        var names: Set<String> = []
        if call.isAtLeast(16) { names.insert("limit") }
        if call.isAtLeast(25) { names.insert("group_policy") }
        if call.isAtLeast(35) { names.insert("root_required") }
        if call.isAtLeast(36) { names.insert("same_subtree") }
        return names
    }

    /// The parameters of a group that the version has.
    private var known: [String] {
        kinds.filter { kind in
            switch kind {
            case "required": call.isAtLeast(17)
            case "member_of": call.isAtLeast(21)
            case "in_tree": call.isAtLeast(31)
            default: true
            }
        }
    }

    private func checkNames() throws {
        guard call.isAtLeast(25) else {
            try PlacementQuery.only(wide.union(known), call)
            guard call.query("resources") != nil else {
                throw PlacementQuery.invalid("'resources' is a required property")
            }
            return
        }
        let unknown = Set(call.query.map(\.name).filter { !wide.contains($0) && split($0) == nil }).sorted()
        guard unknown.isEmpty else {
            let suffix = call.isAtLeast(33) ? "[a-zA-Z0-9_-]{1,64}" : "[1-9][0-9]*"
            throw PlacementQuery.invalid(
                "\(unknown.map { "'\($0)'" }.joined(separator: ", ")) \(unknown.count == 1 ? "does" : "do") not match "
                    + "any of the regexes: \(known.sorted().map { "'^\($0)(\(suffix))?$'" }.joined(separator: ", "))")
        }
    }

    /// Takes `resources_NET` apart.
    private func split(_ name: String) -> (kind: String, suffix: String)? {
        guard let kind = known.first(where: { name.hasPrefix($0) }) else { return nil }
        let suffix = name.dropFirst(kind.count)
        guard !suffix.isEmpty else { return (kind, "") }
        guard call.isAtLeast(25) else { return nil }
        let isRight =
            call.isAtLeast(33)
            ? suffix.utf8.count <= 64 && suffix.utf8.allSatisfy(Self.isWordly)
            : suffix.utf8.first != 48 && suffix.utf8.allSatisfy { (48...57).contains($0) }
        return isRight ? (kind, String(suffix)) : nil
    }

    private static func isWordly(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95 || byte == 45
    }

    private func checkValues() throws {
        if let limit = PlacementQuery.last("limit", call) {
            guard limit.utf8.first != 48, !limit.isEmpty, limit.utf8.allSatisfy({ (48...57).contains($0) }) else {
                throw PlacementQuery.invalid("'\(limit)' does not match '^[1-9][0-9]*$'")
            }
        }
        if let policy = PlacementQuery.last("group_policy", call), !["none", "isolate"].contains(policy) {
            throw PlacementQuery.invalid("'\(policy)' is not one of ['none', 'isolate']")
        }
    }

    // MARK: What holds for all groups

    private func readWide(_ request: inout CandidateRequest) throws {
        request.limit = call.query("limit").map { Int($0) ?? Int.max }
        request.isIsolated = call.query("group_policy") == "isolate"
        request.isNested = call.isAtLeast(29)
        let roots = call.queryAll("root_required")
        guard roots.count < 2 else {
            throw APIError.badRequest(
                "Query parameter 'root_required' may be specified only once.", type: PlacementCode.duplicateKey)
        }
        if let text = roots.first {
            request.root = try PlacementQuery.traits(text, mayForbid: true, mayChoose: false)
            let conflicts = Set(request.root.conflicts.flatMap { $0 }).sorted()
            guard conflicts.isEmpty else {
                throw APIError.badRequest(
                    "Conflicting required and forbidden traits found in root_required: "
                        + conflicts.joined(separator: ", "), type: PlacementCode.badValue)
            }
        }
        request.subtrees = try call.queryAll("same_subtree").map { text in
            let suffixes = Set(
                text.split(separator: ",", omittingEmptySubsequences: false).map {
                    PlacementQuery.trimmed(String($0))
                })
            guard !suffixes.contains("") else {
                throw APIError.badRequest(
                    "Empty string (unsuffixed group) can not be specified in `same_subtree` ",
                    type: PlacementCode.badValue)
            }
            return suffixes
        }
    }

    // MARK: Groups

    /// In order of their first mention.
    private func groups() throws -> [CandidateRequest.Group] {
        var order: [String] = []
        for name in call.query.map(\.name) {
            if let suffix = split(name)?.suffix, !order.contains(suffix) { order.append(suffix) }
        }
        return try order.map { suffix in
            CandidateRequest.Group(
                suffix: suffix,
                resources: try PlacementQuery.last("resources\(suffix)", call).map(PlacementQuery.resources) ?? [:],
                traits: try PlacementQuery.traits(call, suffix: suffix),
                aggregates: try PlacementQuery.aggregates(call, suffix: suffix),
                tree: try PlacementQuery.last("in_tree\(suffix)", call).map(PlacementQuery.tree))
        }
    }

    private func check(_ request: CandidateRequest) throws {
        if call.isAtLeast(36) { try checkSubtrees(request) } else { try checkOrphans(request.groups) }
        if call.isAtLeast(22) {
            let conflicts = request.groups.flatMap { group in
                group.traits.conflicts.map { "required\(group.suffix): (\($0.sorted().joined(separator: ", ")))" }
            }
            guard conflicts.isEmpty else {
                throw APIError.badRequest(
                    "Conflicting required and forbidden traits found in the following traits keys: "
                        + conflicts.sorted().joined(separator: ", "))
            }
        }
        guard call.query("group_policy") != nil || request.groups.count(where: \.isGranular) < 2 else {
            throw APIError.badRequest(
                "The \"group_policy\" parameter is required when specifying more than one \"resources{N}\" parameter.")
        }
    }

    private func checkSubtrees(_ request: CandidateRequest) throws {
        let empty = request.groups.filter(\.resources.isEmpty).map(\.suffix)
        guard empty.count < request.groups.count else {
            throw APIError.badRequest(
                "There must be at least one resources or resources[$S] parameter.", type: PlacementCode.missingValue)
        }
        let named = request.subtrees.reduce(into: Set<String>()) { $0.formUnion($1) }
        let strays = empty.filter { !named.contains($0) }
        guard strays.isEmpty else {
            throw APIError.badRequest(
                "Resourceless suffixed group request should be specified in `same_subtree` query param: bad group(s) - "
                    + "\(Self.list(strays)).", type: PlacementCode.badValue)
        }
        let suffixes = request.groups.map(\.suffix)
        let unreal = named.subtracting(suffixes).sorted()
        guard unreal.isEmpty else {
            throw APIError.badRequest(
                "Real suffixes should be specified in `same_subtree`: \(Self.list(unreal)) not found in "
                    + "\(Self.list(suffixes)).", type: PlacementCode.badValue)
        }
    }

    /// Before 1.36 every group is there for its resources.
    private func checkOrphans(_ groups: [CandidateRequest.Group]) throws {
        let empty = groups.filter(\.resources.isEmpty)
        let traits = empty.filter { !$0.traits.required.isEmpty }.map { "required\($0.suffix)" }
        guard traits.isEmpty else {
            throw APIError.badRequest(
                "All traits parameters must be associated with resources.  Found the following orphaned traits keys: "
                    + traits.joined(separator: ", "))
        }
        let aggregates = empty.filter { !$0.aggregates.isEmpty }.map { "member_of\($0.suffix)" }
        guard aggregates.isEmpty else {
            throw APIError.badRequest(
                "All member_of parameters must be associated with resources. Found the following orphaned member_of "
                    + "keys: \(aggregates.joined(separator: ", "))")
        }
        guard empty.isEmpty else { throw APIError.badRequest("All request groups must specify resources.") }
        guard !groups.isEmpty else {
            throw APIError.badRequest(
                "At least one request group (`resources` or `resources{$S}`) is required.")
        }
    }

    private static func list(_ words: [String]) -> String {
        "[\(words.map { "'\($0)'" }.joined(separator: ", "))]"
    }
}
