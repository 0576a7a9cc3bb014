/// Changes of objects, with the counters and the uses of the contents that go with them.
struct ObjectChange {
    let index: ObjectIndex

    struct Place {
        let container: Int64
        let account: Int64
        let record: ContainerRecord
    }

    func place(_ container: ContainerName) throws -> Place {
        guard let found = try index.container(container) else { throw StoreFailure.noSuchContainer }
        return Place(container: found.row.id, account: found.account, record: found.row.record)
    }

    func put(_ name: ObjectName, _ new: NewObject, _ content: ContentReference, _ packed: ContentPlace?) throws {
        let place = try place(name.container)
        var old = try index.object(name.name, in: place.container)
        if let old, !new.mayReplace, !old.attributes.isExpired(at: new.attributes.changed) {
            throw StoreFailure.exists
        }
        if let seen = new.seen, old != seen { throw StoreFailure.changed }
        var attributes = new.attributes
        if let there = old { attributes.changed = max(attributes.changed, there.attributes.changed + VersionName.step) }
        if let archive = new.archive, let there = old, isKept(there, at: new.attributes.changed) {
            try move(name, to: version(name, there, in: archive))
            old = nil
        }
        try check(new, old, place, account: name.container.account)
        switch new.content {
        case _ where content.id == 0: break
        case .composed: break
        case .shared: guard try index.use(content.id) else { throw StoreFailure.gone }
        case .packed, .file: try index.insertContent(content, at: packed ?? ContentPlace())
        }
        try take(old, name.name, place)
        try index.insertObject(
            name.name, in: place.container,
            ObjectRecord(content: content, etag: new.content.etag, attributes: attributes))
        try index.count(container: place.container, account: place.account, objects: 1, bytes: content.size)
    }

    /// A dynamic manifest has nothing of its own to keep, as in Swift.
    private func isKept(_ record: ObjectRecord, at now: Int64) -> Bool {
        !record.attributes.isExpired(at: now) && record.attributes.metadata["x-object-manifest"] == nil
    }

    private func version(_ name: ObjectName, _ record: ObjectRecord, in archive: ContainerName) -> ObjectName {
        ObjectName(container: archive, name: VersionName.of(name.name, record.attributes.changed))
    }

    func archive(_ name: ObjectName, in archive: ContainerName, at now: Int64) throws -> Bool {
        let (source, target) = (try place(name.container), try place(archive))
        guard let record = try index.object(name.name, in: source.container), !record.attributes.isExpired(at: now)
        else { return false }
        if isKept(record, at: now) {
            try move(name, to: version(name, record, in: archive))
        } else {
            try take(record, name.name, source)
        }
        let moment = max(now, record.attributes.changed + VersionName.step)
        let mark = ObjectRecord(
            content: .empty, etag: ETagHash.of([]),
            attributes: ObjectAttributes(
                contentType: VersionName.removalMark, metadata: [:], expires: nil, changed: moment))
        try index.insertObject(VersionName.of(name.name, moment), in: target.container, mark)
        try index.count(container: target.container, account: target.account, objects: 1, bytes: 0)
        return true
    }

    private func check(_ new: NewObject, _ old: ObjectRecord?, _ place: Place, account: String) throws {
        let growth = new.content.size - (old?.content.size ?? 0)
        if let limit = new.limits.containerBytes, place.record.bytes + growth > limit, growth > 0 {
            throw StoreFailure.containerQuota
        }
        if let limit = new.limits.containerObjects, old == nil, place.record.objects + 1 > limit {
            throw StoreFailure.containerQuota
        }
        if let limit = new.limits.accountObjects, old == nil,
            let used = try index.account(account)?.record.objects, used + 1 > limit
        {
            throw StoreFailure.accountQuota
        }
        if let limit = new.limits.accountBytes, growth > 0, let used = try index.account(account)?.record.bytes,
            used + growth > limit
        {
            throw StoreFailure.accountQuota
        }
    }

    /// Takes away what has the name, if anything.
    private func take(_ old: ObjectRecord?, _ name: String, _ place: Place) throws {
        guard let old else { return }
        try index.deleteObject(name, in: place.container)
        try index.release(old.content)
        try index.count(container: place.container, account: place.account, objects: -1, bytes: -old.content.size)
    }

    @discardableResult
    func move(_ from: ObjectName, to: ObjectName) throws -> Bool {
        let (source, target) = (try place(from.container), try place(to.container))
        guard let record = try index.object(from.name, in: source.container) else { return false }
        try take(try index.object(to.name, in: target.container), to.name, target)
        try index.deleteObject(from.name, in: source.container)
        try index.insertObject(to.name, in: target.container, record)
        let bytes = record.content.size
        try index.count(container: source.container, account: source.account, objects: -1, bytes: -bytes)
        try index.count(container: target.container, account: target.account, objects: 1, bytes: bytes)
        return true
    }

    func change(_ name: ObjectName, seen: ObjectRecord, to attributes: ObjectAttributes) throws -> Bool {
        let place = try place(name.container)
        guard var record = try index.object(name.name, in: place.container), record == seen else { return false }
        record.attributes = attributes
        try index.deleteObject(name.name, in: place.container)
        try index.insertObject(name.name, in: place.container, record)
        return true
    }

    func remove(_ name: ObjectName, seen: ObjectRecord?) throws -> ObjectRecord? {
        let place = try place(name.container)
        guard let record = try index.object(name.name, in: place.container), seen == nil || record == seen else {
            return nil
        }
        try take(record, name.name, place)
        return record
    }
}
