import Testing

/// The dependency rules of the design, section 2, read off the imports.
@Suite("who imports whom")
struct DependencyTests {
    static let tree = SourceTree()

    /// Folder of a target -> the targets of ours it may import.
    static let allowed: [String: Set<String>] = [
        "Protocol/Model": [],
        "Protocol/Settings": ["CYAML"],
        "Protocol/SQLite": ["CSQLite"],
        "Protocol/Telemetry": [],
        "Protocol/Wire": ["ProtocolModel"],
        "Protocol/Link": ["ProtocolWire", "ProtocolModel"],
        "Agent/Core": ["ProtocolModel"],
        "Agent/Store": ["AgentCore", "ProtocolModel", "ProtocolSQLite", "ProtocolWire"],
        "Agent/Netlink": ["CNetlink", "ProtocolModel"],
        "Agent/Compute": ["AgentCore", "CLibvirt", "ProtocolModel"],
        "Agent/Network": ["AgentCore", "AgentNetlink", "ProtocolModel"],
        "Agent/Storage": ["AgentCore", "ProtocolModel"],
        "Agent/Object": ["AgentCore", "AgentStorage", "ProtocolModel", "ProtocolSQLite"],
        "Agent/Host": ["AgentCore", "ProtocolModel"],
        "Agent/Simulated": ["AgentCore", "ProtocolModel"],
        "Coordinator/Platform": ["CPostgres", "ProtocolModel", "ProtocolSQLite", "ProtocolTelemetry"],
        "Coordinator/Identity": ["CoordinatorPlatform", "ProtocolModel"],
        "Coordinator/Fleet": [
            "CoordinatorPlatform", "CoordinatorIdentity", "ProtocolModel", "ProtocolWire", "ProtocolLink"
        ],
        "Coordinator/Placement": ["CoordinatorPlatform", "CoordinatorIdentity", "CoordinatorFleet", "ProtocolModel"],
        "Coordinator/Image": ["CoordinatorPlatform", "CoordinatorIdentity", "CoordinatorFleet", "ProtocolModel"],
        "Coordinator/Network": [
            "CoordinatorPlatform", "CoordinatorIdentity", "CoordinatorFleet", "CoordinatorPlacement", "ProtocolModel"
        ],
        "Coordinator/BlockStorage": [
            "CoordinatorPlatform", "CoordinatorIdentity", "CoordinatorFleet", "CoordinatorPlacement",
            "CoordinatorImage", "ProtocolModel"
        ],
        "Coordinator/Compute": [
            "CoordinatorPlatform", "CoordinatorIdentity", "CoordinatorFleet", "CoordinatorPlacement",
            "CoordinatorImage",
            "CoordinatorNetwork", "CoordinatorBlockStorage", "CoordinatorConsole", "ProtocolModel"
        ],
        "Coordinator/Console": ["CoordinatorPlatform", "CoordinatorFleet", "ProtocolModel", "ProtocolLink"],
        "Coordinator/ObjectStorage": [
            "CoordinatorPlatform", "CoordinatorIdentity", "CoordinatorFleet", "ProtocolModel"
        ],
        "Coordinator/Command": ["ProtocolModel", "ProtocolTelemetry"]
    ]

    static func isOurs(_ module: String) -> Bool {
        ["Protocol", "Agent", "Coordinator"].contains { module.hasPrefix($0) }
            || ["CLibvirt", "CNetlink", "CPostgres", "CSQLite", "CYAML"].contains(module)
    }

    @Test("every target imports only what the design lets it", arguments: allowed.keys.sorted())
    func layering(folder: String) {
        let may = Self.allowed[folder] ?? []
        for file in Self.tree.production where file.path.hasPrefix(folder + "/") {
            let wrong = file.imports.filter { Self.isOurs($0) && !may.contains($0) }
            #expect(wrong.isEmpty, "\(file.path) imports \(wrong.sorted())")
        }
    }

    @Test("every folder of code is under a rule")
    func nothingForgotten() {
        let daemons = ["Agent/Daemon", "Coordinator/Daemon"]
        for file in Self.tree.production {
            let folder = file.path.split(separator: "/").prefix(2).joined(separator: "/")
            #expect(
                Self.allowed[folder] != nil || daemons.contains(folder), "\(file.path) is in a folder without a rule")
        }
    }

    @Test("coordinator, agent and protocol keep apart")
    func threeParts() {
        for file in Self.tree.production {
            let part = file.path.split(separator: "/")[0]
            let strangers = file.imports.filter { module in
                (part == "Coordinator" && module.hasPrefix("Agent"))
                    || (part == "Agent" && module.hasPrefix("Coordinator"))
                    || (part == "Protocol" && (module.hasPrefix("Agent") || module.hasPrefix("Coordinator")))
            }
            #expect(strangers.isEmpty, "\(file.path) imports \(strangers.sorted())")
        }
    }

    /// Targets and folders that decide and never act.
    static let pure =
        ["Protocol/Model/"]
        + ["Identity", "Image", "Network", "BlockStorage", "Compute", "Console", "Placement", "Fleet"].map {
            "Coordinator/\($0)/Model/"
        }

    /// What asks the world for the time or for chance. `random(using:)` takes the chance it is given.
    static func acts(_ text: String) -> Bool {
        let words = [
            "Date()", ".now", "clock_gettime", "Clock()", ".randomElement()", ".shuffled()",
            "SystemRandomNumberGenerator",
            ".random()"
        ]
        return words.contains { text.contains($0) } || text.contains(".random(in:") && !text.contains("using:")
    }

    @Test("what is pure imports no I/O, reads no clock and draws no random number", arguments: pure)
    func purity(folder: String) {
        let banned: Set<String> = [
            "Foundation", "NIOCore", "NIOPosix", "ProtocolSQLite", "Glibc", "Dispatch", "Logging"
        ]
        #expect(Self.tree.production.contains { $0.path.hasPrefix(folder) }, "nothing is in \(folder)")
        for file in Self.tree.production where file.path.hasPrefix(folder) {
            #expect(file.imports.isDisjoint(with: banned), "\(file.path) imports \(file.imports.intersection(banned))")
            for (number, text) in file.code {
                #expect(!Self.acts(text), "\(file.path):\(number) reads a clock or draws a random number")
            }
        }
    }

    @Test("planners are pure wherever they stand")
    func planners() {
        for file in Self.tree.production where file.path.hasSuffix("Planner.swift") {
            let banned: Set<String> = [
                "Foundation", "NIOCore", "NIOPosix", "ProtocolSQLite", "Glibc", "AgentNetlink", "CLibvirt"
            ]
            #expect(file.imports.isDisjoint(with: banned), "\(file.path) imports \(file.imports.intersection(banned))")
            for (number, text) in file.code {
                #expect(!text.contains(" await "), "\(file.path):\(number): a planner awaits")
                #expect(!Self.acts(text), "\(file.path):\(number): a planner reads a clock or draws a random number")
            }
        }
    }
}
