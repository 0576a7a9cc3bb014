import CoordinatorPlatform
import ProtocolModel

/// Reads pages of the image list.
package struct ImageListStore: Sendable {
    /// Up to so many images are looked up and sorted rather than asked one by one in their order.
    package var fewImages = 1_000
    private let images = ImageStore()

    package init() {}

    package func page(_ listing: ImageListing, in reader: any SQLReader) throws -> [Image] {
        guard listing.limit > 0 else { return [] }
        let sql = ImageListSQL(
            listing, columns: ImageStore.columns, rare: try rareFilters(listing, in: reader),
            isSharedWithMuch: try isSharedWithMuch(listing, in: reader))
        var page: [Image] = []
        for statement in sql.statements where page.count < listing.limit {
            page += try reader.query(
                statement.text, sql.arguments(of: statement, missing: listing.limit - page.count), ImageStore.map)
        }
        return try images.fill(page, in: reader)
    }

    private func isSharedWithMuch(_ listing: ImageListing, in reader: any SQLReader) throws -> Bool {
        guard let count = ImageListSQL.memberships(listing) else { return false }
        return try reader.count(count.text, count.arguments + [fewImages + 1]) > fewImages
    }

    private func rareFilters(_ listing: ImageListing, in reader: any SQLReader) throws -> Set<Int> {
        var rare: Set<Int> = []
        for (place, filter) in listing.filters.enumerated() {
            guard let count = ImageListSQL.count(filter) else { continue }
            if try reader.count(count.text, count.arguments + [fewImages + 1]) <= fewImages {
                rare.insert(place)
            }
        }
        return rare
    }
}
