import CoordinatorPlacement
import CoordinatorPlatform
import HTTPTypes
import NIOCore
import ProtocolModel

/// Providers written as text, one a line: `cn1/gpu VGPU:4-2 +CUSTOM_FAST @rack` is the child `gpu` of `cn1` with four
/// VGPUs of which two are taken, a trait and an aggregate. Queries name both in braces.
struct Wood {
    private(set) var states: [ProviderState] = []
    private var ids: [String: String] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") { add(line.split(separator: " ").map(String.init)) }
    }

    private mutating func id(_ name: String) -> String {
        let id = ids[name] ?? AnyID(high: 7, low: UInt64(ids.count + 1)).text
        ids[name] = id
        return id
    }

    private mutating func add(_ words: [String]) {
        guard let path = words.first else { return }
        let parent = path.contains("/") ? path.split(separator: "/").dropLast().joined(separator: "/") : nil
        let root = String(path.prefix { $0 != "/" })
        var state = ProviderState(
            provider: Provider(
                key: Int64(states.count + 1), uuid: id(path), name: path, generation: 0, consumers: 0, updatedAt: 0,
                parent: parent.map { id($0) }, root: id(root)))
        for word in words.dropFirst() {
            if word.hasPrefix("+") {
                state.traits.insert(String(word.dropFirst()))
            } else if word.hasPrefix("@") {
                state.aggregates.insert(id(String(word.dropFirst())))
            } else {
                let parts = word.split(separator: ":")
                let amounts = parts[1].split(separator: "-").compactMap { Int($0) }
                state.inventories[String(parts[0])] = Inventory(
                    total: amounts[0], used: amounts.count > 1 ? amounts[1] : 0)
            }
        }
        states.append(state)
    }

    func name(_ place: Int) -> String { states[place].provider.name }

    /// A call with the query, in which `{cn1}` is an id.
    func call(_ query: String, minor: Int = 39) throws -> APICall {
        try Self.call(
            ids.reduce(query) { $0.replacing("{\($1.key)}", with: $1.value) }, minor: minor)
    }

    static func call(_ query: String, minor: Int = 39) throws -> APICall {
        let pairs = query.split(separator: "&").map { pair -> (name: String, value: String) in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
        return APICall(
            method: .get, path: "/", parameters: [:], query: pairs, headers: HTTPFields(), requestID: "req-1",
            baseURL: "", microversion: Microversion(1, minor), caller: nil, token: nil, remoteAddress: "", now: 0,
            action: "", body: NoBody(), database: try EmbeddedDatabase(inMemory: .init()))
    }

    private struct NoBody: RequestBodySource {
        func json() async throws -> JSON { .null }
        func bytes() async throws -> [UInt8] { [] }
        func forEachChunk(_ body: (ByteBuffer) async throws -> Void) async throws {}
    }

    /// What serves the query, as `cn1 VCPU:1 + cn1/gpu VGPU:1`, in the order found.
    func candidates(_ query: String, minor: Int = 39, budget: CandidateSearch.Budget? = nil) throws -> [String] {
        try search(query, minor: minor, budget: budget).requests.map(text)
    }

    func search(
        _ query: String, minor: Int = 39, budget: CandidateSearch.Budget? = nil
    ) throws -> Candidates {
        CandidateSearch.run(
            try CandidateQuery.read(try call(query, minor: minor)), among: ProviderForest(states), budget: budget)
    }

    func text(_ candidate: Candidate) -> String {
        candidate.allocations.sorted { $0.key < $1.key }.map { place, amounts in
            ([name(place)] + amounts.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" })
                .joined(separator: " ")
        }.joined(separator: " + ")
    }
}
