import CoordinatorPlacement

/// The definition of a candidate, without any thought of speed: every assignment of a provider to every class of every
/// group is looked at under every root. What a search must find, and nothing else.
struct CandidateModel {
    let states: [ProviderState]
    let request: CandidateRequest

    /// One class of one group.
    private struct Need {
        var group: Int
        var resourceClass: String
        var amount: Int
    }

    func found() -> Set<Candidate> {
        var needs: [Need] = []
        for (number, group) in request.groups.enumerated() {
            for (name, amount) in group.resources {
                needs.append(Need(group: number, resourceClass: name, amount: amount))
            }
        }
        var result: Set<Candidate> = []
        for root in states.indices where states[root].provider.parent == nil {
            guard request.root.accepts(states[root].traits) else { continue }
            var choice = [Int](repeating: 0, count: needs.count)
            repeat {
                if let candidate = candidate(needs, choice, root: root) { result.insert(candidate) }
            } while advance(&choice)
        }
        return result
    }

    private func advance(_ choice: inout [Int]) -> Bool {
        for index in choice.indices {
            choice[index] += 1
            if choice[index] < states.count { return true }
            choice[index] = 0
        }
        return false
    }

    private func candidate(_ needs: [Need], _ choice: [Int], root: Int) -> Candidate? {
        var candidate = Candidate()
        for (need, place) in zip(needs, choice) {
            guard serves(place, need, root: root) else { return nil }
            candidate.allocations[place, default: [:]][need.resourceClass, default: 0] += need.amount
            candidate.mappings[request.groups[need.group].suffix, default: []].insert(place)
        }
        return groupsHold(candidate) && wholeHolds(candidate) ? candidate : nil
    }

    private func root(of place: Int) -> String { states[place].provider.root }

    private func isReached(_ place: Int, from root: Int) -> Bool {
        if self.root(of: place) == states[root].uuid { return true }
        return states[place].traits.contains("MISC_SHARES_VIA_AGGREGATE")
            && states.contains {
                $0.provider.root == states[root].uuid && !$0.aggregates.isDisjoint(with: states[place].aggregates)
            }
    }

    private func serves(_ place: Int, _ need: Need, root: Int) -> Bool {
        let (state, group) = (states[place], request.groups[need.group])
        guard state.inventories[need.resourceClass]?.hasRoom(for: need.amount) ?? false, isReached(place, from: root),
            group.traits.allows(state.traits)
        else { return false }
        if let tree = group.tree {
            guard states.contains(where: { $0.uuid == tree && $0.provider.root == state.provider.root }) else {
                return false
            }
        }
        let isOwn = self.root(of: place) == states[root].uuid
        guard group.suffix.isEmpty else {
            return group.traits.accepts(state.traits) && group.aggregates.accepts(state.aggregates)
        }
        guard isOwn || (group.tree == nil && group.aggregates.isMet(by: state.aggregates)) else { return false }
        let above = states[root].aggregates
        return (group.aggregates.isMet(by: state.aggregates) || group.aggregates.isMet(by: above))
            && group.aggregates.allows(state.aggregates) && group.aggregates.allows(above)
    }

    private func groupsHold(_ candidate: Candidate) -> Bool {
        var taken: Set<Int> = []
        for group in request.groups {
            let places = candidate.mappings[group.suffix] ?? []
            if group.suffix.isEmpty {
                let traits = places.reduce(into: Set<String>()) { $0.formUnion(states[$1].traits) }
                guard group.traits.isMet(by: traits) else { return false }
            } else {
                guard places.count == 1, !request.isIsolated || taken.isDisjoint(with: places) else { return false }
                taken.formUnion(places)
            }
        }
        return true
    }

    private func wholeHolds(_ candidate: Candidate) -> Bool {
        for (place, amounts) in candidate.allocations {
            for (name, amount) in amounts {
                guard let stock = states[place].inventories[name], stock.used + amount <= stock.capacity,
                    amount <= stock.maxUnit
                else { return false }
            }
        }
        if !request.isNested {
            let roots = Set(candidate.allocations.keys.map(root))
            guard roots.count == candidate.allocations.count else { return false }
        }
        return request.subtrees.allSatisfy { suffixes in
            let places = suffixes.reduce(into: Set<Int>()) { $0.formUnion(candidate.mappings[$1] ?? []) }
            return places.isEmpty || places.contains { top in places.allSatisfy { isBelow($0, top) } }
        }
    }

    private func isBelow(_ place: Int, _ top: Int) -> Bool {
        var uuid: String? = states[place].uuid
        while let current = uuid {
            if current == states[top].uuid { return true }
            uuid = states.first { $0.uuid == current }?.provider.parent
        }
        return false
    }
}
