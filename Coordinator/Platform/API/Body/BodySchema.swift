/// The members of one object in a request's body, and where each goes: what a body may hold is said once, and what comes
/// out has types.
///
///     static let schema = BodySchema(blank: KeypairDraft(), [
///         .required("name", \.name, .text(1...255, .keypairName)),
///         .optional("type", \.type, .word(of: ["ssh", "x509"]), since: 2),
///         .nullable("description", \.description, .text(0...255))
///     ])
///     let draft = try Self.schema.read(body, under: "keypair", call.microversion, wording: Nova.body)
public struct BodySchema<Body: Sendable>: Sendable {
    /// What becomes of members that there are not.
    public enum Unknown: Sendable {
        case refused
        case ignored
        /// For services whose resources take any member.
        case kept(any WritableKeyPath<Body, [String: JSON]> & Sendable)
    }

    public let fields: [BodyField<Body>]
    private let blank: Body
    private let unknown: Unknown
    /// Members of the resource that this call does not take, which some services tell from unknown ones.
    private let notAllowed: Set<String>
    /// Whether unknown members are told before missing ones.
    private let tellsUnknownFirst: Bool

    public init(
        blank: Body, unknown: Unknown = .refused, notAllowed: Set<String> = [], tellsUnknownFirst: Bool = false,
        _ fields: [BodyField<Body>]
    ) {
        self.fields = fields
        self.blank = blank
        self.unknown = unknown
        self.notAllowed = notAllowed
        self.tellsUnknownFirst = tellsUnknownFirst
    }

    /// Reads the object in a member of a body that holds nothing else.
    /// - Parameter isAlone: Whether members beside it are refused.
    /// - Throws: ``APIError`` in the service's words.
    public func read(
        _ body: JSON, under name: String, _ version: Microversion = Microversion(0, 0), isAlone: Bool = true,
        wording: BodyWording
    ) throws(APIError) -> Body {
        do throws(BodyFailure) {
            guard case .object(let members) = body else { throw BodyFailure(.wrongType(["object"]), body) }
            guard let inner = members[name] else { throw BodyFailure(.missing(name), body) }
            let others = members.keys.filter { $0 != name }.sorted()
            if isAlone, !others.isEmpty { throw BodyFailure(.unexpected(others), body) }
            BodyTrace.current?.enter(name)
            defer { BodyTrace.current?.leave() }
            do { return try read(inner, version) } catch { throw error.below(name) }
        } catch { throw wording(error) }
    }

    /// Reads the body itself.
    /// - Throws: ``APIError`` in the service's words.
    public func read(
        _ body: JSON, _ version: Microversion = Microversion(0, 0), wording: BodyWording
    ) throws(APIError) -> Body {
        do { return try read(body, version) } catch { throw wording(error) }
    }

    /// Reads a change of something that there is: nothing is required, and what is not said stays.
    public func read(
        _ json: JSON, over old: Body, _ version: Microversion = Microversion(0, 0)
    ) throws(BodyFailure) -> Body {
        try read(json, version, from: old, isChange: true)
    }

    /// The object as part of another.
    public func format(_ version: Microversion = Microversion(0, 0)) -> BodyFormat<Body> {
        BodyFormat { json throws(BodyFailure) in try read(json, version) }
    }

    public func read(_ json: JSON, _ version: Microversion) throws(BodyFailure) -> Body {
        try read(json, version, from: blank, isChange: false)
    }

    private func read(
        _ json: JSON, _ version: Microversion, from start: Body, isChange: Bool
    ) throws(BodyFailure) -> Body {
        guard case .object(let members) = json else { throw BodyFailure(.wrongType(["object"]), json) }
        let fields = fields.filter { $0.versions.contains(version.minor) }
        let trace = BodyTrace.current
        trace?.note(fields.map(\.name))
        var body = start
        let extra = members.filter { member in !fields.contains { $0.name == member.key } }
        if tellsUnknownFirst { try judge(extra, json, &body) }
        for field in fields where !isChange && field.isRequired && members[field.name] == nil {
            throw BodyFailure(.missing(field.name), json)
        }
        if !tellsUnknownFirst { try judge(extra, json, &body) }
        for field in fields {
            guard let member = members[field.name] else { continue }
            trace?.enter(field.name)
            defer { trace?.leave() }
            do { try field.apply(member, &body) } catch { throw error.below(field.name) }
        }
        return body
    }

    private func judge(_ extra: [String: JSON], _ json: JSON, _ body: inout Body) throws(BodyFailure) {
        switch unknown {
        case .ignored: return
        case .kept(let path): body[keyPath: path].merge(extra) { _, new in new }
        case .refused:
            let names = extra.keys.filter { !notAllowed.contains($0) }.sorted()
            if !names.isEmpty { throw BodyFailure(.unexpected(names), json) }
            if let name = extra.keys.sorted().first { throw BodyFailure(.notAllowed(name), json) }
        }
    }
}

/// One member of an object.
public struct BodyField<Body: Sendable>: Sendable {
    public let name: String
    public let isRequired: Bool
    /// The minor versions that know it.
    public let versions: ClosedRange<Int>
    let apply: @Sendable (JSON, inout Body) throws(BodyFailure) -> Void

    private init(
        _ name: String, isRequired: Bool, since: Int, until: Int,
        apply: @escaping @Sendable (JSON, inout Body) throws(BodyFailure) -> Void
    ) {
        self.name = name
        self.isRequired = isRequired
        versions = since...max(since, until)
        self.apply = apply
    }

    /// A member that must be there.
    public static func required<Value>(
        _ name: String, _ path: any WritableKeyPath<Body, Value> & Sendable, _ format: BodyFormat<Value>,
        since: Int = 0, until: Int = .max
    ) -> Self {
        Self(name, isRequired: true, since: since, until: until) { json, body throws(BodyFailure) in
            body[keyPath: path] = try format.read(json)
        }
    }

    /// A member that may be missing: then the blank's value stays.
    public static func given<Value>(
        _ name: String, _ path: any WritableKeyPath<Body, Value> & Sendable, _ format: BodyFormat<Value>,
        since: Int = 0, until: Int = .max
    ) -> Self {
        Self(name, isRequired: false, since: since, until: until) { json, body throws(BodyFailure) in
            body[keyPath: path] = try format.read(json)
        }
    }

    /// A member that may be missing: then the value stays `nil`. It may not be `null`.
    public static func optional<Value>(
        _ name: String, _ path: any WritableKeyPath<Body, Value?> & Sendable, _ format: BodyFormat<Value>,
        since: Int = 0, until: Int = .max
    ) -> Self {
        Self(name, isRequired: false, since: since, until: until) { json, body throws(BodyFailure) in
            body[keyPath: path] = .some(try format.read(json))
        }
    }

    /// A member that goes to no single place, or whose meaning depends on what is there.
    public static func special(
        _ name: String, isRequired: Bool = false, since: Int = 0, until: Int = .max,
        _ apply: @escaping @Sendable (JSON, inout Body) throws(BodyFailure) -> Void
    ) -> Self {
        Self(name, isRequired: isRequired, since: since, until: until, apply: apply)
    }

    /// The same, which must be there.
    public var asRequired: Self {
        Self(name, isRequired: true, since: versions.lowerBound, until: versions.upperBound, apply: apply)
    }

    /// A member that may be missing (`nil`), or be `null` (`.some(nil)`).
    public static func nullable<Value>(
        _ name: String, _ path: any WritableKeyPath<Body, Value??> & Sendable, _ format: BodyFormat<Value>,
        since: Int = 0, until: Int = .max
    ) -> Self {
        optional(name, path, format.nullable, since: since, until: until)
    }
}
