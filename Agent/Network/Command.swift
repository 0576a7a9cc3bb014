import Subprocess

/// Runs the programs of the host that we steer: bounded in time and output, with nothing from our own environment but
/// the place to look for programs.
package struct Command: Sendable {
    /// The network namespace to run in, a file below `/run/netns`; `nil` for our own.
    package var namespace: String?
    package var timeLimit: Duration

    package init(namespace: String? = nil, timeLimit: Duration = .seconds(20)) {
        self.namespace = namespace
        self.timeLimit = timeLimit
    }

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Rule sets of thousands of ports stay well below this.
    private static let outputLimit = 64 << 20

    /// - Returns: standard output.
    @discardableResult
    package func run(_ program: String, _ arguments: [String] = [], input: String = "") async throws(Failure) -> String
    {
        var words = [program] + arguments
        if let namespace { words = ["nsenter", "--net=\(namespace)", "--"] + words }
        let line = words.joined(separator: " ")
        let (first, rest) = (words[0], Array(words.dropFirst()))
        let limit = timeLimit
        let outcome: Outcome
        do {
            outcome = try await withThrowingTaskGroup(of: Outcome?.self) { group in
                group.addTask { try await Self.execute(first, rest, input) }
                group.addTask {
                    try await Task.sleep(for: limit)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let outcome = first else {
                    throw Failure(description: "\(line): no end after \(limit)")
                }
                return outcome
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "\(line): \(error)")
        }
        guard outcome.isSuccess else {
            throw Failure(description: "\(line): \(outcome.status): \(outcome.errors.prefix(2000))")
        }
        return outcome.output
    }

    private struct Outcome: Sendable {
        var isSuccess: Bool
        var status: String
        var output: String
        var errors: String
    }

    private static func execute(_ program: String, _ arguments: [String], _ input: String) async throws -> Outcome {
        let result = try await Subprocess.run(
            .name(program), arguments: Arguments(arguments),
            environment: .custom([
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"
            ]),
            input: .string(input), output: .string(limit: outputLimit), error: .string(limit: 1 << 20))
        return Outcome(
            isSuccess: result.terminationStatus.isSuccess, status: "\(result.terminationStatus)",
            output: result.standardOutput, errors: result.standardError)
    }
}
