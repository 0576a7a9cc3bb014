/// A part of a transaction that can be undone alone.
extension WriterSession {
    func savepoint<T>(_ body: () throws -> T) throws -> T {
        let hooks = hooks.count
        try beginSavepoint("part")
        do {
            let value = try body()
            try releaseSavepoint("part")
            return value
        } catch {
            dropHooks(after: hooks)
            // The engine may have given the whole transaction up; then there is no part of it to undo.
            guard isInTransaction else { throw error }
            try rollbackToSavepoint("part")
            throw error
        }
    }
}
