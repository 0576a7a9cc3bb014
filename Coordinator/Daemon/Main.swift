import ArgumentParser
import CoordinatorPlatform
import Glibc

/// `skerry-coordinator`: holds the cloud's intent and serves its APIs.
@main
struct CoordinatorProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skerry-coordinator",
        abstract: "Holds a Skerry cloud's intent and serves the OpenStack APIs.",
        subcommands: [InitCommand.self, RunCommand.self])
}

/// What every subcommand needs.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "The configuration file.")
    var config = "/etc/skerry/coordinator.yaml"

    func load() throws -> Configuration {
        try Configuration.parse(try StateFiles.text(of: config), path: config)
    }
}
