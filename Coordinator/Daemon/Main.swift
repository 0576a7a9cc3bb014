import ArgumentParser
import CoordinatorImage
import CoordinatorPlatform
import Glibc

/// `skerry-coordinator`: holds the cloud's intent and serves its APIs.
@main
struct CoordinatorProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skerry-coordinator",
        abstract: "Holds a Skerry cloud's intent and serves the OpenStack APIs.",
        subcommands: [
            InitCommand.self, RunCommand.self, BackupCommand.self, RestoreCommand.self, StoreCommand.self,
            SupportBundleCommand.self, MeasureSchedulerCommand.self
        ])
}

/// What every subcommand needs.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "The configuration file.")
    var config = "/etc/skerry/coordinator.yaml"

    func load() throws -> Configuration {
        try Configuration.parse(try StateFiles.text(of: config), path: config)
    }

    /// The configuration with the files that it names and that are read once.
    func loadWithFiles() throws -> Configuration {
        var configuration = try load()
        if var file = configuration.images.propertyProtections {
            file.path = beside(file.path)
            configuration.images.propertyProtections = file
            configuration.images.metadata.propertyProtections = try file.load()
        }
        if let authorities = configuration.images.data.webDownload.authorities.map(beside) {
            guard WebTrust.isUsable(authorities: authorities) else {
                throw StartError(
                    "images.web_download.ca_file: '\(authorities)' holds no certificates in PEM, or cannot be read.")
            }
            configuration.images.data.webDownload.authorities = authorities
        }
        return configuration
    }

    /// The operator's rules: relative names are beside the configuration.
    func policyFile(_ configuration: Configuration) -> String {
        beside(configuration.policyFile ?? "policy.yaml")
    }

    /// Relative names are beside the configuration.
    func beside(_ name: String) -> String {
        name.hasPrefix("/") ? name : "\(StateFiles.folder(of: config))/\(name)"
    }
}
