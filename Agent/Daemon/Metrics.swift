import AgentCore
import Logging
import NIOCore
import ProtocolModel
import ProtocolSettings
import ProtocolTelemetry
import ServiceLifecycle

/// What `/metrics` shows of an agent, or of all the nodes of a simulation together.
struct Metrics: Sendable {
    let registry = MetricsRegistry()
    private let steps: Histogram
    private let failures: Counter

    init() {
        registry.addProcessMetrics()
        steps = registry.histogram(
            "skerry_agent_step_seconds", "Duration of what was done to servers.", labels: ["step"])
        failures = registry.counter(
            "skerry_agent_step_failures_total", "Steps that failed, by name.", labels: ["step"])
    }

    /// For one engine.
    func figures() -> EngineFigures {
        let (steps, failures) = (steps, failures)
        return EngineFigures { step in
            steps.record(Double(step.durationMicroseconds) / 1_000_000, [step.name])
            if step.error != nil { failures.add(1, [step.name]) }
        }
    }

    func show(_ engines: [EngineFigures]) {
        func sum(_ value: @escaping @Sendable (EngineFigures.Values) -> Int) -> @Sendable () -> Double {
            { Double(engines.reduce(0) { $0 + value($1.current) }) }
        }
        registry.observe("skerry_agent_nodes", "Nodes of this process.") { Double(engines.count) }
        registry.observe(
            "skerry_agent_connected", "Nodes with a session.", sum { $0.isConnected ? 1 : 0 })
        registry.observe("skerry_agent_running_guests", "Guests that run.", sum(\.runningGuests))
        registry.observe(
            "skerry_agent_plan_revision", "Revision of the stored plan, the highest of all nodes.",
            { Double(engines.map(\.current.planRevision).max() ?? 0) })
        for phase in ResourceStatus.Phase.allCases {
            registry.observe(
                "skerry_agent_resources_\(phase)", "Resources of the plan that were last reported \(phase).",
                sum { $0.phases[phase] ?? 0 })
        }
    }
}

/// Serves `/metrics` until the agent stops.
struct MetricsService: Service {
    let endpoint: ListenAddress
    let registry: MetricsRegistry
    let group: any EventLoopGroup
    let logger: Logger

    func run() async throws {
        do {
            let server = try await MetricsServer.start(
                host: endpoint.host, port: endpoint.port, registry: registry, group: group)
            logger.info("serving metrics", metadata: ["address": "\(endpoint)"])
            try? await gracefulShutdown()
            await server.stop()
        } catch {
            // Guests matter more than their monitoring.
            logger.error(
                "cannot serve metrics: give metrics.listen a free address",
                metadata: ["address": "\(endpoint)", "error": "\(error)"])
            try? await gracefulShutdown()
        }
    }
}
