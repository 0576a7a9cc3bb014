/// What the operator says about images' metadata (`image:` in the coordinator's configuration).
public struct ImageMetadataSettings: Sendable, Equatable {
    /// Whether images show where their data lies (`direct_url`).
    public var showsDirectURL = false
    /// Whether images show all places of their data (`locations`). They are never changed through the API.
    public var showsLocations = false
    /// Who may read and change which properties; `nil` protects none.
    public var propertyProtections: PropertyProtections?
    /// The most properties of one image that are not the service's own.
    public var propertyLimit = 128
    /// What all properties of one image may take together, names and values, in bytes: one of the greatest value and a
    /// hundred ordinary ones. Lists read them for every image of a page.
    public var propertyByteLimit = 72 << 10
    public var tagLimit = 128
    public var memberLimit = 128
    /// Images in a list without `limit`.
    public var listLimitDefault = 25
    public var listLimitMaximum = 1_000

    public init() {}
}
