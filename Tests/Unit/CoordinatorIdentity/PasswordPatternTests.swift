import CoordinatorIdentity
import Testing

@Suite("an operator's expression for passwords")
struct PasswordPatternTests {
    private static func pattern(_ text: String, patience: Duration = .seconds(60)) -> PasswordPattern {
        PasswordPattern(text, patience: patience, threads: 1, mostThreads: 1, waiting: 1)
    }

    @Test(
        "a password must match from its first character on",
        arguments: [
            (#"^(?=.*\d)(?=.*[a-zA-Z]).{7,}$"#, "abcdef1", PasswordPattern.Verdict.matches),
            (#"^(?=.*\d)(?=.*[a-zA-Z]).{7,}$"#, "abcdefg", .differs),
            (#"^(?=.*\d)(?=.*[a-zA-Z]).{7,}$"#, "1234567", .differs),
            (#"^(?=.*\d)(?=.*[a-zA-Z]).{7,}$"#, "", .differs),
            ("[0-9]", "a1", .differs), ("[0-9]", "1a", .matches), ("(", "x", .unusable)
        ])
    func verdict(text: String, password: String, expected: PasswordPattern.Verdict) async {
        #expect(await Self.pattern(text).judge(password) == expected)
    }

    /// The engine takes thrice as long with each further letter: a tenth of a second for 12 of them.
    private static let runaway = "^(a+)+$"
    /// What was tried last: until it is as expected, twenty times at most.
    private static func first(
        _ expected: [PasswordPattern.Verdict], of attempt: () async -> [PasswordPattern.Verdict]
    ) async -> [PasswordPattern.Verdict] {
        var verdicts: [PasswordPattern.Verdict] = []
        for _ in 0..<20 where verdicts != expected { verdicts = await attempt() }
        return verdicts
    }

    private static func hostile(_ letters: Int) -> String { String(repeating: "a", count: letters) + "!" }

    @Test("one that backtracks without end is not waited for, and what stands behind it is not left in the queue")
    func runaway() async throws {
        // Where other tests have the processors, a match may be over before the next is asked for: then once more.
        let verdicts = await Self.first([.late, .busy]) {
            let pattern = Self.pattern(Self.runaway, patience: .milliseconds(20))
            return [await pattern.judge(Self.hostile(15)), await pattern.judge("aaa")]
        }
        #expect(verdicts == [.late, .busy])
        #expect(await Self.pattern(Self.runaway).judge("aaa") == .matches)
    }

    @Test("a thread that is lost to a password is replaced, until there are too many")
    func replacement() async throws {
        let expected: [PasswordPattern.Verdict] = [.late, .matches, .late, .busy]
        let verdicts = await Self.first(expected) {
            let pattern = PasswordPattern(
                Self.runaway, patience: .milliseconds(500), threads: 1, mostThreads: 2, waiting: 1)
            var verdicts: [PasswordPattern.Verdict] = []
            for password in [Self.hostile(16), "aaa", Self.hostile(16), "aaa"] {
                verdicts.append(await pattern.judge(password))
            }
            return verdicts
        }
        #expect(verdicts == expected)
    }

    @Test("a thread that comes back is used again")
    func recovery() async throws {
        var pattern = Self.pattern(Self.runaway, patience: .milliseconds(20))
        let verdicts = await Self.first([.late]) {
            pattern = Self.pattern(Self.runaway, patience: .milliseconds(20))
            return [await pattern.judge(Self.hostile(14))]
        }
        #expect(verdicts == [.late])
        var verdict = PasswordPattern.Verdict.busy
        for _ in 0..<600 where verdict != .matches {
            try await Task.sleep(for: .milliseconds(50))
            verdict = await pattern.judge("aaa")
        }
        #expect(verdict == .matches)
    }

    @Test("more than can wait are turned away at once")
    func busy() async throws {
        let pattern = Self.pattern(Self.runaway)
        let verdicts = await withTaskGroup(of: PasswordPattern.Verdict.self) { group in
            for _ in 0..<8 { group.addTask { await pattern.judge(Self.hostile(13)) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(verdicts.contains(.busy) && verdicts.contains(.differs))
    }
}
