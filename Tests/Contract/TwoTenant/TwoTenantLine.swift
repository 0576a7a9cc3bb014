import CoordinatorPlatform
import HTTPTypes
import ProtocolModel

/// One line of the two-tenant table: a route, where it names something, what, and what becomes of a member of another
/// project who names it there.
///
///     GET  /network/v2.0/ports/{id}  {id}            port    foreign=404 gone=404 malformed=404
///     PUT  /network/v2.0/ports/{id}  port.device_id  device  foreign=409 gone=200
///     PUT  /network/v2.0/ports/{id}  port.host       -       # a reason, where nothing of anybody's can be named
///
/// The third column is a parameter of the path in braces, one of the query behind a question mark, or a member of the body. The cases are: something of the other
/// project's (`foreign`), something that is no more (`gone`), what can be no such name (`malformed`), and what is
/// another's but shared with everybody (`seen`).
struct TwoTenantLine: Sendable, CustomStringConvertible {
    enum Case: String, Sendable, CaseIterable {
        case foreign, gone, malformed, seen
    }

    var route: String
    var place: String
    var thing: String
    var expected: [(case: Case, status: Int)] = []
    var reason = ""

    var description: String { "\(route) \(place)" }
    var method: HTTPRequest.Method { HTTPRequest.Method(String(route.prefix { $0 != " " })) ?? .get }
    var path: String { String(route.drop { $0 != " " }.dropFirst()) }
    /// Not in the body.
    var isPath: Bool { place.hasPrefix("{") || isQuery }
    var isQuery: Bool { place.hasPrefix("?") }
    var parameter: String { String(place.dropFirst().dropLast()) }

    /// - Returns: `nil` for what is no line.
    init?(_ text: Substring) {
        let parts = text.split(separator: "#", maxSplits: 1)
        let words = (parts.first ?? "").split(separator: " ").map(String.init)
        guard words.count >= 4 else { return nil }
        route = "\(words[0]) \(words[1])"
        place = words[2]
        thing = words[3]
        reason = parts.count > 1 ? String(parts[1]).trimmingBlanks : ""
        for word in words.dropFirst(4) {
            let pair = word.split(separator: "=").map(String.init)
            guard pair.count == 2, let name = Case(rawValue: pair[0]), let status = Int(pair[1]) else { return nil }
            expected.append((name, status))
        }
    }

    /// What is no line is no route's either, so that the test of all lines names it.
    private init(malformed text: Substring) { (route, place, thing) = (String(text), "", "-") }

    static func read(_ table: String) -> [TwoTenantLine] {
        table.split(separator: "\n").filter { !$0.allSatisfy { $0 == " " } }.map {
            TwoTenantLine($0) ?? TwoTenantLine(malformed: $0)
        }
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

/// All slices' tables. A slice that comes adds its own.
enum TwoTenantTable {
    static let all: [(service: String, lines: [TwoTenantLine])] = [
        ("/network", TwoTenantLine.read([network, routers, subnetPools, qos].joined(separator: "\n"))),
        ("/compute", TwoTenantLine.read(compute + "\n" + computeProxies)), ("/image", TwoTenantLine.read(image)),
        ("/volume", TwoTenantLine.read(volume + volumeWithoutProject))
    ]

    /// Paths that are closed to members of projects, whatever they name: no line for each of their routes.
    static let closed = ["/identity/", "/placement/", "/skerry/", "/image/v2/metadefs/"]

    /// Parameters that name nothing of anybody's, but a part of what is named before them, or a word.
    static let parts: [String: Set<String>] = [
        "/network/": ["{tag}", "{alias}", "{type}"], "/image/": ["{tag}"],
        // Every path is below the caller's own project; VolumeTwoTenantTests names others there.
        "/volume/": ["{project_id}", "{key}", "{alias}", "{verb}", "{absent_id}", "{host}", "{class}"],
        "/compute/": ["{tag}", "{key}", "{alias}", "{request_id}", "{network}", "{class}", "{before}"]
    ]

    /// Members of bodies that name something by what they are called.
    static func isNaming(_ member: String) -> Bool {
        words.contains(member) || endings.contains { member.hasSuffix($0) }
    }

    private static let endings = ["_id", "_ids", "Ref", "uuid", "_ip", "_ips", "_pairs", "_address", "_prefix"]
    private static let words: Set<String> = [
        "id", "host", "hypervisor_hostname", "networks", "security_groups", "key_name", "owner", "device_owner",
        "member", "user", "project", "domain", "group", "port", "binding:host_id", "provider:physical_network",
        "provider:segmentation_id", "availability_zone", "os:scheduler_hints", "OS-SCH-HNT:scheduler_hints",
        "block_device_mapping", "block_device_mapping_v2", "tenant"
    ]
}
