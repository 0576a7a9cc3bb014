import ProtocolModel

/// Where a host keeps images between uses.
public protocol ImageStore: Sendable {
    /// Whether the image is in the cache, whole and verified.
    func hasImage(_ image: ImageSpec) async -> Bool
    /// Brings the image into the cache from `source`, resuming what is there, and verifies length and SHA-512.
    func fetchImage(_ image: ImageSpec, from source: any ImageSource) async throws(StatusError)
    /// Removes cached images that nothing here uses and that have not been used for a while, down to the size limit.
    func sweepImages(keeping: Set<String>) async
}
