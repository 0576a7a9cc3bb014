import CoordinatorPlatform
import ProtocolModel

/// Turns an ``ImageListing`` into a page whose cost does not depend on how many images there are. Pure.
///
/// What a project sees is a union of branches: its own images, public ones, those shared with it. Each walks an index of
/// its own (``ImageListSchema``).
package struct ImageListSQL {
    private let listing: ImageListing
    private let rare: Set<Int>
    private let isSharedWithMuch: Bool

    /// - Parameters:
    ///   - rare: The places of those filters by tag or property that few images match. Those images are looked up; for a
    ///     filter that many match, images are read in order and asked one by one.
    ///   - isSharedWithMuch: Whether the viewer is a member of more images than one sorts for a page.
    package init(_ listing: ImageListing, rare: Set<Int> = [], isSharedWithMuch: Bool = false) {
        self.listing = listing
        self.rare = rare
        self.isSharedWithMuch = isSharedWithMuch
    }

    package var page: KeysetPage {
        let filters = listing.filters.enumerated().map { Self.condition($1, isRare: rare.contains($0)) }
        return KeysetPage(
            branches: branches, condition: .all(filters),
            keys: listing.sort.map { KeysetPage.Key(Self.expression($0.field), isAscending: $0.ascending) },
            limit: listing.limit,
            marker: listing.marker.map { marker in listing.sort.map { Self.value($0.field, of: marker).sqlValue } })
    }

    /// How many images are shared with the viewer, up to a limit that comes as the last argument; `nil` where that
    /// decides nothing.
    package static func memberships(_ listing: ImageListing) -> SQLCondition? {
        guard case .project(let project) = listing.viewer, listing.sort.first?.field == .name else { return nil }
        return count(memberships(of: project, listing.memberStatus))
    }

    /// How many images match a filter by tag or property, up to a limit that comes as the last argument; `nil` for other
    /// filters.
    package static func count(_ filter: ImageListing.Filter) -> SQLCondition? { lookup(filter).map(count) }

    private static func count(_ rows: SQLCondition) -> SQLCondition {
        SQLCondition("SELECT COUNT(*) FROM (SELECT image FROM \(rows.sql) LIMIT ?) AS matches", rows.arguments)
    }

    /// Table and condition that find what is shared with a project.
    private static func memberships(of project: ProjectID, _ status: String?) -> SQLCondition {
        let condition = SQLCondition.equal("member", project.compact)
        guard let status else { return rows("image_members", condition.sql, condition.arguments) }
        return rows("image_members", "\(condition.sql) AND status = ?", condition.arguments + [status])
    }

    private static func rows(_ table: String, _ condition: String, _ arguments: [any SQLArgument]) -> SQLCondition {
        SQLCondition("\(table) WHERE \(condition)", arguments)
    }

    // MARK: - Who sees what

    /// Disjoint, so that no image comes twice.
    private var branches: [KeysetPage.Branch] {
        switch listing.viewer {
        case .administrator(let project): [Self.branch([administratorCondition(project)])]
        case .project(let project): projectBranches(project)
        }
    }

    private static func branch(_ conditions: [SQLCondition]) -> KeysetPage.Branch {
        KeysetPage.Branch(source: SQLCondition("images"), condition: .all(conditions))
    }

    private func administratorCondition(_ project: ProjectID?) -> SQLCondition {
        switch listing.visibility {
        case .all: .always
        case .only(let visibility): .equal("visibility", visibility)
        case .usual:
            if let project {
                SQLCondition("visibility <> 'community' OR owner = ?", [project])
            } else {
                SQLCondition("visibility <> 'community'")
            }
        }
    }

    private func projectBranches(_ project: ProjectID) -> [KeysetPage.Branch] {
        let mine = SQLCondition.equal("owner", project)
        let foreign = SQLCondition("owner IS NULL OR owner <> ?", [project])
        func visible(_ visibility: Image.Visibility) -> SQLCondition { .equal("visibility", visibility) }
        let own = Self.branch([mine])
        let published = Self.branch([visible(.public), foreign])
        let shared = sharedBranch(with: project, foreign)
        switch listing.visibility {
        case .usual: return [own, published, shared]
        case .all: return [own, published, Self.branch([visible(.community), foreign]), shared]
        case .only(.private): return [Self.branch([mine, visible(.private)])]
        case .only(.shared): return [Self.branch([mine, visible(.shared)]), shared]
        case .only(let visibility): return [Self.branch([visible(visibility)])]
        }
    }

    /// By default in the order of the memberships' index, which has the images' times, so that a page reads no more of
    /// them than it shows. In another order all that is shared with the project is sorted, where that is little, and else
    /// the index of what anybody shares is walked and each image asked. A cross join is done from left to right.
    private func sharedBranch(with project: ProjectID, _ foreign: SQLCondition) -> KeysetPage.Branch {
        let memberships = Self.memberships(of: project, listing.memberStatus)
        let shared = [SQLCondition("visibility = 'shared'"), foreign]
        if isLookedUp || (isSharedWithMuch && listing.sort.first?.field == .name) {
            return Self.branch(shared + [Self.exists(memberships)])
        }
        let source = """
            (SELECT image AS shared_image, image_created_at AS shared_at FROM \(memberships.sql)) AS memberships \
            CROSS JOIN images
            """
        return KeysetPage.Branch(
            source: SQLCondition(source, memberships.arguments),
            condition: .all([SQLCondition("uuid = shared_image")] + shared),
            names: [Self.expression(.createdAt): "shared_at", Self.expression(.id): "shared_image"])
    }

    private static func exists(_ rows: SQLCondition) -> SQLCondition {
        SQLCondition("EXISTS (SELECT 1 FROM \(rows.sql) AND image = uuid)", rows.arguments)
    }

    /// Whether a filter leaves few images, whoever sees them.
    private var isLookedUp: Bool {
        !rare.isEmpty
            || listing.filters.contains { filter in
                guard case .text(let field, _) = filter else { return false }
                return [.id, .hash].contains(field)
            }
    }

    // MARK: - Filters

    private static func condition(_ filter: ImageListing.Filter, isRare: Bool) -> SQLCondition {
        switch filter {
        case .text(let field, let values): return .in(expression(field.rawValue), values.map { stored(field, $0) })
        case .number(let field, let comparison, let value):
            // Not as it is sorted: an image without data has no size, which no bound matches.
            return SQLCondition("\(field.rawValue) \(sign(comparison)) ?", [value])
        case .time(let field, let comparison, let second): return time(field.rawValue, comparison, second)
        case .flag(let field, let value): return .equal(field == .protected ? "protected" : "hidden", value)
        case .tag, .property:
            guard let lookup = lookup(filter) else { return .never }
            return isRare
                ? SQLCondition("uuid IN (SELECT image FROM \(lookup.sql))", lookup.arguments) : exists(lookup)
        case .hashed: return SQLCondition("sha512 IS NOT NULL")
        case .nothing: return .never
        }
    }

    /// Table and condition that find the images with a tag or property.
    private static func lookup(_ filter: ImageListing.Filter) -> SQLCondition? {
        switch filter {
        case .tag(let tag): return rows("image_tags", "tag = ?", [tag])
        case .property(let name, let value):
            // The index has the first 64 characters of a value that may be long.
            let start = String(String.UnicodeScalarView(value.unicodeScalars.prefix(64)))
            return rows("image_properties", "name = ? AND SUBSTR(value, 1, 64) = ? AND value = ?", [name, start, value])
        default: return nil
        }
    }

    /// Identifiers are stored in the long form; clients write projects in the short one.
    private static func stored(_ field: ImageListing.TextField, _ value: String) -> String {
        [.owner, .id].contains(field) ? AnyID(value)?.text ?? value : value
    }

    private static func sign(_ comparison: ImageListing.Comparison) -> String {
        switch comparison {
        case .eq: "="
        case .neq: "<>"
        case .gt: ">"
        case .gte: ">="
        case .lt: "<"
        case .lte: "<="
        }
    }

    /// Columns hold microseconds, clients speak of whole seconds: every comparison becomes one with a second's ends.
    private static func time(_ column: String, _ comparison: ImageListing.Comparison, _ second: Int64) -> SQLCondition {
        let start = second * 1_000_000
        let end = start + 1_000_000
        return switch comparison {
        case .eq: SQLCondition("\(column) >= ? AND \(column) < ?", [start, end])
        case .neq: SQLCondition("\(column) < ? OR \(column) >= ?", [start, end])
        case .gt: SQLCondition("\(column) >= ?", [end])
        case .gte: SQLCondition("\(column) >= ?", [start])
        case .lt: SQLCondition("\(column) < ?", [start])
        case .lte: SQLCondition("\(column) < ?", [end])
        }
    }

    // MARK: - Order

    private static func expression(_ field: ImageListing.SortField) -> String { expression(field.rawValue) }

    /// As ``ImageListSchema`` has them: what there is of a name in the API, without NULLs where that can be.
    private static func expression(_ name: String) -> String {
        switch name {
        case "name", "disk_format", "container_format": "COALESCE(\(name), '')"
        case "size": "COALESCE(size, -1)"
        case "id": "uuid"
        case "os_hash_value": "sha512"
        default: name
        }
    }

    private static func value(_ field: ImageListing.SortField, of image: Image) -> any SQLArgument {
        switch field {
        case .name: image.name ?? ""
        case .diskFormat: image.diskFormat ?? ""
        case .containerFormat: image.containerFormat ?? ""
        case .size: image.sizeBytes ?? -1
        case .id: image.id
        case .status: image.status
        case .createdAt: image.createdAt
        case .updatedAt: image.updatedAt
        }
    }
}
