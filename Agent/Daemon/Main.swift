import ArgumentParser
import ProtocolModel

/// `skerry-agent`: makes one host what its coordinator's plan says.
@main
struct AgentProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skerry-agent", abstract: "Makes a host what its Skerry coordinator's plan says.",
        version: AgentVersion.text,
        subcommands: [
            JoinCommand.self, RunCommand.self, StatusCommand.self, ConfirmRemovalsCommand.self,
            SupportBundleCommand.self
        ])
}

enum AgentVersion {
    static let text = Release.version
}

/// What every subcommand needs.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "The configuration file.")
    var config = "/etc/skerry/agent.yaml"

    @Option(help: "libvirt or simulated, whatever the configuration says.")
    var driver: String?

    func load() throws -> Configuration {
        var configuration = try Configuration.parse(try StateFolder.text(of: config), path: config)
        if let driver {
            guard let known = Configuration.Driver(rawValue: driver) else {
                throw ValidationError("--driver is '\(driver)': it must be libvirt or simulated.")
            }
            configuration.driver = known
        }
        return configuration
    }
}
