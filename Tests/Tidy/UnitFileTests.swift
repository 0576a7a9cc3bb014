import Foundation
import Testing

/// The systemd units: what each daemon may do, and that nothing makes it give up.
@Suite("systemd units")
struct UnitFileTests {
    /// Values by `Section.Key`; a key that is repeated has several.
    private func unit(_ name: String) throws -> [String: [String]] {
        let path = "\(SourceTree().root)/packaging/systemd/skerry-\(name).service"
        var section = ""
        var settings: [String: [String]] = [:]
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("[") {
                section = String(line.dropFirst().prefix { $0 != "]" })
                continue
            }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            try #require(parts.count == 2 && !section.isEmpty, "\(name): \(line)")
            settings["\(section).\(parts[0])", default: []].append(parts[1])
        }
        return settings
    }

    @Test(
        "both are bounded, list what they may do, and are started again for ever", arguments: ["coordinator", "agent"])
    func bounds(name: String) throws {
        let unit = try unit(name)
        #expect(unit["Unit.StartLimitIntervalSec"] == ["0"] && unit["Service.Restart"] == ["always"])
        #expect(unit["Unit.Requires"] == nil, "it would go down with another, and stay down")
        for key in [
            "MemoryMax", "TasksMax", "LimitNOFILE", "CapabilityBoundingSet", "SystemCallFilter",
            "SystemCallArchitectures", "RestrictAddressFamilies", "RestrictNamespaces", "StateDirectory"
        ] {
            #expect(unit["Service.\(key)"]?.count == 1, "\(name): \(key)")
        }
        for key in ["NoNewPrivileges", "LockPersonality", "MemoryDenyWriteExecute", "RestrictRealtime"] {
            #expect(unit["Service.\(key)"] == ["yes"], "\(name): \(key)")
        }
        #expect(unit["Service.SystemCallFilter"]?.first?.hasPrefix("@system-service ") == true)
    }

    @Test("the coordinator is nobody, and sees of the system what it needs")
    func coordinator() throws {
        let unit = try unit("coordinator")
        #expect(unit["Service.User"] == ["skerry"] && unit["Service.Group"] == ["skerry"])
        #expect(unit["Service.CapabilityBoundingSet"] == [""] && unit["Service.AmbientCapabilities"] == nil)
        #expect(unit["Service.ProtectSystem"] == ["strict"])
        for key in ["ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectKernelModules", "RestrictSUIDSGID"] {
            #expect(unit["Service.\(key)"] == ["yes"], "\(key)")
        }
        // What quickstart makes for it where the unit is installed.
        let script = try String(
            contentsOfFile: "\(SourceTree().root)/packaging/lib/daemons.sh", encoding: .utf8)
        #expect(script.contains("useradd --system") && script.contains("chown -R --no-dereference skerry:skerry"))
    }

    @Test("the agent keeps the host's mounts, since the namespaces it names outlive it, and few privileges")
    func agent() throws {
        let unit = try unit("agent")
        let capabilities = Set(
            unit["Service.CapabilityBoundingSet"]?.first?.split(separator: " ").map(String.init) ?? [])
        #expect(capabilities.contains("CAP_NET_ADMIN") && capabilities.contains("CAP_SYS_ADMIN"))
        for key in ["MODULE", "RAWIO", "BOOT", "TIME"] { #expect(!capabilities.contains("CAP_SYS_\(key)")) }
        #expect(unit["Service.KillMode"] == ["process"])
        let own = [
            "Protect", "Private", "ReadOnly", "ReadWrite", "Inaccessible", "TemporaryFileSystem", "RootDirectory"
        ]
        for key in unit.keys {
            #expect(!own.contains { key.hasPrefix("Service.\($0)") }, "\(key) means a mount namespace of its own")
        }
        // Two units must not each make the same folder theirs.
        #expect(
            try unit["Service.RuntimeDirectory"] == nil
                && self.unit("coordinator")["Service.RuntimeDirectory"] == ["skerry"])
    }

    @Test(
        "systemd's own judgement, where it is installed", .enabled(if: FileManager.default.fileExists(atPath: analyze)),
        arguments: [("coordinator", 30), ("coordinator-backup", 25), ("agent", 65)])
    func exposure(name: String, tenths: Int) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.analyze)
        process.arguments = [
            "security", "--offline=true", "--no-pager", "--threshold=\(tenths)",
            "\(SourceTree().root)/packaging/systemd/skerry-\(name).service"
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "its exposure is above \(tenths) tenths")
    }

    private static let analyze = "/usr/bin/systemd-analyze"
}
