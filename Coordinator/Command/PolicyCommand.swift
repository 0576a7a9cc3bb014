import ArgumentParser

/// `skerry policy ...`
struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Shows who may do what.", subcommands: [Status.self, List.self, Sample.self])

    /// The rules in force, as the operator API shows them.
    private struct Answer: Decodable {
        var file: String?
        var since: String?
        var problems: [String]
        var refusals: Int
        var rules: [Rule]
    }

    private struct Rule: Decodable {
        var name: String
        var `default`: String
        var override: String?
        var line: Int?
        var operations: [String]
    }

    private static func answer(_ connection: ConnectionOptions) async throws -> Answer {
        try await connection.client.get("/skerry/v1/policy", as: Answer.self)
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says which policy file is in force, and why a newer one is not.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let answer = try await PolicyCommand.answer(connection)
            let changed = answer.rules.filter { $0.override != nil }.count
            if let file = answer.file {
                print(
                    "In force: \(file), since \(answer.since ?? "-"), \(changed) of \(answer.rules.count) rules changed."
                )
            } else {
                print("In force: the default rules, \(answer.rules.count) of them.")
            }
            guard !answer.problems.isEmpty else { return }
            print("Refused:")
            for problem in answer.problems { print("  \(problem)") }
            throw ExitCode.failure
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the rules in force.")
        @OptionGroup var connection: ConnectionOptions
        @Flag(help: "Only those that the policy file changes.") var changed = false

        func run() async throws {
            let rules = try await PolicyCommand.answer(connection).rules.filter { !changed || $0.override != nil }
            let rows = rules.map { [$0.name, $0.line.map { "line \($0)" } ?? "default", $0.override ?? $0.default] }
            print(TextTable.render(header: ["RULE", "FROM", "EXPRESSION"], rows: rows))
        }
    }

    struct Sample: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints all rules with their defaults as a policy file in which nothing is changed.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            for rule in try await PolicyCommand.answer(connection).rules {
                for operation in rule.operations { print("# \(operation)") }
                // A JSON string is a YAML string.
                print("#\(try JSONValue.string(rule.name).line()): \(try JSONValue.string(rule.default).line())\n")
            }
        }
    }
}
