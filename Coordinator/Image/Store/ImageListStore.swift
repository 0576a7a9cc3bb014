import CoordinatorPlatform
import ProtocolModel

/// Reads pages of the image list.
struct ImageListStore: Sendable {
    let images = ImageStore()

    func page(_ listing: ImageListing, in reader: any SQLReader) throws -> [Image] {
        guard listing.limit > 0 else { return [] }
        let sql = ImageListSQL(listing, columns: ImageStore.columns, rare: try rareFilters(listing, in: reader))
        var page: [Image] = []
        for statement in sql.statements where page.count < listing.limit {
            page += try reader.query(
                statement.text, sql.arguments(of: statement, missing: listing.limit - page.count), ImageStore.map)
        }
        return try images.fill(page, in: reader)
    }

    /// Up to so many images are looked up rather than asked.
    private static let fewImages = 1_000

    private func rareFilters(_ listing: ImageListing, in reader: any SQLReader) throws -> Set<Int> {
        var rare: Set<Int> = []
        for (place, filter) in listing.filters.enumerated() {
            guard let count = ImageListSQL.count(filter) else { continue }
            if try reader.count(count.text, count.arguments + [Self.fewImages + 1]) <= Self.fewImages {
                rare.insert(place)
            }
        }
        return rare
    }
}
