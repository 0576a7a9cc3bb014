import CoordinatorPlatform

/// The form of a create call's hints.
enum SchedulerHintForm {
    /// - Throws: ``APIError`` 400 for a hint that is none, and for one that says what cannot be done here.
    static func read(_ hints: [String: JSON]) throws(APIError) -> SchedulerHints {
        for (name, value) in hints.sorted(by: { $0.key < $1.key }) where !value.isNull {
            guard !refused.contains(name) else {
                throw APIError.badRequest("Scheduler hint '\(name)' has no effect here: leave it out.")
            }
            if let format = formats[name] { _ = try Nova.read(value, format, under: name) }
        }
        let read = SchedulerHints(hints)
        if read.near == nil, hints["build_near_host_ip"]?.stringValue != nil {
            let value = hints["cidr"]?.stringValue ?? ""
            throw APIError.badRequest(
                "Invalid input for field/attribute cidr. Value: \(value). '\(value)' does not match '^/[0-9a-f.:]+$'")
        }
        return read
    }

    /// Hints that Nova's filters know, and that nothing here goes by. What nobody knows says something to whoever sent
    /// it.
    private static let refused: Set<String> = ["query", "target_cell", "different_cell"]

    private static let formats: [String: BodyFormat<JSON>] = [
        "group": kept(.text(0...255, .uuid)), "same_host": servers, "different_host": servers,
        "build_near_host_ip": kept(.text(0...255, .address)), "cidr": kept(.text(2...64))
    ]

    private static let server = BodyFormat<String>.text(0...255, .uuid)
    private static let servers = BodyFormat<JSON>.either([
        kept(server), kept(BodyFormat<[String]>.list(of: server, most: 64))
    ])

    private static func kept<Value>(_ format: BodyFormat<Value>) -> BodyFormat<JSON> { format.map { _, json in json } }
}
