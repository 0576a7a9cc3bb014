import CoordinatorPlatform

extension ImageService {
    /// Loads the usual namespaces, each only once in a cloud's life: what an operator changes or deletes stays so.
    public func loadMetadefs() async throws {
        let now = clock.now()
        let metadefs = metadefs
        try await database.write { transaction in
            for content in MetadefDefaults.contents(at: now) {
                try metadefs.load(content, in: transaction)
            }
        }
    }
}

extension MetadefService {
    func load(_ content: MetadefContent, in transaction: any SQLTransaction) throws {
        let name = content.namespace.name
        guard try store.noteDefault(name, in: transaction), try store.namespace(name, in: transaction) == nil else {
            return
        }
        try insert(content, in: transaction)
    }
}
