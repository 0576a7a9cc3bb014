import AgentStore
import ArgumentParser
import Glibc
import ProtocolLink
import ProtocolModel
import ProtocolSettings

/// What one who helps the operator wants to know of this host, without secrets.
struct SupportBundleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "support-bundle",
        abstract: "Writes what one who helps wants to know into a text file, without secrets and names.",
        discussion: """
            Versions of the agent and of what it works with, the configuration's harmless values, counts of what the plan \
            holds, the unit's state and the log without values. Read it before you give it away.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The new file.")
    var file: String

    func run() async throws {
        umask(0o077)
        var text = SupportText()
        text.add("program", ["skerry-agent \(Release.version)"])
        let settings = (try? StateFolder.text(of: options.config)) ?? ""
        let configuration = try? options.load()
        let state = configuration?.stateDirectory ?? "/var/lib/skerry/agent"
        text.add("machine", SupportFacts.machine(folder: state) + Self.devices())
        text.add("tools", Self.tools.flatMap { SupportFacts.output("\($0) | head -n 1", lines: 1) })
        text.add(
            "configuration",
            ["read: \(configuration == nil ? "no, it is missing or refused" : "yes")"]
                + SettingsOutline.lines(settings, shown: Self.shown))
        let folder = StateFolder(root: state)
        let isNode = (try? NodeIdentity.load(directory: folder.identity)) != nil
        text.add("plan", ["joined: \(isNode ? "yes" : "no")"] + ((try? await Self.plan(folder)) ?? ["cannot be read"]))
        SupportFacts.unit("skerry-agent", into: &text)
        try SupportFacts.write(text, to: file)
        print("\(file): \((text.text.utf8.count + 1023) / 1024) KiB. Read it before you give it away.")
    }

    private static func devices() -> [String] {
        ["/dev/kvm", "/dev/net/tun", "/proc/sys/net/bridge"].map { path in
            "\(path): \(access(path, F_OK) == 0 ? "there" : "not there")"
        }
    }

    private static func plan(_ folder: StateFolder) async throws -> [String] {
        guard access(folder.plan, F_OK) == 0 else { return ["none yet"] }
        let store = try SQLitePlanStore(path: folder.plan)
        defer { try? store.close() }
        let position = try await store.position()
        let entries = try await store.entries()
        let setAside = try await store.setAside()
        let kinds = Set(entries.map(\.key.kind)).sorted()
        return ["epoch \(position.epoch), revision \(position.revision)"]
            + kinds.map { kind in
                let all = entries.filter { $0.key.kind == kind }
                return "\(kind): \(all.count { $0.spec != nil }), to be removed: \(all.count { $0.spec == nil })"
            } + ["kept though the plan does not name them: \(setAside.count)"]
    }

    private static let tools = [
        "qemu-system-x86_64 --version", "qemu-img --version", "virsh --version", "dnsmasq --version",
        "iptables --version",
        "ipset --version", "ip -Version"
    ]

    /// Keys whose values tell of no secret.
    private static let shown: Set<String> = [
        "state_directory", "coordinator", "roles", "driver", "libvirt.virt_type", "availability_zone",
        "reserved.memory_mib", "reserved.disk_gib", "images.cache_gib", "object.listen", "object.keep_tokens_minutes",
        "keep_days", "metrics.listen", "log.level", "log.format"
    ]
}
