import CoordinatorPlatform
import ProtocolModel

/// What a new cloud starts with: the default domain, the roles and what they imply, the administrator, a plain member
/// for trying things out, and the catalog. Running it again changes only what differs, so it also repairs and
/// re-points.
public struct IdentityBootstrap: Sendable {
    public struct Account: Sendable {
        public var user: String
        /// Set each time; `nil` leaves what is there.
        public var password: String?
        public var project: String
        /// The highest role; it implies the lower ones.
        public var role: String

        public init(user: String, password: String?, project: String, role: String) {
            self.user = user
            self.password = password
            self.project = project
            self.role = role
        }
    }

    public struct ServiceEntry: Sendable {
        public var type: String
        public var name: String
        public var description: String
        /// Behind the public URL: `/compute/v2.1`.
        public var path: String
        /// Where the service is when it is not behind the public URL.
        public var url: String?

        public init(type: String, name: String, description: String, path: String, url: String? = nil) {
            self.url = url
            self.type = type
            self.name = name
            self.description = description
            self.path = path
        }
    }

    /// What this release serves.
    public static let services = [
        ServiceEntry(type: "identity", name: "keystone", description: "Identity", path: "/identity"),
        ServiceEntry(type: "image", name: "glance", description: "Image", path: "/image"),
        ServiceEntry(type: "compute", name: "nova", description: "Compute", path: "/compute/v2.1"),
        ServiceEntry(type: "placement", name: "placement", description: "Placement", path: "/placement"),
        ServiceEntry(type: "network", name: "neutron", description: "Network", path: "/network"),
        ServiceEntry(
            type: "block-storage", name: "cinder", description: "Block Storage", path: "/volume/v3/$(project_id)s"),
        // Clients older than the service types authority's word for it.
        ServiceEntry(
            type: "volumev3", name: "cinderv3", description: "Block Storage", path: "/volume/v3/$(project_id)s")
    ]

    /// `https://host:8700`, without a slash at the end.
    public var publicURL: String
    public var region: String
    public var admin: Account
    /// `nil` for none.
    public var demo: Account?
    public var services: [ServiceEntry]

    public init(
        publicURL: String, region: String = "RegionOne",
        admin: Account, demo: Account? = nil, services: [ServiceEntry] = IdentityBootstrap.services
    ) {
        self.publicURL = publicURL
        self.region = region
        self.admin = admin
        self.demo = demo
        self.services = services
    }

    public func run(on identity: IdentityService) async throws {
        let now = identity.clock.now()
        var hashes: [String: String] = [:]
        for account in [admin, demo].compactMap({ $0 }) {
            guard let password = account.password else { continue }
            // One that is right already stays: changing it would end all tokens.
            let stored = identity.directory.state.user(named: account.user, in: Domain.defaultKey)?.passwordHash
            if try await identity.hasher.verify(password, against: stored) { continue }
            hashes[account.user] = try await identity.hasher.hash(password)
        }
        let passwords = hashes
        try await identity.change { edit in
            var steps = BootstrapSteps(edit: edit, now: now)
            try steps.domainAndRoles()
            try steps.account(admin, hash: passwords[admin.user], isAdministrator: true)
            if let demo { try steps.account(demo, hash: passwords[demo.user], isAdministrator: false) }
            try steps.catalog(services, region: region, publicURL: publicURL)
            if !steps.edit.isEmpty { try EventLog.append(event(now), in: edit.transaction) }
            edit = steps.edit
        }
    }

    private func event(_ now: Int64) -> Event {
        Event(
            time: now, requestID: "", action: "identity.bootstrap", user: "", project: "", target: publicURL,
            outcome: "success", remoteAddress: "")
    }
}

/// One run: compares with what is there and writes what differs.
private struct BootstrapSteps {
    var edit: IdentityEdit
    let now: Int64
    private var state: IdentityState { edit.state }

    init(edit: IdentityEdit, now: Int64) {
        self.edit = edit
        self.now = now
    }

    mutating func domainAndRoles() throws {
        if state.domains[Domain.defaultKey] == nil {
            let domain = Domain(key: Domain.defaultKey, name: "Default", description: "The default domain")
            try edit.insert(domain)
        }
        let descriptions = [
            ("admin", "Administers the whole cloud"), ("manager", "Manages a project or domain"),
            ("member", "Uses a project"), ("reader", "Looks, changes nothing"), ("service", "A service of the cloud")
        ]
        for (name, description) in descriptions where state.role(named: name) == nil {
            let role = Role(key: IdentityService.newKey(), name: name, domain: nil, description: description)
            try edit.insert(role)
        }
        for (prior, implied) in [("admin", "manager"), ("manager", "member"), ("member", "reader")] {
            guard let prior = state.role(named: prior), let implied = state.role(named: implied),
                state.implications[prior.key]?.contains(implied.key) != true
            else { continue }
            try edit.imply(implied.key, by: prior.key)
        }
    }

    mutating func account(_ account: IdentityBootstrap.Account, hash: String?, isAdministrator: Bool) throws {
        let project = try self.project(account.project)
        let user = try self.user(account.user, hash: hash, defaultProject: project)
        try give(account.role, user: user, at: .project(project.id))
        if isAdministrator {
            try give(account.role, user: user, at: .domain(Domain.defaultKey))
            try give(account.role, user: user, at: .system)
        }
    }

    private mutating func project(_ name: String) throws -> Project {
        if let project = state.project(named: name, in: Domain.defaultKey) { return project }
        let project = Project(id: .random(), domain: Domain.defaultKey, parent: nil, name: name)
        try edit.insert(project)
        return project
    }

    private mutating func user(_ name: String, hash: String?, defaultProject: Project) throws -> User {
        if var user = state.user(named: name, in: Domain.defaultKey) {
            guard let hash else { return user }
            user.passwordHash = hash
            user.passwordState = PasswordState(createdAt: now)
            user.endTokens(at: now)
            user.isEnabled = true
            return try edit.update(user)
        }
        let user = User(
            id: .random(), domain: Domain.defaultKey, name: name, defaultProject: defaultProject.key,
            passwordHash: hash, createdAt: now, passwordState: PasswordState(createdAt: hash == nil ? nil : now))
        try edit.insert(user)
        return user
    }

    private mutating func give(_ role: String, user: User, at target: Assignment.Target) throws {
        guard let role = state.role(named: role) else { throw BootstrapFailure.unknownRole(role) }
        let assignment = Assignment(actor: .user(user.id), target: target, role: role.key)
        guard state.assignments[.user(user.id)]?.contains(assignment) != true else { return }
        try edit.give(assignment)
    }

    mutating func catalog(_ services: [IdentityBootstrap.ServiceEntry], region: String, publicURL: String) throws {
        if state.regions[region] == nil {
            let record = Region(key: region, parent: nil)
            try edit.insert(record)
        }
        for entry in services {
            let service = try self.service(entry)
            for interface in ["public", "internal", "admin"] {
                try endpoint(service, interface, region, url: entry.url ?? publicURL + entry.path)
            }
        }
    }

    private mutating func service(_ entry: IdentityBootstrap.ServiceEntry) throws -> CatalogService {
        if let service = state.services.values.first(where: { $0.type == entry.type }) { return service }
        let service = CatalogService(
            key: IdentityService.newKey(), type: entry.type, name: entry.name, description: entry.description)
        try edit.insert(service)
        return service
    }

    private mutating func endpoint(_ service: CatalogService, _ interface: String, _ region: String, url: String) throws
    {
        let known = state.endpoints.values.first {
            $0.service == service.key && $0.interface == interface && $0.region == region
        }
        guard var endpoint = known else {
            let endpoint = Endpoint(
                key: IdentityService.newKey(), service: service.key, interface: interface, region: region, url: url)
            try edit.insert(endpoint)
            return
        }
        guard endpoint.url != url else { return }
        endpoint.url = url
        try edit.update(endpoint)
    }
}

enum BootstrapFailure: Error, CustomStringConvertible {
    case unknownRole(String)

    var description: String {
        switch self {
        case .unknownRole(let name): "There is no role '\(name)': use admin, manager, member or reader."
        }
    }
}
