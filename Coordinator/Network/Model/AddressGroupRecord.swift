import ProtocolModel

/// Addresses that rules name together, as they are stored, without the addresses.
struct AddressGroupRecord: Sendable, Hashable {
    var id: AddressGroupID
    var project: ProjectID
    var standard: Standard
    /// In the order in which they came.
    var prefixes: [IPPrefix] = []
}
