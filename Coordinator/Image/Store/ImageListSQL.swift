import CoordinatorPlatform
import ProtocolModel

/// Turns an ``ImageListing`` into statements whose cost is that of one page. Pure.
///
/// Two things keep it flat. What a project sees is a union of branches (its own images, public ones, those shared with
/// it), each of which walks an index of its own. And what comes after a marker is read in strides: first the rows that
/// equal the marker in all but the last sort key, then those equal in all but the last two, and so on; each is a range
/// of the same index, also where the directions differ.
package struct ImageListSQL {
    package struct Statement {
        package var text: String
        package var arguments: [any SQLArgument]
    }

    private struct Clause {
        var text: String
        var arguments: [any SQLArgument] = []
    }

    /// Images that the viewer sees for one reason.
    private struct Branch {
        var source = Clause(text: "images")
        var clauses: [Clause]
        /// Sort keys that the source has under a name of its own, in an index of its own.
        var names: [ImageListing.SortField: String] = [:]
    }

    /// What comes after the marker, as far as it equals the marker in the sort keys before ``place``.
    private struct Stride {
        var place: Int
        var marker: Image?
    }

    private let listing: ImageListing
    private let columns: String
    private let rare: Set<Int>
    private let isSharedWithMuch: Bool

    /// - Parameters:
    ///   - rare: The places of those filters by tag or property that few images match. Those images are looked up; for a
    ///     filter that many match, images are read in order and asked one by one.
    ///   - isSharedWithMuch: Whether the viewer is a member of more images than one sorts for a page.
    package init(
        _ listing: ImageListing, columns: String, rare: Set<Int> = [], isSharedWithMuch: Bool = false
    ) {
        self.listing = listing
        self.columns = columns
        self.rare = rare
        self.isSharedWithMuch = isSharedWithMuch
    }

    /// How many images are shared with the viewer, up to a limit that comes as the last argument; `nil` where that
    /// decides nothing.
    package static func memberships(_ listing: ImageListing) -> Statement? {
        guard case .project(let project) = listing.viewer, listing.sort.first?.field == .name else { return nil }
        let memberships = memberships(of: project, listing.memberStatus)
        return Statement(
            text: "SELECT COUNT(*) FROM (SELECT image FROM \(memberships.text) LIMIT ?) AS matches",
            arguments: memberships.arguments)
    }

    /// Table and condition that find what is shared with a project.
    private static func memberships(of project: ProjectID, _ status: String?) -> Clause {
        var clause = Clause(text: "image_members WHERE member = ?", arguments: [project.compact])
        if let status {
            clause.text += " AND status = ?"
            clause.arguments.append(status)
        }
        return clause
    }

    /// How many images match a filter by tag or property, up to a limit that comes as the last argument; `nil` for other
    /// filters.
    package static func count(_ filter: ImageListing.Filter) -> Statement? {
        guard let lookup = lookup(filter) else { return nil }
        return Statement(
            text: "SELECT COUNT(*) FROM (SELECT image FROM \(lookup.text) LIMIT ?) AS matches",
            arguments: lookup.arguments)
    }

    /// To be run one after the other until the page is full, with ``arguments(of:missing:)``.
    package var statements: [Statement] {
        let filters = listing.filters.enumerated().map { Self.clause($1, isRare: rare.contains($0)) }
        return strides.map { stride in
            // What is the same in all rows of a stride decides nothing, and the engine does not always notice.
            let order = order(from: stride.place)
            let parts = branches.map { part(of: $0, and: filters, stride) }
            guard parts.count > 1 else { return parts[0] }
            let union = parts.map { "SELECT * FROM (\($0.text)) AS branch" }.joined(separator: " UNION ALL ")
            return Statement(
                text: "SELECT \(columns) FROM (\(union)) AS page ORDER BY \(order) LIMIT ?",
                arguments: parts.flatMap(\.arguments))
        }
    }

    /// The limit as the last argument of each part of a statement.
    package func arguments(of statement: Statement, missing: Int) -> [any SQLArgument] {
        let isUnion = branches.count > 1
        return statement.arguments.map { $0 is Missing ? missing : $0 } + (isUnion ? [missing] : [])
    }

    /// Stands for the number of rows still missing.
    private struct Missing: SQLArgument {
        var sqlValue: SQLValue { .null }
    }

    private func part(of branch: Branch, and filters: [Clause], _ stride: Stride) -> Statement {
        let clauses = branch.clauses + filters + (clause(stride, branch.names).map { [$0] } ?? [])
        let order = order(from: stride.place, branch.names)
        let condition = clauses.isEmpty ? "1 = 1" : clauses.map(\.text).joined(separator: " AND ")
        return Statement(
            text: "SELECT \(columns) FROM \(branch.source.text) WHERE \(condition) ORDER BY \(order) LIMIT ?",
            arguments: branch.source.arguments + clauses.flatMap(\.arguments) + [Missing()])
    }

    // MARK: - Who sees what

    /// Disjoint, so that no image comes twice.
    private var branches: [Branch] {
        switch listing.viewer {
        case .administrator(let project): [Branch(clauses: administratorClauses(project))]
        case .project(let project): projectBranches(project)
        }
    }

    private func administratorClauses(_ project: ProjectID?) -> [Clause] {
        switch listing.visibility {
        case .all: []
        case .only(let visibility): [Clause(text: "visibility = ?", arguments: [visibility.rawValue])]
        case .usual:
            if let project {
                [Clause(text: "(visibility <> 'community' OR owner = ?)", arguments: [project])]
            } else {
                [Clause(text: "visibility <> 'community'")]
            }
        }
    }

    private func projectBranches(_ project: ProjectID) -> [Branch] {
        let mine = Clause(text: "owner = ?", arguments: [project])
        let foreign = Clause(text: "(owner IS NULL OR owner <> ?)", arguments: [project])
        func visible(_ visibility: Image.Visibility) -> Clause {
            Clause(text: "visibility = ?", arguments: [visibility.rawValue])
        }
        let own = Branch(clauses: [mine])
        let published = Branch(clauses: [visible(.public), foreign])
        let shared = sharedBranch(with: project, foreign)
        switch listing.visibility {
        case .usual: return [own, published, shared]
        case .all: return [own, published, Branch(clauses: [visible(.community), foreign]), shared]
        case .only(.private): return [Branch(clauses: [mine, visible(.private)])]
        case .only(.shared): return [Branch(clauses: [mine, visible(.shared)]), shared]
        case .only(let visibility): return [Branch(clauses: [visible(visibility)])]
        }
    }

    /// By default in the order of the memberships' index, which has the images' times, so that a page reads no more of
    /// them than it shows. In another order all that is shared with the project is sorted, where that is little, and else
    /// the index of what anybody shares is walked and each image asked. A cross join is done from left to right.
    private func sharedBranch(with project: ProjectID, _ foreign: Clause) -> Branch {
        var memberships = Self.memberships(of: project, listing.memberStatus)
        let shared = [Clause(text: "visibility = 'shared'"), foreign]
        if isLookedUp || (isSharedWithMuch && listing.sort.first?.field == .name) {
            memberships.text = "EXISTS (SELECT 1 FROM \(memberships.text) AND image = uuid)"
            return Branch(clauses: shared + [memberships])
        }
        memberships.text = """
            (SELECT image AS shared_image, image_created_at AS shared_at FROM \(memberships.text)) AS memberships \
            CROSS JOIN images
            """
        return Branch(
            source: memberships, clauses: [Clause(text: "uuid = shared_image")] + shared,
            names: [.createdAt: "shared_at", .id: "shared_image"])
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

    private static func clause(_ filter: ImageListing.Filter, isRare: Bool) -> Clause {
        switch filter {
        case .text(let field, let values): return text(field, values)
        case .number(let field, let comparison, let value):
            // Not as it is sorted: an image without data has no size, which no bound matches.
            return Clause(text: "\(field.rawValue) \(sign(comparison)) ?", arguments: [value])
        case .time(let field, let comparison, let second): return time(field.rawValue, comparison, second)
        case .flag(let field, let value):
            return Clause(text: "\(field == .protected ? "protected" : "hidden") = ?", arguments: [value])
        case .tag, .property:
            guard let lookup = lookup(filter) else { return Clause(text: "1 = 0") }
            if isRare {
                return Clause(text: "uuid IN (SELECT image FROM \(lookup.text))", arguments: lookup.arguments)
            }
            return Clause(text: "EXISTS (SELECT 1 FROM \(lookup.text) AND image = uuid)", arguments: lookup.arguments)
        case .hashed: return Clause(text: "sha512 IS NOT NULL")
        case .nothing: return Clause(text: "1 = 0")
        }
    }

    /// Table and condition that find the images with a tag or property.
    private static func lookup(_ filter: ImageListing.Filter) -> Clause? {
        switch filter {
        case .tag(let tag): return Clause(text: "image_tags WHERE tag = ?", arguments: [tag])
        case .property(let name, let value):
            // The index has the first 64 characters of a value that may be long.
            let start = String(String.UnicodeScalarView(value.unicodeScalars.prefix(64)))
            return Clause(
                text: "image_properties WHERE name = ? AND SUBSTR(value, 1, 64) = ? AND value = ?",
                arguments: [name, start, value])
        default: return nil
        }
    }

    private static func text(_ field: ImageListing.TextField, _ values: [String]) -> Clause {
        let values = values.map { stored(field, $0) }
        guard values.count != 1 else { return Clause(text: "\(column(field)) = ?", arguments: values) }
        guard !values.isEmpty else { return Clause(text: "1 = 0") }
        let marks = values.map { _ in "?" }.joined(separator: ", ")
        return Clause(text: "\(column(field)) IN (\(marks))", arguments: values)
    }

    /// Identifiers are stored in the long form; clients write projects in the short one.
    private static func stored(_ field: ImageListing.TextField, _ value: String) -> String {
        switch field {
        case .owner: ProjectID(value)?.text ?? value
        case .id: ImageID(value)?.text ?? value
        default: value
        }
    }

    private static func column(_ field: ImageListing.TextField) -> String {
        switch field {
        case .id: "uuid"
        case .name: "COALESCE(name, '')"
        case .diskFormat: "COALESCE(disk_format, '')"
        case .containerFormat: "COALESCE(container_format, '')"
        case .hash: "sha512"
        case .status, .visibility, .owner, .checksum: field.rawValue
        }
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
    private static func time(_ column: String, _ comparison: ImageListing.Comparison, _ second: Int64) -> Clause {
        let start = second * 1_000_000
        let end = start + 1_000_000
        return switch comparison {
        case .eq: Clause(text: "(\(column) >= ? AND \(column) < ?)", arguments: [start, end])
        case .neq: Clause(text: "(\(column) < ? OR \(column) >= ?)", arguments: [start, end])
        case .gt: Clause(text: "\(column) >= ?", arguments: [end])
        case .gte: Clause(text: "\(column) >= ?", arguments: [start])
        case .lt: Clause(text: "\(column) < ?", arguments: [start])
        case .lte: Clause(text: "\(column) < ?", arguments: [end])
        }
    }

    // MARK: - Order

    private func order(from place: Int, _ names: [ImageListing.SortField: String] = [:]) -> String {
        listing.sort[place...].map { key in
            "\(names[key.field] ?? Self.expression(key.field)) \(key.ascending ? "ASC" : "DESC")"
        }.joined(separator: ", ")
    }

    /// As ``ImageListSchema`` has them.
    private static func expression(_ field: ImageListing.SortField) -> String {
        switch field {
        case .name: "COALESCE(name, '')"
        case .diskFormat: "COALESCE(disk_format, '')"
        case .containerFormat: "COALESCE(container_format, '')"
        case .size: "COALESCE(size, -1)"
        case .id: "uuid"
        case .status: "status"
        case .createdAt: "created_at"
        case .updatedAt: "updated_at"
        }
    }

    private static func value(_ field: ImageListing.SortField, of image: Image) -> any SQLArgument {
        switch field {
        case .name: image.name ?? ""
        case .diskFormat: image.diskFormat ?? ""
        case .containerFormat: image.containerFormat ?? ""
        case .size: image.sizeBytes ?? -1
        case .id: image.id
        case .status: image.status.rawValue
        case .createdAt: image.createdAt
        case .updatedAt: image.updatedAt
        }
    }

    private var strides: [Stride] {
        guard let marker = listing.marker else { return [Stride(place: 0)] }
        return listing.sort.indices.reversed().map { Stride(place: $0, marker: marker) }
    }

    private func clause(_ stride: Stride, _ names: [ImageListing.SortField: String]) -> Clause? {
        guard let marker = stride.marker else { return nil }
        let keys = listing.sort[...stride.place]
        let conditions = keys.enumerated().map { place, key in
            let sign = place < stride.place ? "=" : key.ascending ? ">" : "<"
            return "\(names[key.field] ?? Self.expression(key.field)) \(sign) ?"
        }
        return Clause(
            text: conditions.joined(separator: " AND "), arguments: keys.map { Self.value($0.field, of: marker) })
    }
}
