import ArgumentParser

/// `skerry explain ...`
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Says why something is as it is.", subcommands: [Server.self])

    struct Server: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every scheduling reason and every step of a server, with its time.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The server's id, also of a deleted one.") var server: String

        func run() async throws {
            let story = try await connection.client.get("/skerry/v1/explain/servers/\(server)", as: Answer.self).server
            print("Server \(story.id) '\(story.name)': \(story.status), host \(story.host ?? "none")")
            if let fault = story.fault { print("Fault \(fault.code): \(fault.message)") }
            for decision in story.decisions {
                print("\n\(decision.decidedAt)  scheduling: \(decision.host ?? "no host")  \(decision.summary)")
                for verdict in decision.verdicts {
                    print("    \(verdict.kept ? "kept   " : "dropped")  \(verdict.host): \(verdict.reason)")
                }
                for reason in decision.reasons ?? [] where reason.hosts > reason.named {
                    print("    and \(reason.hosts - reason.named) more, of: \(reason.summary)")
                }
            }
            for action in story.actions {
                print("\n\(action.startedAt)  \(action.action)  (request \(action.requestId))")
                if let message = action.message, !message.isEmpty { print("    \(message)") }
                for step in action.steps {
                    let time = step.microseconds.map { Moment.duration($0) } ?? "unfinished"
                    print("    \(step.startedAt)  \(step.name)  \(time)  \(step.result ?? "")")
                    if let detail = step.operatorDetail, !detail.isEmpty { print("        \(detail)") }
                }
            }
        }
    }

    /// The answer of the operator API; times are text.
    private struct Answer: Decodable {
        struct Story: Decodable {
            var id: String
            var name: String
            var status: String
            var host: String?
            var fault: Fault?
            var decisions: [Decision]
            var actions: [Action]
        }
        struct Fault: Decodable {
            var code: Int
            var message: String
        }
        struct Decision: Decodable {
            var decidedAt: String
            var host: String?
            var summary: String
            var verdicts: [Verdict]
            /// A coordinator of the release before this one has none.
            var reasons: [Reason]?
        }
        struct Verdict: Decodable {
            var host: String
            var kept: Bool
            var reason: String
        }
        struct Reason: Decodable {
            var summary: String
            var hosts: Int
            var named: Int
        }
        struct Action: Decodable {
            var action: String
            var requestId: String
            var startedAt: String
            var message: String?
            var steps: [Step]
        }
        struct Step: Decodable {
            var name: String
            var startedAt: String
            var microseconds: Int64?
            var result: String?
            var operatorDetail: String?
        }
        var server: Story
    }
}
