import ArgumentParser

/// `skerry`: the operator's command.
@main
struct SkerryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skerry",
        abstract: "Operates a Skerry cloud from the coordinator's host.",
        subcommands: [
            NodeCommand.self, ExplainCommand.self, AuditCommand.self, PolicyCommand.self, StoreCommand.self
        ])
}

/// What every subcommand needs.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "The coordinator's operator socket.")
    var socket = "/run/skerry/coordinator.sock"

    var client: OperatorClient { OperatorClient(socket: socket) }
}
