import ProtocolModel

/// What a consumer needs of one host: amounts by resource class, and what the host must be and have.
public struct PlacementRequest: Sendable, Hashable {
    /// Who is to hold the claims.
    public struct Consumer: Sendable, Hashable {
        public var id: AnyID
        /// As Placement's API names types of consumers: `INSTANCE`, `MIGRATION`, `VOLUME`, ...
        public var type: String
        public var project: ProjectID
        public var user: UserID

        public init(id: AnyID, type: String, project: ProjectID, user: UserID) {
            self.id = id
            self.type = type
            self.project = project
            self.user = user
        }
    }

    public var consumer: Consumer
    /// By resource class, each in the class's unit; what is 0 is not claimed.
    public var resources: [String: Int]
    /// What the host must do in the cloud; `nil` when that does not matter.
    public var role: NodeReport.Role?
    /// Each must be mapped on the host. Not traits: the names of those cannot tell `phys-a` from `phys_a`.
    public var physicalNetworks: Set<String> = []
    /// Traits the host must have, and must not have.
    public var required: Set<String> = []
    public var forbidden: Set<String> = []
    /// The host is in at least one aggregate of each set.
    public var aggregates: [Set<String>] = []
    public var isolation: Isolation?
    public var availabilityZone: String?
    /// Only the host of this name.
    public var host: String?
    /// One host of each of these.
    public var among: [Hosts] = []
    /// None of these hosts, and why.
    public var apart: [NodeID: String] = [:]
    /// Whom the consumer is to be together with, or apart from.
    public var group: PlacementGroup?
    /// What the group makes of hosts that would all do.
    public var leaning: Leaning?
    /// Hosts already tried, with the reason each failed.
    public var excluded: [NodeID: String] = [:]

    public init(consumer: Consumer, resources: [String: Int], role: NodeReport.Role?) {
        self.consumer = consumer
        self.resources = resources
        self.role = role
    }
}
