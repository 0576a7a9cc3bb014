import CoordinatorPlatform
import ProtocolModel
import Synchronization
import Testing
import Glibc

/// Holds the table of fields against every request of every contract test: what its schemas take stands in the table,
/// and what the table says is shown is in the answer, with the value that was sent.
final class FieldCoverage: Sendable {
    @TaskLocal static var current: FieldCoverage?

    private let route = Mutex<String?>(nil)
    private let trace = BodyTrace()

    /// - Returns: What the request gave, checked; not where a test traces bodies itself.
    static func hold(_ bytes: [UInt8], _ request: () async -> Answer) async -> Answer {
        guard !bytes.isEmpty, bytes.count < 1 << 16, BodyTrace.current == nil else { return await request() }
        let coverage = FieldCoverage()
        let answer = await $current.withValue(coverage) {
            await BodyTrace.$current.withValue(coverage.trace) { await request() }
        }
        coverage.check((try? JSON.parse(bytes)) ?? .null, answer)
        return answer
    }

    /// The pipeline found the route.
    @Sendable static func visited(_ service: ServiceAPI, _ route: Route) {
        current?.route.withLock { $0 = "\(route.method.rawValue) \(service.prefix)\(route.path)" }
    }

    private func dump(_ route: String, _ body: JSON, _ answer: Answer) {
        guard let path = getenv("FIELD_DUMP"), let file = fopen(path, "a") else { return }
        defer { fclose(file) }
        let isOK = (200..<300).contains(answer.status)
        for field in trace.fields {
            let words = field.split(separator: ".").map(String.init)
            let sent = isOK ? FieldValues.at(words, in: body) : []
            let shown = sent.count { FieldValues.isShown($0, as: words.last ?? "", in: answer.json) }
            fputs("\(route)\t\(field)\t\(sent.count)\t\(shown)\n", file)
        }
    }

    private func check(_ body: JSON, _ answer: Answer) {
        guard let route = route.withLock({ $0 }) else { return }
        dump(route, body, answer)
        let lines = Dictionary(
            (FieldTable.byRoute[route] ?? []).map { ($0.field, $0) }, uniquingKeysWith: { first, _ in first })
        for field in trace.fields.sorted() where lines[field] == nil {
            Issue.record("\(route) takes '\(field)', and the table of fields does not say what comes of it")
        }
        guard (200..<300).contains(answer.status) else { return }
        let shown = answer.json
        for line in lines.values {
            let sent = FieldValues.at(line.field.split(separator: ".").map(String.init), in: body)
            switch line.effect {
            case .shown(let name):
                for value in sent where !FieldValues.isShown(value, as: name, in: shown) {
                    Issue.record("\(route) took \(line.field)=\(value.text) and does not show it: \(shown.text)")
                }
            case .only(let values):
                for value in sent where !values.contains(value) {
                    Issue.record("\(route) took \(line.field)=\(value.text), of which nothing comes")
                }
            case .parts, .test, .names, .nothing: break
            }
        }
    }
}

/// Finding values in bodies.
enum FieldValues {
    /// The values at a path; through lists, and through the member that a resource stands below.
    static func at(_ path: [String], in json: JSON) -> [JSON] {
        let direct = find(path[...], in: json)
        if !direct.isEmpty { return direct }
        guard let members = json.objectValue, members.count == 1, let inner = members.first?.value else { return [] }
        return find(path[...], in: inner)
    }

    private static func find(_ path: ArraySlice<String>, in json: JSON) -> [JSON] {
        if case .array(let items) = json { return items.flatMap { find(path, in: $0) } }
        guard let name = path.first else { return [json] }
        guard let member = json[name] else { return [] }
        return path.count == 1 ? [member] : find(path.dropFirst(), in: member)
    }

    static func isShown(_ value: JSON, as name: String, in json: JSON) -> Bool {
        switch json {
        case .object(let members):
            members.contains { ($0.key == name && isSame(value, $0.value)) || isShown(value, as: name, in: $0.value) }
        case .array(let items): items.contains { isShown(value, as: name, in: $0) }
        default: false
        }
    }

    /// The same but for its spelling: `5` and `"5"`, an id with and without hyphens, an order.
    private static func isSame(_ sent: JSON, _ shown: JSON) -> Bool {
        if sent == shown { return true }
        switch (sent, shown) {
        case (.null, .string(let text)): return text.isEmpty
        case (.null, .array(let items)): return items.isEmpty
        case (.null, .object(let members)): return members.isEmpty
        case (.array(let sent), .array(let shown)):
            return sent.allSatisfy { item in shown.contains { isSame(item, $0) } }
        case (.object(let sent), .object(let shown)):
            return sent.allSatisfy { member in shown[member.key].map { isSame(member.value, $0) } ?? false }
        default: return plain(sent) == plain(shown)
        }
    }

    private static func plain(_ json: JSON) -> String {
        var text = json.stringValue ?? json.text
        text = ["1": "true", "0": "false"][text] ?? text.lowercased()
        if let id = AnyID(text) { return id.compact }
        if let number = Double(text) { return "\(number)" }
        return text
    }
}
