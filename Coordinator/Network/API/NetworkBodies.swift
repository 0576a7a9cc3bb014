import CoordinatorPlatform
import ProtocolModel

/// Neutron's words for what is wrong with a body.
extension Neutron {
    /// For the attributes of a resource.
    static func words(_ resource: String, creating: Bool) -> BodyWording {
        { failure in
            switch failure.reason {
            case .missing(let name) where failure.path.isEmpty:
                .http("Failed to parse request. Required attribute '\(name)' not specified")
            case .notAllowed(let name):
                .http(
                    creating ? "Attribute '\(name)' not allowed in POST" : "Cannot update read-only attribute \(name)")
            case .wrongType where failure.path.isEmpty:
                .http("Invalid body for '\(resource)': it must be an object")
            default: bodyWords(failure)
            }
        }
    }

    @Sendable static func bodyWords(_ failure: BodyFailure) -> APIError {
        let name = failure.path.first ?? ""
        let value = failure.value
        let shown = value.isNull ? "None" : value.stringValue ?? value.text
        func invalid(_ reason: String) -> APIError { .http("Invalid input for \(name). Reason: \(reason).") }
        switch failure.reason {
        case .missing("ip_address") where name == "allowed_address_pairs":
            return .badRequest("AllowedAddressPair must contain ip_address", type: "AllowedAddressPairsMissingIP")
        case .missing(let missing): return .http("Unable to find '\(missing)' in request body")
        case .unexpected(let names) where failure.path.isEmpty:
            return .http("Unrecognized attribute(s) '\(names.joined(separator: ", "))'")
        case .tooFew: return .http("Resources required")
        case .format("security group"): return .groupNotFound(shown)
        case .format("target project"):
            return .invalidInput("'\(shown)' is not a valid target project ID; expected a UUID or '*'")
        case .format("address group"): return .addressGroupNotFound(shown)
        case .format("choice of pools"):
            return .bad("subnets", "subnetpool_id and use_default_subnetpool cannot both be specified")
        case .format("ethertype"):
            return .badRequest(
                "Security group rule for ethertype '\(shown)' not supported. Allowed values are ['IPv4', 'IPv6'].",
                type: "SecurityGroupRuleInvalidEtherType")
        case .format(let format): return invalid("'\(shown)' is not a valid \(format)")
        case .notOneOf(let choices) where choices.contains(true):
            return .invalidInput("'\(shown)' cannot be converted to boolean")
        case .notOneOf(let choices): return invalid("'\(shown)' is not in \(JSON.array(choices).pythonQuoted)")
        case .wrongType(let types) where types.contains("integer"): return .invalidInput("'\(shown)' is not an integer")
        case .pattern: return .invalidInput("'\(shown)' is not an integer")
        case .wrongType(let types) where types.contains("array"): return invalid("'\(shown)' is not a list")
        case .wrongType(let types) where types.contains("string"): return invalid("'\(shown)' is not a valid string")
        case .tooLong(let most): return invalid("'\(shown)' exceeds maximum length of \(most)")
        case .notUnique: return invalid("Duplicate items in the list: '\(shown)'")
        case .tooMany(let most): return invalid("there are more than \(most)")
        case .sentence(let sentence): return invalid(sentence)
        default: return invalid(failure.text)
        }
    }
}

/// The forms of values in Neutron's bodies.
enum Form {
    /// Any characters, line breaks too; but databases end a text at NUL.
    private static let noNUL = TextRule(.format("string")) { !$0.utf8.contains(0) }
    /// Items of any list: each list's own limit, where there is one, is lower.
    private static let listLimit = 256

    static let text = BodyFormat.text(0...255, noNUL)
    static let flag = BodyFormat.flag(BooleanWords.strict, orNumber: true)
    static let number = BodyFormat.integer(orText: true).nullable
    /// At least 0, and no more than what a column holds.
    static let count = BodyFormat.integer(Int(Int32.min)...Int(Int32.max), orText: true).map {
        number, json throws(BodyFailure) in
        guard number >= 0 else { throw BodyFailure(.sentence("'\(number)' should be non-negative"), json) }
        return number
    }
    static let address = BodyFormat<IPAddress>.parsed("IP address") { IPAddress($0) }
    static let mac = BodyFormat<MACAddress>.parsed("MAC address") { text in
        MACAddress(text).flatMap { $0.isMulticast || $0.bits == 0 ? nil : $0 }
    }
    static let prefix = BodyFormat<IPPrefix>.parsed("IP subnet") { $0.contains("/") ? IPPrefix($0) : nil }

    static func id<Resource>(_ what: String = "UUID") -> BodyFormat<Identifier<Resource>> {
        .parsed(what) { Identifier($0) }
    }

    /// `null` stands for an empty list.
    static func list<Item>(of item: BodyFormat<Item>, isUnique: Bool = true) -> BodyFormat<[Item]> {
        BodyFormat.list(of: item, most: listLimit, isUnique: isUnique).nullable.map { items, _ in items ?? [] }
    }
}

/// What a create call says of the owner.
struct NamedOwner: Sendable {
    var project: String?
    var tenant: String?

    /// The project that a new resource is for: the caller's own unless an administrator names another.
    func project(of call: APICall) throws -> ProjectID {
        let viewer = try call.viewer()
        guard let name = project ?? tenant else {
            guard let own = viewer.project else {
                throw APIError.http("Running without a project in scope requires that project_id is specified")
            }
            return own
        }
        guard [project, tenant].allSatisfy({ $0 == nil || $0 == name }) else {
            throw APIError.http("'project_id' and 'tenant_id' do not match")
        }
        guard let project = ProjectID(name) else {
            throw APIError.http("Invalid input for project_id. Reason: '\(name)' is not a valid project id.")
        }
        guard viewer.isAdmin || viewer.project == project else {
            throw APIError.http(
                "Specifying 'project_id' other than the authenticated project in request is not allowed for the current "
                    + "user.")
        }
        return project
    }
}

/// What a create call sends: the resource and who is to own it.
protocol OwnedDraft: Sendable {
    var project: ProjectID { get set }
}

extension NetworkDraft: OwnedDraft {}
extension SubnetDraft: OwnedDraft {}
extension PortDraft: OwnedDraft {}
extension SecurityGroupDraft: OwnedDraft {}
extension RuleDraft: OwnedDraft {}
extension RouterDraft: OwnedDraft {}
extension FloatingIPDraft: OwnedDraft {}
extension SubnetPoolDraft: OwnedDraft {}
extension AddressGroupDraft: OwnedDraft {}
extension RBACDraft: OwnedDraft {}
extension QoSPolicyDraft: OwnedDraft {}
extension AddressScopeDraft: OwnedDraft {}

/// The bodies of one kind of resource.
struct ResourceBodies<Draft: OwnedDraft>: Sendable {
    struct Sent: Sendable {
        var draft: Draft
        var owner = NamedOwner()
    }

    let resource: String
    private let creation: BodySchema<Sent>
    private let changes: BodySchema<Sent>

    /// - Parameters:
    ///   - shared: What can be given and changed.
    ///   - fixed: What can be given only.
    ///   - needed: What must be given, and can be changed.
    ///   - later: What can be changed only.
    ///   - shown: What answers carry beside those.
    init(
        _ resource: String, blank: Draft, shared: [BodyField<Sent>], fixed: [BodyField<Sent>] = [],
        needed: [BodyField<Sent>] = [], later: [BodyField<Sent>] = [], shown: Set<String>
    ) {
        self.resource = resource
        let owner: [BodyField<Sent>] = [
            .optional("project_id", \.owner.project, Form.text), .optional("tenant_id", \.owner.tenant, Form.text)
        ]
        let standard: Set = ["id", "created_at", "updated_at", "revision_number", "tags"]
        creation = BodySchema(
            blank: Sent(draft: blank), notAllowed: shown.union(standard).union(later.map(\.name)),
            tellsUnknownFirst: true,
            needed.map(\.asRequired) + shared + fixed + owner)
        changes = BodySchema(
            blank: Sent(draft: blank), notAllowed: shown.union(standard).union((fixed + owner).map(\.name)),
            tellsUnknownFirst: true, needed + shared + later)
    }

    @Sendable func draft(_ json: JSON, _ call: APICall) throws -> Draft {
        var sent = try creation.read(json, wording: Neutron.words(resource, creating: true))
        sent.draft.project = try sent.owner.project(of: call)
        return sent.draft
    }

    @Sendable func change(_ json: JSON, _ call: APICall) throws -> Draft {
        try changes.read(json, wording: Neutron.words(resource, creating: false)).draft
    }
}
