import CoordinatorPlatform
import Foundation

/// One line of the table of fields: a member of a route's body, and where it takes effect.
///
///     POST /network/v2.0/ports  port_security_enabled  shown
///     POST /compute/v2.1/servers  server.user_data  test:ComputeServerTests.spec
///     POST /compute/v2.1/servers  server.personality  only:[]  # refused: there is no such thing here
///
/// Nothing is accepted and forgotten: what a body takes without an error has an effect that can be seen, or is refused.
struct FieldLine: Sendable, CustomStringConvertible {
    enum Effect: Sendable, Equatable {
        /// The answer has it: a member of this name, with the value that was sent.
        case shown(String)
        /// Its members have lines of their own.
        case parts
        /// A test shows the effect: `Suite.function`, in a file called after the suite.
        case test(String)
        /// Only these values are taken, which ask for nothing; all others are refused.
        case only([JSON])
        /// Whom or what the request is about: another value would be another request.
        case names
        /// Nobody has written down what comes of it: see ``FieldTable/unwritten``.
        case unwritten
        /// The imitated service passes over it as well; why that harms nobody stands behind the number sign.
        case nothing
    }

    var route: String
    var field: String
    var effect: Effect
    var reason: String

    var description: String { "\(route) \(field)" }
    /// The member's own name.
    var name: String { field.split(separator: ".").last.map(String.init) ?? field }

    /// - Returns: `nil` for what is no line.
    init?(_ text: Substring) {
        let parts = text.split(separator: "#", maxSplits: 1)
        let words = (parts.first ?? "").split(separator: " ", maxSplits: 3).map(String.init)
        guard words.count == 4 else { return nil }
        route = "\(words[0]) \(words[1])"
        field = words[2]
        reason = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        let pair = words[3].split(separator: ":", maxSplits: 1).map(String.init)
        let value = (pair.count > 1 ? pair[1] : "").replacing(" ", with: "")
        switch pair[0].replacing(" ", with: "") {
        case "shown": effect = .shown(value.isEmpty ? field.split(separator: ".").last.map(String.init) ?? "" : value)
        case "parts": effect = .parts
        case "names": effect = .names
        case "nothing": effect = .nothing
        case "unwritten": effect = .unwritten
        case "test" where value.contains("."): effect = .test(value)
        case "only":
            guard let values = (try? JSON.parse(Array("[\(value)]".utf8)))?.arrayValue else { return nil }
            effect = .only(values)
        default: return nil
        }
    }
}

/// All slices' tables. A slice that comes adds its own.
enum FieldTable {
    static let texts = [compute, network, image, identity, identityDelegation, placement, fleet, blockStorage]
    static let all: [FieldLine] = (texts + [unwritten]).flatMap { $0.split(separator: "\n") }.compactMap {
        FieldLine($0)
    }
    /// Fields that came faster than their lines: a file that `SKERRY_RECORD=1` adds to, and that only gets shorter
    /// otherwise. Each of them wants a line above that says what comes of it.
    static let unwritten: String = (try? String(contentsOf: unwrittenFile, encoding: .utf8)) ?? ""
    static let unwrittenFile = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "unwritten.txt")
    static let byRoute = Dictionary(grouping: all, by: \.route)
}
