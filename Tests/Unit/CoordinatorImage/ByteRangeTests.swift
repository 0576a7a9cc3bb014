import CoordinatorImage
import Testing

@Suite("byte ranges")
struct ByteRangeTests {
    @Test(
        "what a download's Range selects of 100 bytes",
        arguments: [
            (nil, .whole), ("bytes=0-0", .part(offset: 0, count: 1)), ("bytes=10-19", .part(offset: 10, count: 10)),
            ("bytes=90-", .part(offset: 90, count: 10)), ("bytes=-1", .part(offset: 99, count: 1)),
            ("bytes=-500", .part(offset: 0, count: 100)), ("bytes=0-999", .part(offset: 0, count: 100))
        ] as [(String?, ByteRange.Selection)])
    func select(header: String?, expected: ByteRange.Selection) {
        #expect(ByteRange.select(header, sizeBytes: 100) == expected)
    }

    @Test(
        "what cannot be satisfied",
        arguments: [
            "bytes=100-", "bytes=-0", "bytes=3-2", "bytes=a-b", "bytes=1", "bytes=", "bytes=-", "bytes=0-1,3-4", "0-1",
            "bytes=99999999999999999999-", "bytes=--1", "bytes=1-2-3", "items=0-1"
        ])
    func unsatisfiable(header: String) {
        guard case .unsatisfiable = ByteRange.select(header, sizeBytes: 100) else {
            Issue.record("\(header) selected something")
            return
        }
    }

    @Test("an empty file has no range")
    func empty() {
        for header in ["bytes=0-", "bytes=-5"] {
            guard case .unsatisfiable = ByteRange.select(header, sizeBytes: 0) else {
                Issue.record("\(header) selected something")
                return
            }
        }
    }

    @Test("what an upload's Content-Range says")
    func content() {
        let end = ByteRange.Content("bytes 10-19/20")
        #expect(end?.first == 10 && end?.count == 10 && end?.isEnd == true)
        #expect(ByteRange.Content("bytes 10-18/20")?.isEnd == false)
        #expect(ByteRange.Content("bytes 10-18/*")?.isEnd == false)
        for wrong in [
            "bytes */20", "bytes 5-4/20", "bytes 0-20/20", "bytes 0-1", "0-1/2", "bytes a-b/c", "bytes -1-2/9"
        ] {
            #expect(ByteRange.Content(wrong) == nil, "\(wrong)")
        }
    }
}
