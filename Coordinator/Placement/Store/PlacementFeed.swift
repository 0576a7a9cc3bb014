/// The feeds of changes that placement writes; keys are the ids of providers.
enum PlacementFeed {
    /// A provider was made, renamed, removed, or has other traits or aggregates.
    static let providers = "placement.providers"
    /// Its inventories, or what is claimed of them.
    static let stocks = "placement.stocks"
}
