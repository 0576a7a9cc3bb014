import CoordinatorImage
import ProtocolModel
import TestsSupportRandomness

/// A list as somebody may ask for it, and what it means for one image.
struct RandomList: CustomStringConvertible {
    var query: [(name: String, value: String)] = []
    var viewer: ImageListing.Viewer
    var marker: Image?
    private var visibility = "usual"
    private var memberStatus: String? = "accepted"
    private var conditions: [(Image) -> Bool] = []

    var description: String {
        "\(query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")) as \(viewer), behind \(marker?.id.text ?? "none")"
    }

    init(world: ImageWorld, random: inout SeededGenerator) {
        let projects = ImageWorld.projects
        viewer =
            switch Int.random(in: 0..<5, using: &random) {
            case 0: .administrator(projects.randomElement(using: &random))
            case 1: .administrator(nil)
            default: .project(projects.randomElement(using: &random) ?? projects[0])
            }
        if Int.random(in: 0..<2, using: &random) == 0 {
            visibility = ["all", "public", "community", "shared", "private"].randomElement(using: &random) ?? "all"
            query.append(("visibility", visibility))
        }
        if Int.random(in: 0..<2, using: &random) == 0 {
            let status = ["all", "all", "pending", "accepted", "rejected"].randomElement(using: &random) ?? "all"
            memberStatus = status == "all" ? nil : status
            query.append(("member_status", status))
        }
        for _ in 0..<([0, 0, 1, 1, 2, 3].randomElement(using: &random) ?? 0) {
            addFilter(Int.random(in: 0..<12, using: &random), world, &random)
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            let isHidden = Bool.random(using: &random)
            add("os_hidden", isHidden ? "True" : "false") { $0.isHidden == isHidden }
        } else {
            conditions.append { !$0.isHidden }
        }
        addOrder(&random)
        query.append(("limit", "\([1, 3, 10, 1_000].randomElement(using: &random) ?? 3)"))
        if Int.random(in: 0..<3, using: &random) > 0 { marker = world.images.randomElement(using: &random) }
    }

    /// The images of the list from the marker on, in order.
    func matches(_ world: ImageWorld, order: [ImageListing.SortKey]) -> [Image] {
        func keys(_ image: Image) -> [[Int64]] { order.map { Self.value(image, $0.field) } }
        let start = marker.map(keys)
        return world.images
            .filter { image in isSeen(image, world) && conditions.allSatisfy { $0(image) } }
            .map { (image: $0, keys: keys($0)) }
            .filter { item in start.map { Self.isOrdered($0, item.keys, order) } ?? true }
            .sorted { Self.isOrdered($0.keys, $1.keys, order) }
            .map(\.image)
    }

    // MARK: - Who sees what

    private func isSeen(_ image: Image, _ world: ImageWorld) -> Bool {
        let isAsked = ["usual", "all"].contains(visibility) || image.visibility.rawValue == visibility
        guard isAsked else { return false }
        switch viewer {
        case .administrator(let project):
            guard visibility == "usual", image.visibility == .community else { return true }
            return project != nil && image.owner == project
        case .project(let project):
            if image.owner == project { return true }
            switch image.visibility {
            case .public: return true
            case .community: return visibility != "usual"
            case .private: return false
            case .shared:
                guard let status = world.memberships[image.id]?[project.compact] else { return false }
                return memberStatus == nil || status.rawValue == memberStatus
            }
        }
    }

    // MARK: - Filters

    private mutating func add(_ name: String, _ value: String, _ condition: @escaping (Image) -> Bool) {
        query.append((name, value))
        conditions.append(condition)
    }

    private mutating func addFilter(_ kind: Int, _ world: ImageWorld, _ random: inout SeededGenerator) {
        switch kind {
        case 0: addText("name", ImageWorld.names.map { $0 ?? "" }, &random) { $0.name ?? "" }
        case 1: addText("disk_format", ["", "raw", "qcow2", "none"], &random) { $0.diskFormat ?? "" }
        case 2: addText("container_format", ["", "bare", "none"], &random) { $0.containerFormat ?? "" }
        case 3: addText("status", ["queued", "active", "killed", "odd"], &random) { $0.status.rawValue }
        case 4:
            let ids = (0..<5).compactMap { _ in world.images.randomElement(using: &random)?.id.text }
            addText("id", ids + ["no id"], &random) { $0.id.text }
        case 5:
            let owner = ImageWorld.projects.randomElement(using: &random)
            let text = [owner?.compact, owner?.text, "nobody"].randomElement(using: &random) ?? nil
            add("owner", text ?? "") { $0.owner != nil && $0.owner == owner && text != "nobody" }
        case 6:
            let content = Int.random(in: 0...6, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: add("checksum", "md5-\(content)") { $0.checksum == "md5-\(content)" }
            case 1: add("os_hash_value", "sha512-\(content)") { $0.sha512 == "sha512-\(content)" }
            default:
                let algorithm = content == 0 ? "md5" : "sha512"
                add("os_hash_algo", algorithm) { $0.sha512 != nil && algorithm == "sha512" }
            }
        case 7, 8: addNumber(&random)
        case 9: addTime(&random)
        case 10:
            let isProtected = Bool.random(using: &random)
            add("protected", "\(isProtected)") { $0.isProtected == isProtected }
        default:
            if Bool.random(using: &random), let tag = (ImageWorld.tags + ["none"]).randomElement(using: &random) {
                add("tag", tag) { $0.tags.contains(tag) }
            } else if let (name, value) = ImageWorld.properties.randomElement(using: &random) {
                add(name, value) { $0.properties[name] == value }
            }
        }
    }

    /// One value, with or without its operator, or `in:` and several.
    private mutating func addText(
        _ name: String, _ values: [String], _ random: inout SeededGenerator, of: @escaping (Image) -> String
    ) {
        let chosen = (0..<Int.random(in: 1...4, using: &random)).compactMap { _ in values.randomElement(using: &random)
        }
        guard chosen.count == 1 else {
            let text = chosen.map { value in
                guard value.contains(",") || value.contains("\"") else { return value }
                return "\"\(value.replacing("\"", with: "\\\""))\""
            }
            return add(name, "in:" + text.joined(separator: ",")) { chosen.contains(of($0)) }
        }
        let needsOperator = chosen[0].contains(":") || Bool.random(using: &random)
        add(name, (needsOperator ? "eq:" : "") + chosen[0]) { of($0) == chosen[0] }
    }

    private mutating func addNumber(_ random: inout SeededGenerator) {
        let fields: [(String, (Image) -> Int64?)] = [
            ("size", { $0.sizeBytes }), ("virtual_size", { $0.virtualSizeBytes }),
            ("min_disk", { Int64($0.minDiskGiB) }), ("min_ram", { Int64($0.minMemoryMiB) })
        ]
        guard let (name, of) = fields.randomElement(using: &random) else { return }
        let bound = Int64.random(in: 0...4, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: add(name, "\(bound)") { of($0) == bound }
        case 1: add(name + "_min", "\(bound)") { image in of(image).map { $0 >= bound } ?? false }
        case 2: add(name + "_max", "\(bound)") { image in of(image).map { $0 <= bound } ?? false }
        default: add(name, "many") { _ in false }
        }
    }

    private mutating func addTime(_ random: inout SeededGenerator) {
        let isCreation = Bool.random(using: &random)
        let second = Int64.random(in: 0...7, using: &random)
        let comparisons: [(String, (Int64, Int64) -> Bool)] = [
            ("", { $0 == $1 }), ("eq:", { $0 == $1 }), ("neq:", { $0 != $1 }), ("gt:", { $0 > $1 }),
            ("gte:", { $0 >= $1 }), ("lt:", { $0 < $1 }), ("lte:", { $0 <= $1 })
        ]
        guard let (sign, compare) = comparisons.randomElement(using: &random) else { return }
        add(isCreation ? "created_at" : "updated_at", "\(sign)2026-01-01T00:00:0\(second)Z") { image in
            compare((isCreation ? image.createdAt : image.updatedAt) / 1_000_000, ImageWorld.start + second)
        }
    }

    // MARK: - Order

    private mutating func addOrder(_ random: inout SeededGenerator) {
        let fields = ImageListing.SortField.allCases.map(\.rawValue).shuffled(using: &random)
        let keys = fields.prefix([0, 0, 1, 1, 2, 3].randomElement(using: &random) ?? 0)
        guard !keys.isEmpty else { return }
        let items = keys.map { ($0, Bool.random(using: &random) ? "asc" : "desc") }
        if Bool.random(using: &random) {
            query.append(("sort", items.map { "\($0.0):\($0.1)" }.joined(separator: ",")))
        } else {
            for (key, direction) in items { query += [("sort_key", key), ("sort_dir", direction)] }
        }
    }

    private static func isOrdered(_ one: [[Int64]], _ other: [[Int64]], _ order: [ImageListing.SortKey]) -> Bool {
        for (place, key) in order.enumerated() where one[place] != other[place] {
            return one[place].lexicographicallyPrecedes(other[place]) == key.ascending
        }
        return false
    }

    /// Compared as the bytes of a text, and as a number.
    private static func value(_ image: Image, _ field: ImageListing.SortField) -> [Int64] {
        func bytes(_ text: String?) -> [Int64] { (text ?? "").utf8.map { Int64($0) } }
        return switch field {
        case .name: bytes(image.name)
        case .status: bytes(image.status.rawValue)
        case .size: [image.sizeBytes ?? -1]
        case .id: bytes(image.id.text)
        case .containerFormat: bytes(image.containerFormat)
        case .diskFormat: bytes(image.diskFormat)
        case .createdAt: [image.createdAt]
        case .updatedAt: [image.updatedAt]
        }
    }
}
