import CoordinatorPlatform

/// What one caller may do with which property. For one request, on one task: it remembers what it found out.
package final class PropertyGuard {
    private struct Question: Hashable {
        var operation: PropertyProtections.Operation
        var name: String
    }

    private let sections: [(regex: Regex<AnyRegexOutput>, allowed: [PropertyProtections.Operation: [String]])]
    private let isProtecting: Bool
    private let allows: (String) -> Bool
    private var answers: [Question: Bool] = [:]

    /// Lets everything pass.
    package init() {
        sections = []
        isProtecting = false
        allows = { _ in true }
    }

    /// - Parameter allows: Whether the caller has a role, or passes a rule, as the protections' format has it.
    package init(_ protections: PropertyProtections?, allows: @escaping (String) -> Bool) {
        isProtecting = protections != nil
        self.allows = allows
        // Parsing has tried each pattern.
        sections = (protections?.sections ?? []).compactMap { section in
            (try? Regex(section.pattern)).map { ($0, section.allowed) }
        }
    }

    package func allows(_ operation: PropertyProtections.Operation, _ name: String) -> Bool {
        guard isProtecting, !name.hasPrefix(ImageFields.reservedPrefix) else { return true }
        let question = Question(operation: operation, name: name)
        if let answer = answers[question] { return answer }
        let answer = decide(operation, name)
        answers[question] = answer
        return answer
    }

    /// - Throws: ``APIError`` 403.
    package func require(_ operation: PropertyProtections.Operation, _ name: String) throws {
        guard allows(operation, name) else { throw APIError.forbidden("Attribute '\(name)' is reserved.") }
    }

    /// A property's value, if the caller may read it.
    package func value(_ name: String, of image: Image) -> String? {
        image.properties[name].flatMap { allows(.read, name) ? $0 : nil }
    }

    private func decide(_ operation: PropertyProtections.Operation, _ name: String) -> Bool {
        let section = sections.first { section in ((try? section.regex.firstMatch(in: name)) ?? nil) != nil }
        let who = section?.allowed[operation] ?? []
        if who.contains("!") { return false }
        return who.contains("@") || who.contains(where: allows)
    }
}

extension PropertyGuard {
    /// For one caller.
    convenience init(_ protections: PropertyProtections?, _ permissions: Permissions) {
        let roles = Set(permissions.caller.roles.map { $0.lowercased() })
        switch protections?.format {
        case .policies: self.init(protections) { permissions.allow($0) }
        case .roles, nil: self.init(protections) { roles.contains($0) }
        }
    }
}
