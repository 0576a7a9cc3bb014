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

    /// A layer that could stand on another one further down, if it held what is between them too.
    struct Shortcut: Equatable {
        var layer: LayerName
        /// `nil`: it stands alone then.
        var base: LayerName?
    }

    /// What to shorten next.
    /// - Parameters:
    ///   - usual: Chains with more layers are freed of those that nothing else needs.
    ///   - longest: Where nothing is of that kind, chains near this are cut by a copy of what others go on needing.
    func shortcut(usual: Int, longest: Int) -> Shortcut? {
        var above: [LayerName: Int] = [:]
        for case let below? in layers.values { above[below, default: 0] += 1 }
        let chains = Set(links.values).filter { layers[$0] != nil }.map(chain)
            .filter { $0.count > usual }
            .sorted { ($1.count, $0[0].text) < ($0.count, $1[0].text) }
        for chain in chains {
            let depth = chain.count > longest * 3 / 4 ? longest / 2 : nil
            if let shortcut = shortcut(in: chain, above, copyAt: depth) { return shortcut }
        }
        return nil
    }

    /// - Parameter copyAt: How deep what may be copied lies at most, so that one copy serves all above it; `nil`: nothing is.
    private func shortcut(
        in chain: [LayerName], _ above: [LayerName: Int], copyAt depth: Int?
    ) -> Shortcut? {
        let linked = Set(links.values)
        var written: Set<LayerName> = []
        for (link, layer) in links {
            if case .snapshot = link { continue }
            written.insert(layer)
        }
        let frozen = chain.indices.filter { !chain[$0].isImage && !written.contains(chain[$0]) }
        func run(below index: Int) -> Int {
            chain[(index + 1)...].prefix { !$0.isImage && !linked.contains($0) && above[$0] == 1 }.count
        }
        var best: (index: Int, count: Int)?
        for index in frozen where run(below: index) > best?.count ?? 0 { best = (index, run(below: index)) }
        if let best {
            let base = best.index + best.count + 1
            return Shortcut(layer: chain[best.index], base: base < chain.count ? chain[base] : nil)
        }
        guard let depth, let cut = frozen.first(where: { chain.count - $0 <= depth }), chain.count - cut > 2,
            let bottom = chain.last
        else { return nil }
        return Shortcut(layer: chain[cut], base: bottom.isImage ? bottom : nil)
    }

    /// Whether only one link leads to the layer, and nothing is above it.
    func isAlone(_ layer: LayerName) -> Bool {
        links.values.count { $0 == layer } == 1 && !layers.values.contains(layer)
    }
}
