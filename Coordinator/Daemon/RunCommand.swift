import ArgumentParser
import CoordinatorCompute
import CoordinatorIdentity
import CoordinatorPlatform
import Glibc
import Logging
import ProtocolLink
import ProtocolModel
import ProtocolTelemetry
import ServiceLifecycle

/// Serves until it is told to stop.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Serves the cloud.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        HeapTuning.apply()
        // What this process makes is its owner's alone: keys, database, images, the operator's socket from its first moment.
        umask(0o077)
        let configuration = try options.load()
        Telemetry.bootstrap(logLevel: configuration.logLevel, format: configuration.logsJSON ? .json : .text)
        let logger = Logger(label: "coordinator")
        let files = StateFiles(root: configuration.stateDirectory)
        try files.makeFolders()
        let lock = try await files.takeLock()
        defer { StateFiles.release(lock) }

        let clock = SystemClock()
        let trust = try Trust.loadOrCreate(files, configuration: configuration, at: clock.now() / 1_000_000)
        let database = try EmbeddedDatabase(path: files.database)
        _ = try await Migrator(Cloud.migrations).migrate(database, now: clock.now())
        let identity = try await identityService(configuration, database: database, clock: clock)
        let cloud = try Cloud(
            database: database, identity: identity, files: files, authority: trust.authority,
            configuration: configuration, clock: clock, revision: { database.commits }, logger: logger)
        try await cloud.image.service.recover()

        try StateFiles.makeFolder(StateFiles.folder(of: configuration.socket), mode: 0o755)
        let metrics = MetricsRegistry()
        let pipeline = RequestPipeline(
            services: cloud.services, authenticator: identity.tokens, database: database,
            settings: settings(configuration), metrics: metrics, logger: logger)
        let server = try HTTPServer(
            pipeline: pipeline, configuration: httpConfiguration(configuration, files: files), logger: logger
        ) { port in
            logger.notice("serving the APIs", metadata: ["port": "\(port)", "url": "\(configuration.publicURL)"])
        }
        var services: [any Service] = [
            server,
            AgentPort(
                configuration: configuration, trust: trust, link: cloud.fleet.link, registry: cloud.registry,
                logger: logger),
            Ticker(interval: .seconds(1)) { await cloud.fleet.tick() },
            Ticker(interval: .seconds(3_600)) { await renewTokenKeys(identity, logger: logger) }
        ]
        for periodic in cloud.compute.periodics {
            services.append(
                Ticker(interval: .seconds(periodic.everySeconds)) {
                    await run(periodic, database: database, clock: clock, logger: logger)
                })
        }
        if let endpoint = configuration.metricsListen {
            metrics.addProcessMetrics()
            metrics.observe("skerry_agents_connected", "Agents with an open session.") {
                Double(cloud.registry.connectedCount)
            }
            services.append(MetricsPort(endpoint: endpoint, metrics: metrics))
        }
        try await ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: quiet(logger))
        ).run()
        try database.close()
        logger.notice("stopped")
    }

    private func identityService(
        _ configuration: Configuration, database: any SQLDatabase, clock: any WallClock
    ) async throws -> IdentityService {
        var settings = IdentityService.Settings()
        settings.region = configuration.region
        return try await IdentityService(database: database, clock: clock, settings: settings)
    }

    private func renewTokenKeys(_ identity: IdentityService, logger: Logger) async {
        do {
            try await identity.renewTokenKeys()
        } catch {
            logger.error("token keys could not be renewed", metadata: ["error": "\(error)"])
        }
    }

    private func run(
        _ periodic: ComputeSlice.Periodic, database: any SQLDatabase, clock: any WallClock, logger: Logger
    ) async {
        let now = clock.now()
        do {
            try await database.write { try periodic.run(now, $0) }
        } catch {
            logger.error("\(periodic.name) failed", metadata: ["error": "\(error)"])
        }
    }

    private func settings(_ configuration: Configuration) -> RequestPipeline.Settings {
        var settings = RequestPipeline.Settings()
        settings.publicURL = configuration.publicURL
        return settings
    }

    private func httpConfiguration(_ configuration: Configuration, files: StateFiles) -> HTTPServer.Configuration {
        HTTPServer.Configuration(
            host: configuration.api.listen.host, port: configuration.api.listen.port,
            tls: configuration.api.isTLS
                ? .init(certificateChain: files.apiCertificate, privateKey: files.apiKey) : nil,
            operatorSocket: configuration.socket)
    }

    /// The service group tells of each service it starts; the services say what matters themselves.
    private func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = .error
        return quiet
    }
}
