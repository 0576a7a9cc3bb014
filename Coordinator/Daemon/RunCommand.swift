import ArgumentParser
import CoordinatorConsole
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
        let configuration = try options.loadWithFiles()
        Telemetry.bootstrap(
            logLevel: configuration.common.logLevel, format: configuration.common.logsJSON ? .json : .text)
        let logger = Logger(label: "coordinator")
        let files = StateFiles(root: configuration.stateDirectory)
        try files.makeFolders()
        let lock = try await files.takeLock()
        defer { StateFiles.release(lock) }

        let clock = SystemClock()
        let trust = try Trust.loadOrCreate(files, configuration: configuration, at: clock.now() / 1_000_000)
        let database = try await configuration.storeLocation.open()
        _ = try await Migrator(Cloud.migrations).migrate(database, now: clock.now())
        let identity = try await identityService(configuration, files, database: database, clock: clock)
        let cloud = try Cloud(
            database: database, identity: identity, files: files, authority: trust.authority,
            configuration: configuration, clock: clock, revision: { database.commits }, logger: logger)
        try await cloud.image.service.recover()

        if let protections = configuration.images.metadata.propertyProtections {
            try configuration.images.propertyProtections?.check(protections, against: cloud.policies)
        }
        let policyWatch = try await policyWatch(configuration, cloud.policies, clock: clock, logger: logger)
        try StateFiles.makeFolder(StateFiles.folder(of: configuration.socket), mode: 0o755)
        let metrics = MetricsRegistry()
        let pipeline = RequestPipeline(
            services: cloud.services, authenticator: identity.tokens, database: database, policies: cloud.policies,
            settings: settings(configuration), metrics: metrics, logger: logger)
        let certificate = try configuration.api.isTLS ? servedCertificate(trust) : nil
        let renewal = CertificateRenewal(
            trust, files: files, configuration: configuration, clock: clock, api: certificate, logger: logger)
        let server = try HTTPServer(
            pipeline: pipeline, configuration: httpConfiguration(configuration, certificate), logger: logger
        ) { port in
            logger.notice("serving the APIs", metadata: ["port": "\(port)", "url": "\(configuration.publicURL)"])
        }
        var services: [any Service] = [
            server,
            AgentPort(
                configuration: configuration, trust: trust, link: cloud.fleet.link, registry: cloud.registry,
                renewals: renewal.renewals, logger: logger),
            PeriodicWork("renewal of the certificate", every: .seconds(3_600), logger: logger) { try renewal.pass() },
            policyWatch, SmallMemory()
        ]
        if configuration.consoleSettings.listen != nil {
            services.append(try ConsoleServer(cloud.console, certificate: certificate))
        }
        services += cloud.work
        services += auditServices(configuration, database: database, clock: clock, logger: logger)
        services += metricsServices(configuration, metrics, cloud)
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet(logger))
        // Before a supervisor loses its patience: what is under way then is cut, but the database is closed in order.
        group.maximumGracefulShutdownDuration = .seconds(20)
        do { try await ServiceGroup(configuration: group).run() } catch {
            try? database.close()
            throw error
        }
        try database.close()
        logger.notice("stopped")
    }

    private func metricsServices(
        _ configuration: Configuration, _ metrics: MetricsRegistry, _ cloud: Cloud
    ) -> [any Service] {
        guard let endpoint = configuration.common.metricsListen else { return [] }
        metrics.addProcessMetrics()
        metrics.observe("skerry_agents_connected", "Agents with an open session.") {
            Double(cloud.registry.connectedCount)
        }
        let fleet = cloud.fleet.figures
        metrics.observe("skerry_statuses_refused", "Statuses of agents that the service they concern refused.") {
            Double(fleet.current.refusedStatuses)
        }
        metrics.observe("skerry_plan_entries_set_aside", "Entries of plans that their node could not be sent.") {
            Double(fleet.current.entriesSetAside)
        }
        metrics.observe("skerry_policy_file_refusals", "Policy files that were refused since the start.") {
            Double(cloud.policies.status.refusals)
        }
        let blobs = cloud.image.blobs
        metrics.observe("skerry_image_awaited_files", "Files of deleted images that wait for their last reader.") {
            Double(blobs.awaitedCount)
        }
        metrics.observe("skerry_image_awaited_bytes", "Bytes of deleted images that wait for their last reader.") {
            Double(blobs.awaitedBytes)
        }
        return [MetricsPort(endpoint: endpoint, metrics: metrics)]
    }

    /// - Throws: ``StartError`` for a file that is wrong.
    private func policyWatch(
        _ configuration: Configuration, _ book: PolicyBook, clock: any WallClock, logger: Logger
    ) async throws -> PolicyWatch {
        let watch = PolicyWatch(
            path: options.policyFile(configuration), isRequired: configuration.policyFile != nil, book: book,
            clock: clock, logger: logger)
        try await watch.loadAtStart()
        return watch
    }

    private func auditServices(
        _ configuration: Configuration, database: any SQLDatabase, clock: any WallClock, logger: Logger
    ) -> [any Service] {
        let sweep = AuditSweep(database: database, clock: clock, days: configuration.audit.keepDays)
        var services: [any Service] = [
            PeriodicWork("removal of old events", every: .seconds(3_600), logger: logger) { try await sweep.pass() },
            PeriodicWork("removal of old changes", every: .seconds(3_600), logger: logger) {
                try await ChangeFeed.sweep(database, at: clock.now())
            }
        ]
        if let destination = configuration.audit.syslog {
            let format = SyslogFormat(
                CADF(cloud: configuration.publicURL), hostname: StateFiles.hostname(), process: getpid())
            let delivery = AuditDelivery(database: database, destination: destination, format: format)
            services.append(
                PeriodicWork("audit to \(destination)", every: .seconds(1), logger: logger) {
                    try await delivery.pass()
                })
        }
        return services
    }

    private func identityService(
        _ configuration: Configuration, _ files: StateFiles, database: any SQLDatabase, clock: any WallClock
    ) async throws -> IdentityService {
        var settings = IdentityService.Settings()
        settings.region = configuration.region
        settings.security = configuration.security
        settings.sealingKey = try await SealingKey.loadOrCreate(files, for: database)
        return try await IdentityService(database: database, clock: clock, settings: settings)
    }

    private func settings(_ configuration: Configuration) -> RequestPipeline.Settings {
        var settings = RequestPipeline.Settings()
        settings.publicURL = configuration.publicURL
        return settings
    }

    private func servedCertificate(_ trust: Trust) throws -> ServedCertificate {
        try ServedCertificate(
            certificatePEM: trust.certificate.certificatePEM, privateKeyPEM: trust.certificate.privateKeyPEM)
    }

    private func httpConfiguration(
        _ configuration: Configuration, _ certificate: ServedCertificate?
    ) -> HTTPServer.Configuration {
        HTTPServer.Configuration(
            host: configuration.api.listen.host, port: configuration.api.listen.port, tls: certificate,
            operatorSocket: configuration.socket)
    }

    /// The service group tells of each service it starts; the services say what matters themselves.
    private func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = .error
        return quiet
    }
}
