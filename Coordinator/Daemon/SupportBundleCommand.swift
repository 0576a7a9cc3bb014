import ArgumentParser
import CoordinatorFleet
import CoordinatorPlatform
import Glibc
import ProtocolModel
import ProtocolSettings

/// What one who helps the operator wants to know, without secrets.
struct SupportBundleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "support-bundle",
        abstract: "Writes what one who helps wants to know into a text file, without secrets and names.",
        discussion: """
            Versions, the configuration's harmless values, counts of what the database holds, events without what they are \
            about, the unit's state and the log without values. Read it before you give it away.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The new file.")
    var file: String

    private static let events: Int64 = 2_000

    func run() async throws {
        umask(0o077)
        var text = SupportText()
        text.add("program", ["skerry-coordinator \(Release.version)"])
        let settings = (try? StateFiles.text(of: options.config)) ?? ""
        let configuration = try? options.load()
        let state = configuration?.stateDirectory ?? Configuration().stateDirectory
        text.add("machine", SupportFacts.machine(folder: state))
        text.add(
            "configuration",
            ["read: \(configuration == nil ? "no, it is missing or refused" : "yes")"]
                + SettingsOutline.lines(settings, shown: Self.shown))
        do {
            guard let configuration else { throw StartError("not looked at without a configuration") }
            for (title, lines) in try await Self.database(configuration) { text.add(title, lines) }
        } catch {
            // What an engine says may have anything in it.
            text.add("database", ["cannot be read"])
        }
        SupportFacts.unit("skerry-coordinator", into: &text)
        try SupportFacts.write(text, to: file)
        print("\(file): \((text.text.utf8.count + 1023) / 1024) KiB. Read it before you give it away.")
    }

    private static func database(_ configuration: Configuration) async throws -> [(String, [String])] {
        let location = configuration.storeLocation
        if case .file(let path) = location, !StateFiles.exists(path) { return [("database", ["none yet"])] }
        let engine: any StoreEngine =
            switch location {
            case .file(let path): try EmbeddedDatabase(path: path)
            case .server(let url): try await PostgreSQLDatabase(url: url)
            }
        defer { try? engine.close() }
        let kind = if case .file = location { "SQLite" } else { "PostgreSQL" }
        return try await engine.read { reader in
            let summary = try StoreSummary(of: reader)
            let hosts = try PlanStore().hosts(in: reader)
            let newest = try EventLog.newest(in: reader)
            let events = try EventLog.events(after: newest - Self.events, limit: Int(Self.events), in: reader)
            return [
                ("database", ["engine: \(kind)"] + summary.schema), ("rows", summary.rows),
                (
                    "hosts",
                    hosts.health.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
                        + ["with changes that they have not confirmed: \(hosts.behind)"]
                ),
                ("events", events.map { Self.line($0.event) })
            ]
        }
    }

    private static func line(_ event: Event) -> String {
        // Of a refusal, its status: what else it says may quote anything.
        let outcome = event.outcome.prefix { $0.isASCII && ($0.isNumber || $0.isLetter) }
        return "\(Timestamp.micros(event.time)) \(event.action) \(outcome) \(event.count)"
    }

    /// Keys whose values tell of no secret.
    private static let shown: Set<String> = [
        "state_directory", "socket", "region", "api.listen", "api.tls", "agents.listen", "metrics.listen", "log.level",
        "log.format", "audit.keep_days", "backup.directory", "backup.keep", "backup.images",
        "identity.lockout_failure_attempts", "identity.lockout_duration", "identity.password_expires_days",
        "network.dns_domain", "network.mtu", "network.tenant_network_types", "network.vni_ranges",
        "network.underlay_mtu",
        "network.underlay_ip_version", "compute.reclaim_seconds", "compute.resize_confirm_seconds",
        "compute.shelved_offload_seconds", "images.size_limit_mib", "images.import_seconds", "images.scrub_days",
        "images.scrub_mib_per_second", "images.show_direct_url", "images.show_locations",
        "images.conversion.output_format"
    ]
}
