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

    /// All versions of one object begin so: the length keeps those of `a` and `a/b` apart.
    private static func prefix(_ object: String) -> String {
        let digits = String(object.utf8.count, radix: 16)
        return String(repeating: "0", count: max(0, 3 - digits.count)) + digits + object + "/"
    }

    private static func version(_ object: String, _ moment: Int64) -> String {
        let text = HTTPDate.timestamp(moment)
        return prefix(object) + String(repeating: "0", count: max(0, 16 - text.utf8.count)) + text
    }

    /// Where what has this name goes when it is replaced; `nil` where it is not kept. A manifest's parts stay where they
    /// are, and dynamic manifests are not kept, as in Swift.
    func archiveName(_ name: ObjectName) async throws -> ObjectName? {
        guard let (container, _) = try await location(name), let record = try await object(name),
            record.attributes.metadata["x-object-manifest"] == nil
        else { return nil }
        return ObjectName(container: container, name: Self.version(name.name, record.attributes.changed))
    }

    /// - Returns: `nil` where the container keeps no versions, and for the last one, which is removed as others are.
    func deleteVersion(_ name: ObjectName) async throws -> ObjectResponse? {
        guard let (archive, isHistory) = try await location(name) else { return nil }
        guard try await container(archive) != nil else {
            guard isHistory else { return nil }
            throw SwiftRefusal(412, "The container for versions does not exist.")
        }
        if isHistory { return try await keepRemoved(name, in: archive) }
        guard try await object(name) != nil else { return nil }
        var query = ListingQuery()
        query.prefix = Self.prefix(name.name)
        query.isReversed = true
        query.limit = 1
        guard let former = try await store.objects(in: archive, query).first?.name else { return nil }
        guard try await store.move(ObjectName(container: archive, name: former), to: name) else {
            throw SwiftRefusal(409)
        }
        return ObjectResponse(204)
    }

    private func keepRemoved(_ name: ObjectName, in archive: ContainerName) async throws -> ObjectResponse {
        guard let kept = try await archiveName(name), try await store.move(name, to: kept) else {
            throw SwiftRefusal(404)
        }
        let marker = NewObject(
            content: .packed(PackedContent(bytes: [], etag: ETagHash.of([]))),
            attributes: ObjectAttributes(
                contentType: "application/x-deleted;swift_versions_deleted=1", metadata: [:], expires: nil, changed: now))
        try await store.put(ObjectName(container: archive, name: Self.version(name.name, now)), marker)
        return ObjectResponse(204)
    }
}
