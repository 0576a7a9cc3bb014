import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolSettings
import ProtocolTelemetry
import ServiceLifecycle

/// The port that agents dial.
struct AgentPort: Service {
    let configuration: Configuration
    let trust: Trust
    let link: any LinkService
    let registry: SessionRegistry
    /// Fresh certificates, while it runs.
    let renewals: AsyncStream<ServerCertificate>
    let logger: Logger

    func run() async throws {
        var settings = LinkServer.Configuration()
        settings.host = configuration.agents.listen.host
        settings.port = configuration.agents.listen.port
        let server = try await LinkServer.start(
            settings, authority: trust.authority, certificate: trust.certificate, service: link, logger: logger)
        logger.notice("waiting for agents", metadata: ["port": "\(server.port)"])
        await cancelWhenGracefulShutdown {
            for await certificate in renewals {
                do {
                    try server.use(certificate, authority: trust.authority)
                } catch {
                    logger.error("the renewed certificate cannot be used", metadata: ["error": "\(error)"])
                }
            }
        }
        await server.stop()
    }
}

/// Lets go of what only the start needed.
struct SmallMemory: Service {
    func run() async throws { await cancelWhenGracefulShutdown { await ProgramPages.keepFew() } }
}

/// Where the monitoring looks.
struct MetricsPort: Service {
    let endpoint: ListenAddress
    let metrics: MetricsRegistry

    func run() async throws {
        let server = try await MetricsServer.start(host: endpoint.host, port: endpoint.port, registry: metrics)
        try? await gracefulShutdown()
        await server.stop()
    }
}
