import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing
import TestsSupportRandomness

/// What lists show, found twice: by the SQL, and by looking at every image.
@Suite("random image lists")
struct ImageListRandomTests {
    private static let lists = 150

    @Test("SQL and a plain filter show the same, page by page", arguments: [1, 2, 3, 4] as [UInt64])
    func sameAsPlainFilter(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let world = ImageWorld(count: 300, random: &random)
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(PlatformMigrations.all + ImageSlice.migrations).migrate(database, now: 0)
        try await database.write { transaction in
            for image in world.images { try ImageStore().insert(image, in: transaction) }
            for member in world.members { try ImageMemberStore().insert(member, in: transaction) }
        }
        var (shown, marked) = (0, 0)
        for number in 1...Self.lists {
            let list = RandomList(world: world, random: &random)
            var request = try ImageListRequest(
                list.query, viewer: list.viewer, limitDefault: 25, limitMaximum: 1_000)
            request.listing.marker = list.marker
            let listing = request.listing
            let expected = Array(list.matches(world, order: listing.sort).prefix(listing.limit))
            // Each way to read the same list has its turn.
            var store = ImageListStore()
            store.fewImages = [0, 5, 1_000][Int(random.next() % 3)]
            let page = try await database.read { [store] in try store.page(listing, in: $0) }
            shown += page.count
            marked += list.marker == nil || page.isEmpty ? 0 : 1
            let said = "replay with seed \(seed), list \(number), few \(store.fewImages): \(list)"
            try #require(page.map(\.id) == expected.map(\.id), "\(said)")
            try #require(page.allSatisfy { world.byID[$0.id] == $0 }, "\(said)")
        }
        // Lists that are all empty would prove nothing.
        #expect(shown > 2 * Self.lists && marked > Self.lists / 10, "\(shown) images, \(marked) pages behind a marker")
    }
}

/// Images that have much in common, and whom they are shared with.
struct ImageWorld: Sendable {
    static let projects = (1...3).map { ProjectID(high: 0x1000, low: $0) }
    static let names: [String?] = [nil, "", "a", "b", "B", "\u{E4}", "with, comma", "in:x", "q\"uote", "a b"]
    static let formats: [String?] = [nil, "raw", "qcow2", "iso"]
    static let tags = ["x", "y", "with space"]
    static let long = String(repeating: "l", count: 70)
    static let properties = [("os_distro", "debian"), ("os_distro", "fedora"), ("arch", long), ("arch", long + "!")]
    static let start: Int64 = 1_767_225_600

    var images: [Image] = []
    var members: [ImageMember] = []
    var byID: [ImageID: Image] = [:]
    /// By image, then by project.
    var memberships: [ImageID: [String: ImageMember.Status]] = [:]

    init(count: Int, random: inout SeededGenerator) {
        for number in 0..<count {
            let image = Self.image(UInt64(number), random: &random)
            images.append(image)
            byID[image.id] = image
            for project in Self.projects where Int.random(in: 0..<3, using: &random) == 0 {
                let status = ImageMember.Status.allCases.randomElement(using: &random) ?? .pending
                members.append(
                    ImageMember(
                        image: image.id, member: project.compact, status: status, createdAt: 1, updatedAt: 1))
                memberships[image.id, default: [:]][project.compact] = status
            }
        }
    }

    private static func image(_ number: UInt64, random: inout SeededGenerator) -> Image {
        let time = (start + .random(in: 0...5, using: &random)) * 1_000_000 + .random(in: 0...2, using: &random)
        var image = Image(
            id: ImageID(high: random.next(), low: number),
            owner: (projects + [nil]).randomElement(using: &random) ?? nil, at: time)
        image.updatedAt = time + .random(in: 0...3, using: &random) * 1_000_000
        image.name = names.randomElement(using: &random) ?? nil
        image.visibility = [.public, .community, .shared, .shared, .private].randomElement(using: &random) ?? .shared
        image.isProtected = Bool.random(using: &random)
        image.isHidden = Int.random(in: 0..<8, using: &random) == 0
        image.diskFormat = formats.randomElement(using: &random) ?? nil
        image.containerFormat = [nil, "bare", "ovf"].randomElement(using: &random) ?? nil
        image.minDiskGiB = .random(in: 0...2, using: &random)
        image.minMemoryMiB = .random(in: 0...2, using: &random)
        image.status = [.queued, .uploading, .active, .active, .killed].randomElement(using: &random) ?? .queued
        if image.status != .queued { image.sizeBytes = .random(in: 0...4, using: &random) }
        if [.active, .killed].contains(image.status) {
            image.virtualSizeBytes = .random(in: 0...4, using: &random)
            let content = Int.random(in: 0...5, using: &random)
            image.checksum = "md5-\(content)"
            image.sha512 = "sha512-\(content)"
        }
        image.tags = tags.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }.sorted()
        for (name, value) in properties where Int.random(in: 0..<3, using: &random) == 0 {
            image.properties[name] = value
        }
        return image
    }
}
