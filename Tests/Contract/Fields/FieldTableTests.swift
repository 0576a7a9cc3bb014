import CoordinatorPlatform
import Testing

/// The table itself; what it says is held by ``FieldCoverage`` at every request of every contract test.
@Suite("table of fields")
struct FieldTableTests {
    @Test("every line can be read, is a route's, stands once, and gives a reason where nothing comes of a field")
    func lines() async throws {
        let rows: [Substring] = FieldTable.texts.flatMap { (text: String) in text.split(separator: "\n") }
        let texts = rows.filter { !$0.allSatisfy { $0 == " " } }
        let written = FieldTable.all.filter { $0.effect != .unwritten }
        #expect(texts.count == written.count, "\(texts.filter { FieldLine($0) == nil })")
        let routes = Set(
            try await PolicyCloud().services.flatMap { service in
                service.routes.map { "\($0.method.rawValue) \(service.prefix)\($0.path)" }
            })
        var seen: Set<String> = []
        for line in FieldTable.all {
            #expect(routes.contains(line.route), "\(line): there is no such route")
            #expect(seen.insert(line.description).inserted, "\(line) stands twice")
            if line.effect == .nothing { #expect(line.reason.count >= 10, "\(line) needs a reason") }
        }
    }

    @Test("fields without a line that says what comes of them get fewer")
    func unwritten() {
        #expect(FieldTable.all.count { $0.effect == .unwritten } <= Self.mostUnwritten)
    }

    /// Lower it with each line that is written.
    private static let mostUnwritten = 400

    @Test("what is shown is told from what is not")
    func values() {
        let shown: JSON = ["port": ["name": "x", "size": 5, "ids": ["b", "a"], "tags": ["a": "1"], "up": true]]
        for (value, name) in [
            ("x", "name"), ("5", "size"), (["a", "b"], "ids"), (["a": "1"], "tags"), (1, "up"), ("True", "up")
        ] as [(JSON, String)] {
            #expect(FieldValues.isShown(value, as: name, in: shown), "\(name)")
        }
        for (value, name) in [("y", "name"), (6, "size"), (["c"], "ids"), (["a": "2"], "tags"), (false, "up")]
            as [(JSON, String)]
        {
            #expect(!FieldValues.isShown(value, as: name, in: shown), "\(name)")
        }
        #expect(
            FieldValues.at(["server", "networks", "uuid"], in: ["server": ["networks": [["uuid": 1], ["uuid": 2]]]])
                == [1, 2])
        #expect(FieldValues.at(["name"], in: ["port": ["name": "x"]]) == ["x"])
    }
}
