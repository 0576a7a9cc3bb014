import ArgumentParser
import CoordinatorIdentity
import CoordinatorPlatform
import Glibc
import Logging

/// Makes database, CA, certificate, catalog and first users. May be repeated: what is there stays, the given passwords
/// and the catalog's addresses become what they are now said to be.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Makes the cloud's database, CA and first users; harmless to repeat.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "A file with the password of 'admin'.")
    var adminPasswordFile: String
    @Option(
        help: "A file with the password of 'demo', a plain member of project 'demo'; without it there is no such user.")
    var demoPasswordFile: String?

    func run() async throws {
        let configuration = try options.load()
        let files = StateFiles(root: configuration.stateDirectory)
        try files.makeFolders()
        let lock = try await files.takeLock()
        defer { StateFiles.release(lock) }
        let clock = SystemClock()
        _ = try Trust.loadOrCreate(files, configuration: configuration, at: clock.now() / 1_000_000)
        // Everybody may read the CA's certificate, as its mode says; nobody else what comes now.
        umask(0o077)
        let database = try await configuration.storeLocation.open()
        _ = try await Migrator(Cloud.migrations).migrate(database, now: clock.now())
        var settings = IdentityService.Settings()
        settings.sealingKey = try await SealingKey.loadOrCreate(files, for: database)
        let identity = try await IdentityService(database: database, clock: clock, settings: settings)
        let demo = try demoPasswordFile.map { file in
            IdentityBootstrap.Account(user: "demo", password: try password(in: file), project: "demo", role: "member")
        }
        var services = IdentityBootstrap.services
        if let endpoint = configuration.objectEndpoint {
            services.append(
                .init(
                    type: "object-store", name: "swift", description: "Object Storage", path: "",
                    url: endpoint.accountURL))
            services.append(.init(type: "s3", name: "s3", description: "S3", path: "", url: endpoint.url))
        }
        try await IdentityBootstrap(
            publicURL: configuration.publicURL, region: configuration.region,
            admin: .init(user: "admin", password: try password(in: adminPasswordFile), project: "admin", role: "admin"),
            demo: demo, services: services
        ).run(on: identity)
        try database.close()
        print("The cloud is ready in \(configuration.stateDirectory); start it with 'skerry-coordinator run'.")
    }

    /// The file's first line.
    private func password(in path: String) throws -> String {
        let text = try StateFiles.text(of: path).split(separator: "\n").first.map(String.init) ?? ""
        guard !text.isEmpty else { throw StartError("'\(path)' holds no password.") }
        return text
    }
}
