/// What is wrong with a request's body, before any service has put it into words.
public struct BodyFailure: Error, Sendable, Equatable {
    public enum Reason: Sendable, Equatable {
        /// JSON Schema's names of the types that would do.
        case wrongType([String])
        case tooShort(least: Int)
        case tooLong(most: Int)
        case belowMinimum(String)
        case aboveMaximum(String)
        /// Must be more than this.
        case notAbove(String)
        /// As the service writes the regular expression.
        case pattern(String)
        /// `uuid`, `ipv4`: what the text should be.
        case format(String)
        case notOneOf([JSON])
        case missing(String)
        case unexpected([String])
        /// Known, but not for this call.
        case notAllowed(String)
        case tooMany(most: Int)
        case tooFew(least: Int)
        case notUnique
        /// None of several formats fits.
        case noneFits
        /// A sentence that says it all.
        case sentence(String)
    }

    /// The names on the way to the value, outermost first.
    public var path: [String]
    public var value: JSON
    public var reason: Reason

    public init(_ reason: Reason, _ value: JSON, path: [String] = []) {
        self.reason = reason
        self.value = value
        self.path = path
    }

    /// What is wrong in the words of Python's jsonschema, which most services show; bounded.
    public var text: String {
        let shown = value.pythonQuoted
        return switch reason {
        case .wrongType(let types): "\(shown) is not of type \(types.map { "'\($0)'" }.joined(separator: ", "))"
        case .tooShort, .tooFew: "\(shown) is too short"
        case .tooLong, .tooMany: "\(shown) is too long"
        case .belowMinimum(let bound): "\(shown) is less than the minimum of \(bound)"
        case .aboveMaximum(let bound): "\(shown) is greater than the maximum of \(bound)"
        case .notAbove(let bound): "\(shown) is less than or equal to the minimum of \(bound)"
        case .pattern(let pattern): "\(shown) does not match '\(pattern)'"
        case .format(let format): "\(shown) is not a '\(format)'"
        case .notOneOf(let choices): "\(shown) is not one of \(JSON.array(choices).pythonQuoted)"
        case .missing(let name): "'\(name)' is a required property"
        case .unexpected(let names):
            "Additional properties are not allowed (\(names.map { "'\($0)'" }.joined(separator: ", ")) "
                + "\(names.count == 1 ? "was" : "were") unexpected)"
        case .notAllowed(let name): "'\(name)' is not allowed here"
        case .notUnique: "\(shown) has non-unique elements"
        case .noneFits: "\(shown) is not valid under any of the given schemas"
        case .sentence(let sentence): sentence
        }
    }

    /// The same failure, seen from one level further out.
    public func below(_ name: String) -> Self {
        var failure = self
        failure.path.insert(name, at: 0)
        return failure
    }
}

/// How a service says it. The failure's ``BodyFailure/text`` is for most a part of it.
public typealias BodyWording = @Sendable (BodyFailure) -> APIError
