import CoordinatorPlatform
import ProtocolModel

/// Reads pages of the image list.
package struct ImageListStore: Sendable {
    /// Up to so many images are looked up and sorted rather than asked one by one in their order.
    package var fewImages = 1_000
    private let images = ImageStore()

    package init() {}

    package func page(_ listing: ImageListing, in reader: any SQLReader) throws -> [Image] {
        let rare = try listing.filters.indices.filter { place in
            try ImageListSQL.count(listing.filters[place]).map { try !areMany($0, in: reader) } ?? false
        }
        let isSharedWithMuch = try ImageListSQL.memberships(listing).map { try areMany($0, in: reader) } ?? false
        let sql = ImageListSQL(listing, rare: Set(rare), isSharedWithMuch: isSharedWithMuch)
        let page = try sql.page.rows(Image.table.selection, in: reader, Image.table.record)
        return try images.fill(page, in: reader)
    }

    private func areMany(_ count: SQLCondition, in reader: any SQLReader) throws -> Bool {
        try reader.count(count.sql, count.arguments + [fewImages + 1]) > fewImages
    }
}
