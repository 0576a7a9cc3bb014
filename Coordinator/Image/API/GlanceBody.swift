import CoordinatorPlatform

/// How Glance says what is wrong with a body.
package enum GlanceBody {
    /// For bodies that no schema document describes: sentences of their own.
    package static func wording(_ sentence: @escaping @Sendable (BodyFailure) -> String) -> BodyWording {
        { .badRequest(sentence($0)) }
    }

    /// For those that one does.
    /// - Parameter schema: The document's name.
    package static func wording(_ schema: String) -> BodyWording {
        { failure in
            let reason: String
            if let keyword = failure.reason.keyword {
                let place = failure.path.map { "['\($0)']" }.joined()
                reason = "\(failure.text). Failed validating '\(keyword)' on instance\(place)"
            } else {
                reason = failure.text
            }
            return .badRequest("Provided object does not match schema '\(schema)': \(reason)")
        }
    }
}

extension BodyFailure.Reason {
    /// JSON Schema's word for the rule that was broken.
    package var keyword: String? {
        switch self {
        case .wrongType: "type"
        case .tooShort: "minLength"
        case .tooLong: "maxLength"
        case .belowMinimum: "minimum"
        case .aboveMaximum: "maximum"
        case .pattern: "pattern"
        case .format: "format"
        case .notOneOf: "enum"
        case .missing: "required"
        case .unexpected: "additionalProperties"
        case .tooMany: "maxItems"
        case .tooFew: "minItems"
        case .notUnique: "uniqueItems"
        case .notAbove, .notAllowed, .noneFits, .sentence: nil
        }
    }
}
