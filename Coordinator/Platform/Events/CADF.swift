import Crypto
import ProtocolModel

/// Events as auditors read them: Cloud Auditing Data Federation (DMTF DSP0262 1.0), with the names that OpenStack's
/// services use (pycadf, keystonemiddleware's audit). Pure: the same line always gives the same event with the same id.
public struct CADF: Sendable {
    private let cloud: String
    private let observer: String

    /// - Parameter cloud: What tells this cloud's events from another's: its public URL.
    public init(cloud: String) {
        self.cloud = cloud
        observer = Self.identifier("observer \(cloud)")
    }

    private static let version = "http://schemas.dmtf.org/cloud/audit/1.0/event"

    public func render(_ stored: StoredEvent) -> JSON {
        let event = stored.event
        let name = ActionName(event.action)
        var body: [String: JSON] = [
            "typeURI": JSON(Self.version), "eventType": "activity",
            "id": JSON(Self.identifier("event \(cloud) \(stored.number) \(event.time) \(event.requestID)")),
            "eventTime": JSON(Timestamp.microsWithoutZone(event.time) + "+00:00"), "name": JSON(event.action),
            "action": JSON(name.action), "outcome": event.refusedWith == nil ? "success" : "failure",
            "initiator": initiator(event), "target": target(event, name),
            "observer": ["typeURI": JSON(name.observer), "id": JSON(observer), "name": "skerry-coordinator"]
        ]
        if let status = event.refusedWith { body["reason"] = reason(event, status: status) }
        if event.count > 1 {
            body["measurements"] = [
                ["result": JSON(event.count), "metric": ["metricId": "count", "name": "repetitions", "unit": "count"]]
            ]
        }
        return .object(body)
    }

    private func initiator(_ event: Event) -> JSON {
        var initiator: [String: JSON] = [
            "typeURI": "service/security/account/user", "id": JSON(event.user.isEmpty ? "unknown" : event.user)
        ]
        if !event.userName.isEmpty { initiator["name"] = JSON(event.userName) }
        if !event.project.isEmpty { initiator["project_id"] = JSON(event.project) }
        if !event.requestID.isEmpty { initiator["request_id"] = JSON(event.requestID) }
        if !event.remoteAddress.isEmpty { initiator["host"] = ["address": JSON(event.remoteAddress)] }
        return .object(initiator)
    }

    private func target(_ event: Event, _ name: ActionName) -> JSON {
        ["typeURI": JSON(name.target), "id": JSON(event.target.isEmpty ? "unknown" : event.target)]
    }

    private func reason(_ event: Event, status: Int) -> JSON {
        let text = event.outcome.drop { $0 != " " }.dropFirst()
        var reason: [String: JSON] = [
            "reasonType": text.isEmpty ? "HTTP" : JSON("HTTP: \(text)"), "reasonCode": JSON(String(status))
        ]
        if !event.rule.isEmpty {
            reason["policyType"] = "oslo.policy"
            reason["policyId"] = JSON(event.rule)
        }
        return .object(reason)
    }

    /// A UUID made of the text (RFC 9562, version 8).
    private static func identifier(_ text: String) -> String {
        var bytes = Array(SHA256.hash(data: Array("skerry audit \(text)".utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x80
        bytes[8] = bytes[8] & 0x3f | 0x80
        let number = bytes.reduce((high: UInt64(0), low: UInt64(0))) { parts, byte in
            (parts.high << 8 | parts.low >> 56, parts.low << 8 | UInt64(byte))
        }
        return AnyID(high: number.high, low: number.low).text
    }
}

/// `compute.server.create` in CADF's taxonomies.
private struct ActionName {
    var action: String
    var target: String
    var observer: String

    init(_ name: String) {
        let parts = name.split(separator: ".").map(String.init)
        let service = parts.first ?? ""
        let verb = parts.last ?? ""
        let resource = parts.dropFirst().dropLast().joined(separator: "/")
        action = Self.action(verb)
        observer = Self.observers[service] ?? "service/security"
        target =
            verb == "authenticate" || service.isEmpty
            ? "service/security/account/user" : Self.target(service, resource)
    }

    private static let observers = [
        "compute": "service/compute", "placement": "service/compute", "fleet": "service/compute",
        "network": "service/network", "image": "service/storage/image", "volume": "service/storage/block",
        "object": "service/storage/object"
    ]

    /// CADF's own actions, and below `update` whatever else is done.
    private static func action(_ verb: String) -> String {
        switch verb {
        case "create", "delete", "update", "revoke", "authenticate", "enable", "disable": verb
        case "ensure": "create"
        case "remove", "clear", "purge": "delete"
        case "replace", "set": "update"
        case "": "unknown"
        default: "update/\(verb)"
        }
    }

    private static func target(_ service: String, _ resource: String) -> String {
        switch (service, resource) {
        case ("identity", "user"): "data/security/account/user"
        case ("identity", _): resource.isEmpty ? "data/security" : "data/security/\(resource)"
        case ("image", "image"): "data/image"
        case ("image", _): "data/image/\(resource)"
        case ("compute", _): resource.isEmpty ? "compute" : "compute/\(resource)"
        case ("network", _): resource.isEmpty ? "network" : "network/\(resource)"
        case ("fleet", "node"): "compute/node"
        default: resource.isEmpty ? "service/\(service)" : "service/\(service)/\(resource)"
        }
    }
}
