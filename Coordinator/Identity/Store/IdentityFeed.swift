import CoordinatorPlatform
import ProtocolModel

/// What an entry of the identity service's feed of changes names: rows to be read again.
struct IdentityChange: Hashable, Sendable {
    enum Kind: String, Sendable {
        /// A record of a table; the key is the table's name and the record's key.
        case record
        /// The same, but it was there before and is gone, with all that hung on it. There may be another one since.
        case gone
        /// By group: all of it, as an earlier release wrote.
        case members
        /// By user and group.
        case member
        /// By the role that implies.
        case implications
        case assignmentsOfUser, assignmentsOfGroup
        case revocation
        /// By delegation.
        case bound
        /// By user.
        case activity
        /// By domain.
        case configuration
        /// By project.
        case choices
        /// By policy.
        case targets
        /// By ring; nothing in ``IdentityState``.
        case keys
    }

    var kind: Kind
    var key: String

    init(_ kind: Kind, _ key: String) {
        self.kind = kind
        self.key = key
    }

    static func record<R: StoredRecord>(_ record: R) -> Self { Self(.record, "\(R.table.name) \(record.key)") }
    static func gone<R: StoredRecord>(_ record: R) -> Self { Self(.gone, "\(R.table.name) \(record.key)") }
    static func member(_ user: UserID, of group: String) -> Self { Self(.member, "\(user.compact) \(group)") }
    static func assignments(of actor: Assignment.Actor) -> Self {
        switch actor {
        case .user(let id): Self(.assignmentsOfUser, id.compact)
        case .group(let key): Self(.assignmentsOfGroup, key)
        }
    }

    /// As it stands in the feed. A key may have blanks in it: operators name regions.
    var text: String { "\(kind.rawValue) \(key)" }

    /// - Returns: `nil` for what a later release has written.
    init?(_ text: String) {
        guard let end = text.firstIndex(of: " "), let kind = Kind(rawValue: String(text[..<end])) else { return nil }
        self.init(kind, String(text[text.index(after: end)...]))
    }
}

/// How ``IdentityState`` follows the rows.
enum IdentityFeed {
    static let topic = "identity"

    /// Beyond so many changes everything is read, which is faster.
    private static let mostSteps = 1024

    /// The number of the newest change.
    static func newest(in reader: any SQLReader) throws -> Int64 {
        try ChangeFeed.newest(topic: topic, in: reader).number
    }

    /// Everything there is.
    static func load(_ reader: any SQLReader, now: Int64) throws -> IdentityState {
        var state = IdentityState()
        state.feedNumber = try newest(in: reader)
        for table in records { try table.load(&state, reader) }
        for row in try MembershipRow.table.all(in: reader) { state.addMember(row.user, to: row.group) }
        for row in try ImplicationRow.table.all(in: reader) { state.imply(row.implied, by: row.prior) }
        for row in try AssignmentRow.table.all(in: reader) { state.give(row.assignment) }
        let living = SQLCondition("expires_at > ?", [now])
        for row in try RevocationRow.table.all(where: living, in: reader) {
            state.revoke(row.audit, row.revocation, now: now)
        }
        for row in try DelegationBoundRow.table.all(where: living, in: reader) {
            state.bound(row.delegation, row.bound)
        }
        for row in try ActivityRow.table.all(in: reader) { state.note(row.activity, of: row.user) }
        for row in try PolicyTargetRow.table.all(in: reader) {
            state.changeResources { $0.policies.associate(row.policy, with: row.target) }
        }
        for (project, choice) in try choices(nil, reader) {
            state.changeResources { $0.filter.associate(choice, with: project) }
        }
        let options = Dictionary(grouping: try DomainOptionRow.table.all(in: reader), by: \.domain)
        for (domain, rows) in options { state.configure(domain, configuration(rows)) }
        return state
    }

    /// Brings a state up to a number of the feed, from the rows as the reader sees them.
    /// - Parameter newest: Of the feed.
    /// - Returns: Whether keys were changed, which are no part of it.
    @discardableResult
    static func advance(
        _ state: inout IdentityState, to newest: Int64, in reader: any SQLReader, now: Int64
    ) throws -> Bool {
        guard newest > state.feedNumber else { return false }
        let news = try ChangeFeed.changes(
            after: state.feedNumber, topic: topic, limit: mostSteps, in: reader)
        // Of what a later release has written nobody here knows what it changed.
        guard case .changes(let entries) = news, entries.count < mostSteps,
            case let changes = entries.compactMap({ IdentityChange($0.key) }), changes.count == entries.count
        else {
            state.replace(by: try load(reader, now: now))
            return true
        }
        for change in changes { try read(change, into: &state, in: reader, now: now) }
        state.feedNumber = newest
        return changes.contains { $0.kind == .keys }
    }

    /// Reads again what a change names.
    static func read(
        _ change: IdentityChange, into state: inout IdentityState, in reader: any SQLReader, now: Int64
    ) throws {
        let key = change.key
        switch change.kind {
        case .record, .gone:
            guard let mark = key.firstIndex(of: " ") else { return }
            let table = records.first { $0.name == key[..<mark] }
            try table?.read(String(key[key.index(after: mark)...]), change.kind == .gone, &state, reader)
        case .members:
            let rows = try MembershipRow.table.all(where: MembershipRow.of(key), in: reader)
            state.setMembers(Set(rows.map(\.user)), of: key)
        case .member:
            guard let mark = key.firstIndex(of: " "), let user = UserID(String(key[..<mark])) else { return }
            let group = String(key[key.index(after: mark)...])
            let isMember = try MembershipRow.table.exists(where: MembershipRow.of(user, in: group), in: reader)
            state.set(user, isMember: isMember, of: group)
        case .implications:
            let rows = try ImplicationRow.table.all(where: ImplicationRow.of(key), in: reader)
            state.setImplications(Set(rows.map(\.implied)), of: key)
        case .assignmentsOfUser: if let user = UserID(key) { try readAssignments(.user(user), &state, reader) }
        case .assignmentsOfGroup: try readAssignments(.group(key), &state, reader)
        case .revocation:
            guard let audit = AuditID(key) else { return }
            let row = try RevocationRow.table.find(audit, in: reader)
            if let row { state.revoke(audit, row.revocation, now: now) } else { state.forgetRevocation(of: audit) }
        case .bound: state.bound(key, try DelegationBoundRow.table.find(key, in: reader)?.bound)
        case .activity:
            guard let user = UserID(key) else { return }
            state.note(try ActivityRow.table.find(key, in: reader)?.activity ?? UserActivity(), of: user)
        case .configuration:
            let rows = try DomainOptionRow.table.all(where: DomainOptionRow.of(key), in: reader)
            state.configure(key, configuration(rows))
        case .choices:
            guard let project = ProjectID(key) else { return }
            let choices = try choices(project, reader).map { $0.1 }
            state.changeResources { $0.filter.set(choices, of: project) }
        case .targets:
            let rows = try PolicyTargetRow.table.all(where: PolicyTargetRow.of(key), in: reader)
            state.changeResources { $0.policies.set(rows.map(\.target), of: key) }
        case .keys: break
        }
    }

    private static func readAssignments(
        _ actor: Assignment.Actor, _ state: inout IdentityState, _ reader: any SQLReader
    ) throws {
        let rows = try AssignmentRow.table.all(where: AssignmentRow.of(actor), in: reader)
        state.setAssignments(Set(rows.map(\.assignment)), of: actor)
    }

    private static func choices(
        _ project: ProjectID?, _ reader: any SQLReader
    ) throws -> [(ProjectID, CatalogFilter.Choice)] {
        try [CatalogFilter.Choice.Kind.endpoint, .group].flatMap { kind in
            let condition = project.map { SQLCondition.equal("project_key", $0.compact) } ?? .always
            return try reader.query(
                "SELECT project_key, \(kind.place.column) FROM \(kind.place.table) WHERE \(condition.sql)",
                condition.arguments
            ) { (try $0.id(0) as ProjectID, CatalogFilter.Choice(kind: kind, key: $0.text(1))) }
        }
    }

    private static func configuration(_ rows: [DomainOptionRow]) -> DomainConfiguration {
        var groups: [String: [String: DomainConfiguration.Value]] = [:]
        for row in rows { groups[row.group, default: [:]][row.option] = row.value }
        return DomainConfiguration(values: groups)
    }

    // MARK: - Tables of records

    private struct Table: Sendable {
        let name: String
        let load: @Sendable (inout IdentityState, any SQLReader) throws -> Void
        let read: @Sendable (_ key: String, _ isGone: Bool, inout IdentityState, any SQLReader) throws -> Void

        init<R: StoredRecord>(_: R.Type) {
            name = R.table.name
            load = { state, reader in for record in try R.table.all(in: reader) { record.put(in: &state) } }
            read = { key, isGone, state, reader in
                let record = try R.table.find(key, in: reader)
                if isGone || record == nil { R.find(key, in: state)?.remove(from: &state) }
                record?.put(in: &state)
            }
        }
    }

    /// In the order of their dependence.
    private static let records = [
        Table(Domain.self), Table(Project.self), Table(User.self), Table(Group.self), Table(Role.self),
        Table(Region.self), Table(CatalogService.self), Table(Endpoint.self), Table(ApplicationCredential.self),
        Table(AccessRuleRecord.self), Table(Trust.self), Table(StoredCredential.self), Table(EndpointGroup.self),
        Table(PolicyBlob.self), Table(RegisteredLimit.self), Table(ResourceLimit.self)
    ]
}
