import ProtocolModel

/// A queue of imports and the rule by which they get their turn. Pure.
///
/// What waits for the network has a queue of its own, so slow servers keep nobody waiting who brings the data along. Of
/// the places in a queue one project gets a few, and never more than it leaves free, so there is one for whoever comes
/// with a first import.
package enum ImportLane: String, Sendable, CaseIterable {
    /// The data is staged. The raw value is the kind of the jobs, as older releases called all of them.
    case direct = "image-import"
    /// The data comes from the web.
    case download = "image-download"

    /// Imports under way at a time: as many jobs of a kind as the engine runs.
    package static let places = 16
    /// Of those, for one project at most.
    package static let share = 4

    /// The first in line of a project's imports.
    package struct Head: Sendable, Hashable {
        package var task: ImageTaskID
        package var owner: ProjectID?

        package init(task: ImageTaskID, owner: ProjectID?) {
            self.task = task
            self.owner = owner
        }
    }

    /// - Parameters:
    ///   - underWay: How many imports of each project are.
    ///   - heads: One for each project that waits, the oldest first.
    /// - Returns: Which of them start now, those of the projects with the fewest under way before others'. What waits
    ///   behind them comes into question afterwards.
    package static func turns(underWay: [ProjectID?: Int], heads: [Head]) -> [Head] {
        var free = places - underWay.values.reduce(0, +)
        let order = heads.enumerated().sorted { one, other in
            (underWay[one.element.owner] ?? 0, one.offset) < (underWay[other.element.owner] ?? 0, other.offset)
        }
        return order.map(\.element).filter { head in
            guard (underWay[head.owner] ?? 0) < min(share, free) else { return false }
            free -= 1
            return true
        }
    }
}
