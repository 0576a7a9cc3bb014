import Foundation
import Testing

/// A fixed number of damaged inputs for each reader, the same ones in each run. `Tests/Fuzz/run` goes on for as long as
/// it is told to, from another seed each time.
@Suite("readers of what strangers send")
struct FuzzTests {
    @Test("whatever comes is read or refused", arguments: FuzzTarget.all)
    func damaged(_ target: FuzzTarget) async {
        let settings = FuzzSettings.current
        for input in target.corpus { await hold(target, input, "the corpus") }
        let runs = settings.factor * target.runs
        var mutator = Mutator(seed: settings.seed, words: target.words)
        for run in 0..<runs {
            let input = mutator.input(from: target.corpus)
            settings.note(target, run, input)
            await hold(target, input, "seed \(settings.seed), run \(run)")
        }
        settings.tell("\(target.name): \(runs) inputs")
    }

    private func hold(_ target: FuzzTarget, _ input: [UInt8], _ origin: String) async {
        let wrong: String?
        do { wrong = try await target.check(input) } catch { return }
        guard let wrong else { return }
        let hex = input.prefix(400).map { String($0, radix: 16) }.joined(separator: " ")
        Issue.record("\(target.name), \(origin): \(wrong): \(hex)")
    }
}

/// How long and from where.
struct FuzzSettings {
    var seed: UInt64 = 1
    /// Times the usual number of inputs.
    var factor = 1
    /// A file that holds the input that is tried, so that one that traps can be looked at.
    var trace: String?

    static let current: FuzzSettings = {
        let environment = ProcessInfo.processInfo.environment
        var settings = FuzzSettings()
        settings.seed = environment["SKERRY_FUZZ_SEED"].flatMap { UInt64($0) } ?? settings.seed
        settings.factor = environment["SKERRY_FUZZ_FACTOR"].flatMap { Int($0) } ?? settings.factor
        settings.trace = environment["SKERRY_FUZZ_TRACE"]
        return settings
    }()

    func note(_ target: FuzzTarget, _ run: Int, _ input: [UInt8]) {
        guard let trace else { return }
        try? Data(input).write(to: URL(fileURLWithPath: "\(trace).\(target.name)"))
    }

    func tell(_ line: String) {
        guard factor > 1 else { return }
        print(line)
    }
}
