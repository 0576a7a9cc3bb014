/// What clients tell errors of one status apart by, from version 1.23 on; the type of an error of this slice.
enum PlacementCode {
    static let undefined = "placement.undefined_code"
    static let inventoryInUse = "placement.inventory.inuse"
    static let concurrentUpdate = "placement.concurrent_update"
    static let duplicateName = "placement.duplicate_name"
    static let providerInUse = "placement.resource_provider.inuse"
    static let cannotDeleteParent = "placement.resource_provider.cannot_delete_parent"
    static let providerNotFound = "placement.resource_provider.not_found"
    static let duplicateKey = "placement.query.duplicate_key"
    static let badValue = "placement.query.bad_value"
    static let missingValue = "placement.query.missing_value"
}
