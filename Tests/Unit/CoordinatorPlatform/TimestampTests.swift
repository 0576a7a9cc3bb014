import CoordinatorPlatform
import Testing

@Suite("timestamps")
struct TimestampTests {
    @Test("forms of one moment")
    func forms() {
        let moment: Int64 = 1_795_238_940_123_456
        #expect(Timestamp.seconds(moment) == "2026-11-21T05:29:00Z")
        #expect(Timestamp.micros(moment) == "2026-11-21T05:29:00.123456Z")
        #expect(Timestamp.microsWithoutZone(moment) == "2026-11-21T05:29:00.123456")
        #expect(Timestamp.secondsWithoutZone(moment) == "2026-11-21T05:29:00")
        #expect(Timestamp.http(moment) == "Sat, 21 Nov 2026 05:29:00 GMT")
    }

    @Test(
        "reading",
        arguments: [
            ("2026-11-21T05:29:00Z", 1_795_238_940_000_000), ("2026-11-21 05:29:00.5", 1_795_238_940_500_000),
            ("2026-11-21T06:29:00+01:00", 1_795_238_940_000_000), ("1970-01-01", 0),
            ("2024-02-29", 1_709_164_800_000_000),
            ("1969-12-31T23:59:59Z", -1_000_000), ("2023-02-29", nil), ("2026-13-01", nil),
            ("2026-11-21T24:00:00", nil),
            ("yesterday", nil), ("2026-11-21T05:29:00Zx", nil), ("2026-11-21T05:29:00.", nil)
        ] as [(String, Int64?)])
    func reading(text: String, expected: Int64?) {
        #expect(Timestamp.parse(text) == expected)
    }

    @Test("every day of some centuries comes back")
    func roundTrip() {
        for day in stride(from: Int64(-40_000), through: 80_000, by: 1) {
            let moment = day * 86_400_000_000 + 12_345_678
            #expect(Timestamp.parse(Timestamp.micros(moment)) == moment)
        }
    }
}
