/// Containers that keep what is replaced or removed: with `X-Versions-Location` a removal brings the former one back,
/// with `X-History-Location` it is kept too.
extension SwiftCall {
    private func location(_ name: ObjectName) async throws -> (ContainerName, isHistory: Bool)? {
        guard let metadata = try await container(name.container)?.metadata else { return nil }
        let account = name.container.account
        if let stack = metadata["x-versions-location"] { return (ContainerName(account: account, name: stack), false) }
        if let log = metadata["x-history-location"] { return (ContainerName(account: account, name: log), true) }
        return nil
    }

    /// Where what has this name goes when it is replaced; `nil` where it is not kept.
    func archive(of name: ObjectName) async throws -> ContainerName? { try await location(name)?.0 }

    /// - Returns: `nil` where the container keeps no versions, and for the last one, which is removed as others are.
    func deleteVersion(_ name: ObjectName) async throws -> ObjectResponse? {
        guard let (archive, isHistory) = try await location(name) else { return nil }
        guard try await container(archive) != nil else {
            guard isHistory else { return nil }
            throw SwiftRefusal(412, "The container for versions does not exist.")
        }
        if isHistory {
            guard try await store.archive(name, in: archive, at: now) else { throw SwiftRefusal(404) }
            return ObjectResponse(204)
        }
        guard try await object(name) != nil else { return nil }
        var query = ListingQuery()
        query.prefix = VersionName.prefix(name.name)
        query.isReversed = true
        query.limit = 1
        guard let former = try await store.objects(in: archive, query).first?.name else { return nil }
        guard try await store.move(ObjectName(container: archive, name: former), to: name) else {
            throw SwiftRefusal(409)
        }
        return ObjectResponse(204)
    }
}
