import AgentCore
import ProtocolModel

/// What lies in a pool and how it hangs together. Pure.
struct LayerMap: Equatable, Sendable {
    var links: [LinkName: LayerName] = [:]
    /// With the layer that each is above, `nil` for one that stands alone.
    var layers: [LayerName: LayerName?] = [:]
    /// What was being written when the agent died.
    var parts: [String] = []

    /// How many files are opened for a layer.
    func depth(of layer: LayerName) -> Int { chain(of: layer).count }

    /// The layer and all below it, from the top down.
    func chain(of layer: LayerName) -> [LayerName] {
        var chain = [layer]
        // A loop cannot come about; one that somebody made by hand must not hang the agent.
        while let next = layers[chain[chain.count - 1]] ?? nil, chain.count <= layers.count { chain.append(next) }
        return chain
    }

    /// Layers that nothing leads to, the topmost first.
    /// - Parameter pinned: Those that are in use all the same.
    func unreachable(pinned: Set<LayerName> = []) -> [LayerName] {
        var reached = Set(pinned.flatMap(chain))
        for layer in links.values where !reached.contains(layer) { reached.formUnion(chain(of: layer)) }
        return layers.keys.filter { !reached.contains($0) }
            .map { (depth: depth(of: $0), layer: $0) }
            .sorted { ($1.depth, $0.layer.text) < ($0.depth, $1.layer.text) }
            .map(\.layer)
    }

    /// A name for a volume's next layer, which none of its layers has that are here.
    func next(of volume: VolumeID, reversion: Int) -> LayerName {
        var last = 0
        for case .written(volume, let number, _) in layers.keys { last = max(last, number) }
        return .written(volume, number: last + 1, reversion: reversion)
    }

    /// Whether only one link leads to the layer, and nothing is above it.
    func isAlone(_ layer: LayerName) -> Bool {
        links.values.count { $0 == layer } == 1 && !layers.values.contains(layer)
    }
}
