import CoordinatorPlatform
import ProtocolModel

/// Reads parameters of queries, with the words of Placement for what is wrong with them.
package enum PlacementQuery {
    static func invalid(_ what: String) -> APIError { .badRequest("Invalid query string parameters: \(what)") }

    static func only(_ allowed: Set<String>, _ call: APICall) throws {
        let unknown = Set(call.query.map(\.name)).subtracting(allowed).sorted().map { "'\($0)'" }
        guard unknown.isEmpty else {
            throw invalid(
                "Additional properties are not allowed (\(unknown.joined(separator: ", ")) "
                    + "\(unknown.count == 1 ? "was" : "were") unexpected)")
        }
    }

    /// Where a parameter is repeated that may not be, the last one counts.
    static func last(_ name: String, _ call: APICall) -> String? { call.queryAll(name).last }

    /// `GET /resource_providers`.
    package static func providers(_ call: APICall) throws -> ProviderFilter {
        var allowed: Set<String> = ["name", "uuid"]
        if call.isAtLeast(3) { allowed.insert("member_of") }
        if call.isAtLeast(4) { allowed.insert("resources") }
        if call.isAtLeast(14) { allowed.insert("in_tree") }
        if call.isAtLeast(18) { allowed.insert("required") }
        try only(allowed, call)
        var filter = ProviderFilter()
        filter.name = last("name", call)
        filter.uuid = try last("uuid", call).map(uuid)
        filter.tree = try last("in_tree", call).map(uuid)
        filter.resources = try last("resources", call).map(resources) ?? [:]
        filter.traits = try traits(call)
        filter.aggregates = try aggregates(call)
        return filter
    }

    private static func uuid(_ text: String) throws -> String {
        guard let id = AnyID(text) else { throw invalid("'\(text)' is not a 'uuid'") }
        return id.text
    }

    static func tree(_ text: String) throws -> String {
        guard let id = AnyID(trimmed(text)) else {
            throw invalid("Expected 'in_tree' parameter to be a format of uuid. Got: \(text)")
        }
        return id.text
    }

    static func flag(_ text: String) throws -> Bool {
        switch text.lowercased() {
        case "true": true
        case "false": false
        default: throw APIError.badRequest("The query parameter \"associated\" only accepts \"true\" or \"false\"")
        }
    }

    /// `in:A,B` or `startswith:C`.
    static func traitNames(_ text: String) throws -> @Sendable (String) -> Bool {
        if text.hasPrefix("in:") {
            let wanted = Set(text.dropFirst(3).split(separator: ",").map(String.init))
            return { wanted.contains($0) }
        }
        if text.hasPrefix("startswith:") {
            let beginning = String(text.dropFirst(11))
            return { $0.hasPrefix(beginning) }
        }
        throw APIError.badRequest(
            "Badly formatted name parameter. Expected name query string parameter in form: "
                + "?name=[in|startswith]:[name1,name2|prefix]. Got: \"\(text)\"")
    }

    /// `VCPU:1,MEMORY_MB:512`.
    static func resources(_ text: String) throws -> [String: Int] {
        let form =
            "Badly formed resources parameter. Expected resources query string parameter in form: "
            + "?resources=VCPU:2,MEMORY_MB:1024. Got: "
        guard !trimmed(text).isEmpty else { throw APIError.badRequest("\(form)empty string.") }
        var result: [String: Int] = [:]
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw APIError.badRequest("\(form)\(item).") }
            guard let amount = Int(trimmed(String(parts[1]))) else {
                throw APIError.badRequest(
                    "Requested resource \(parts[0]) expected positive integer amount. Got: \(parts[1]).")
            }
            guard amount > 0 else {
                throw APIError.badRequest("Requested resource \(parts[0]) requires amount >= 1. Got: \(amount).")
            }
            result[String(parts[0])] = amount
        }
        return result
    }

    // MARK: Traits

    /// What all `required` of a group ask for together; before 1.39 only the last one counts.
    static func traits(_ call: APICall, suffix: String = "") throws -> NameFilter {
        let values = call.queryAll("required\(suffix)")
        var filter = NameFilter()
        for text in call.isAtLeast(39) ? values : values.suffix(1) {
            let one = try traits(text, mayForbid: call.isAtLeast(22), mayChoose: call.isAtLeast(39))
            filter.required += one.required
            filter.forbidden.formUnion(one.forbidden)
        }
        return filter
    }

    /// - Parameters:
    ///   - mayForbid: Whether `!A` is known.
    ///   - mayChoose: Whether `in:A,B` is.
    static func traits(_ text: String, mayForbid: Bool, mayChoose: Bool) throws -> NameFilter {
        if text.hasPrefix("in:") { return try oneOf(text, isKnown: mayChoose) }
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map { trimmed(String($0)) }
        let forbidden = names.filter { $0.hasPrefix("!") }.map { String($0.drop { $0 == "!" }) }
        guard (names + forbidden).allSatisfy({ !$0.isEmpty }) else {
            throw invalid(
                "Expected 'required' parameter value of the form: HW_CPU_X86_VMX,\(mayForbid ? "!" : "")CUSTOM_MAGIC. "
                    + "Got an empty trait in: \(text)")
        }
        guard mayForbid || forbidden.isEmpty else {
            throw invalid(
                "Expected 'required' parameter value of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC. Got: \(text)")
        }
        return NameFilter(required: names.filter { !$0.hasPrefix("!") }.map { [$0] }, forbidden: Set(forbidden))
    }

    private static func oneOf(_ text: String, isKnown: Bool) throws -> NameFilter {
        let form = "The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC'"
        guard isKnown else { throw invalid("\(form) only supported since microversion 1.39. Got: \(text)") }
        let names = text.dropFirst(3).split(separator: ",", omittingEmptySubsequences: false).map {
            trimmed(String($0))
        }
        guard names.allSatisfy({ !$0.isEmpty }) else {
            throw invalid(
                "Expected 'required' parameter value of the form: in:HW_CPU_X86_VMX,CUSTOM_MAGIC. Got an empty trait in: "
                    + text)
        }
        guard names.allSatisfy({ !$0.hasPrefix("!") }) else {
            throw invalid("\(form) does not support forbidden traits. Got: \(text)")
        }
        return NameFilter(required: [Set(names)])
    }

    // MARK: Aggregates

    /// What all `member_of` of a group ask for together.
    static func aggregates(_ call: APICall, suffix: String = "") throws -> NameFilter {
        let values = call.queryAll("member_of\(suffix)")
        guard values.count < 2 || call.isAtLeast(24) else {
            throw APIError.badRequest("Multiple member_of\(suffix) parameters are not supported")
        }
        var filter = NameFilter()
        for text in values {
            let one = try aggregates(text)
            guard one.forbidden.isEmpty || call.isAtLeast(32) else {
                throw APIError.badRequest(
                    "Forbidden member_of\(suffix) parameters are not supported in the specified microversion")
            }
            filter.required += one.required
            filter.forbidden.formUnion(one.forbidden)
        }
        return filter
    }

    /// `A`, `!A`, `in:A,B` or `!in:A,B`.
    static func aggregates(_ text: String) throws -> NameFilter {
        let isForbidden = text.hasPrefix("!")
        let rest = isForbidden ? text.dropFirst() : text[...]
        let isList = rest.hasPrefix("in:")
        guard isList || !text.contains(",") else {
            throw APIError.badRequest(
                "Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword using the valid "
                    + "microversion. Got: \(text)")
        }
        let names = try (isList ? rest.dropFirst(3) : rest).split(separator: ",", omittingEmptySubsequences: false)
            .map { name in
                guard let id = AnyID(name) else {
                    throw invalid("Expected 'member_of' parameter to contain valid UUID(s). Got: \(name)")
                }
                return id.text
            }
        return isForbidden ? NameFilter(forbidden: Set(names)) : NameFilter(required: [Set(names)])
    }

    static func trimmed(_ text: String) -> String {
        let rest = text.drop { $0.isWhitespace }
        return String(rest.reversed().drop { $0.isWhitespace }.reversed())
    }
}
