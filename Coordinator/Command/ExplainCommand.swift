import ArgumentParser

/// `skerry explain ...`
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Says why something is as it is.",
        subcommands: [Server.self, Volume.self, Port.self])

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
            for action in story.actions { action.print() }
        }
    }

    struct Volume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Where a volume is and why, who has it, and every step of it with its time.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The volume's id, also of a deleted one.") var volume: String

        func run() async throws {
            let story = try await connection.client.get("/skerry/v1/explain/volumes/\(volume)", as: VolumeAnswer.self)
                .volume
            print(
                "Volume \(story.id) '\(story.name ?? "")': \(story.status), \(story.sizeGib) GiB, host "
                    + "\(story.host ?? "none"), pool \(story.pool.isEmpty ? "none" : story.pool)")
            if let task = story.taskState {
                print("Under way: \(task), \(story.progressPercent) %, until \(story.taskDeadline ?? "whenever")")
            }
            if let image = story.imageUnderWay { print("Becomes image \(image)") }
            if let fault = story.fault { print("Fault \(fault.code): \(fault.message)") }
            for attachment in story.attachments {
                print(
                    "Attachment \(attachment.id): \(attachment.status), server \(attachment.server ?? "none"), host "
                        + "\(attachment.host ?? "none"), device \(attachment.device ?? "none")")
            }
            for action in story.actions { action.print() }
        }
    }

    private struct VolumeAnswer: Decodable {
        struct Story: Decodable {
            var id: String
            var name: String?
            var status: String
            var sizeGib: Int
            var pool: String
            var host: String?
            var taskState: String?
            var taskDeadline: String?
            var progressPercent: Int
            var imageUnderWay: String?
            var fault: Answer.Fault?
            var attachments: [Attachment]
            var actions: [Answer.Action]
        }
        struct Attachment: Decodable {
            var id: String
            var status: String
            var server: String?
            var host: String?
            var device: String?
        }
        var volume: Story
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

            func print() {
                Swift.print("\n\(startedAt)  \(action)  (request \(requestId))")
                if let message, !message.isEmpty { Swift.print("    \(message)") }
                for step in steps {
                    let time = step.microseconds.map { Moment.duration($0) } ?? "unfinished"
                    Swift.print("    \(step.startedAt)  \(step.name)  \(time)  \(step.result ?? "")")
                    if let detail = step.details, !detail.isEmpty { Swift.print("        \(detail)") }
                    if let detail = step.operatorDetail, !detail.isEmpty { Swift.print("        \(detail)") }
                }
            }
        }
        struct Step: Decodable {
            var name: String
            var startedAt: String
            var microseconds: Int64?
            var result: String?
            var details: String?
            var operatorDetail: String?
        }
        var server: Story
    }
}
