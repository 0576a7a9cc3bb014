import CoordinatorPlatform
import ProtocolModel

/// Small maps that are always read and written whole live in one text column as JSON.
enum JSONColumn {
    static func text(_ map: [String: String]) -> String {
        map.isEmpty ? "{}" : JSON.object(map.mapValues(JSON.string)).text
    }

    /// - Throws: ``StoreError/corrupt(_:)`` for anything but an object of strings.
    static func map(_ text: String) throws -> [String: String] {
        if text == "{}" { return [:] }
        guard case .object(let members) = try? JSON.parse(text) else {
            throw StoreError.corrupt("'\(text)' is not a JSON object")
        }
        return try members.mapValues { value in
            guard let string = value.stringValue else { throw StoreError.corrupt("'\(text)' holds more than strings") }
            return string
        }
    }

    static func text(_ hosts: [NodeID: String]) -> String {
        text(Dictionary(hosts.map { ($0.key.text, $0.value) }, uniquingKeysWith: { first, _ in first }))
    }

    static func hosts(_ text: String) throws -> [NodeID: String] {
        var hosts: [NodeID: String] = [:]
        for (key, reason) in try map(text) {
            guard let node = NodeID(key) else { throw StoreError.corrupt("'\(key)' is not an identifier") }
            hosts[node] = reason
        }
        return hosts
    }
}
