// swift-tools-version: 6.2
// One target per folder, and a target's name is its path: Agent/Network is AgentNetwork. Tests/Tidy checks the
// dependency rules of the design against the imports, so the lists below cannot drift from the architecture.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny")
]

extension Target.Dependency {
    static let nio: [Target.Dependency] = [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
    ]
    static let http1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
    static let webSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
    static let embedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
    static let tls: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
    static let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
    static let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
    static let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras: Target.Dependency = .product(name: "_CryptoExtras", package: "swift-crypto")
    static let hummingbird: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
    static let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
    static let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
    static let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
    static let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
}

func library(_ path: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(
        name: path.replacing("/", with: ""), dependencies: dependencies, path: path, exclude: exclude,
        swiftSettings: strict)
}

/// Nobody loads a plug-in into a program, so it exports none of its functions: their names alone took megabytes, and
/// kept what nothing calls. The toolchain's lld links in a third of gold's time, and packs relocations (from glibc 2.36).
let lean: [LinkerSetting] = [
    .unsafeFlags(
        ["-use-ld=lld", "-Xlinker", "--no-export-dynamic", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"],
        .when(configuration: .release))
]

func program(_ path: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: path.replacing("/", with: ""), dependencies: dependencies, path: path, swiftSettings: strict,
        linkerSettings: lean)
}

func tests(_ path: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: path.split(separator: "/").last.map { $0 + "Tests" } ?? path,
        dependencies: dependencies + ["TestsSupportRandomness"], path: path, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "skerry",
    products: [
        .executable(name: "skerry-coordinator", targets: ["CoordinatorDaemon"]),
        .executable(name: "skerry-agent", targets: ["AgentDaemon"]),
        .executable(name: "skerry", targets: ["CoordinatorCommand"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: [])
    ],
    targets: [
        library("Protocol/Model"),
        .systemLibrary(
            name: "CYAML", path: "Protocol/CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(
            name: "CSQLite", path: "Protocol/CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        library("Protocol/Settings", ["CYAML", .logging]),
        library("Protocol/SQLite", ["CSQLite"]),
        library("Protocol/Telemetry", Target.Dependency.nio + [.http1, .logging]),
        library(
            "Protocol/Wire", ["ProtocolModel", .protobuf, .product(name: "NIOCore", package: "swift-nio")],
            exclude: ["Proto"]),
        library(
            "Protocol/Link",
            [
                "ProtocolWire", "ProtocolModel", .tls, .product(name: "NIOTLS", package: "swift-nio"), .x509, .crypto,
                .logging,
                .collections
            ] + Target.Dependency.nio),

        .systemLibrary(
            name: "CLibvirt", path: "Agent/CLibvirt", pkgConfig: "libvirt", providers: [.apt(["libvirt-dev"])]),
        .systemLibrary(
            name: "CNetlink", path: "Agent/CNetlink", pkgConfig: "libnl-route-3.0",
            providers: [.apt(["libnl-3-dev", "libnl-route-3-dev"])]),
        library("Agent/Core", ["ProtocolModel", .logging, .collections]),
        library("Agent/Store", ["AgentCore", "ProtocolModel", "ProtocolSQLite", "ProtocolWire"]),
        library("Agent/Netlink", ["CNetlink", "ProtocolModel"]),
        library("Agent/Compute", ["AgentCore", "ProtocolModel", "CLibvirt", .logging] + Target.Dependency.nio),
        library(
            "Agent/Network",
            ["AgentCore", "ProtocolModel", "AgentNetlink", .http1, .logging, .subprocess] + Target.Dependency.nio),
        library("Agent/Storage", ["AgentCore", "ProtocolModel", .crypto, .logging, .subprocess]),
        library(
            "Agent/Object",
            ["AgentCore", "ProtocolModel", "ProtocolSQLite", .http1, .tls, .crypto, .logging] + Target.Dependency.nio),
        library("Agent/Host", ["ProtocolModel", .logging]),
        library("Agent/Simulated", ["AgentCore", "ProtocolModel"]),
        program(
            "Agent/Daemon",
            [
                "AgentCore", "AgentStore", "AgentCompute", "AgentNetwork", "AgentNetlink", "AgentStorage", "AgentHost",
                "AgentObject", "AgentSimulated", "ProtocolModel", "ProtocolLink", "ProtocolSettings",
                "ProtocolTelemetry",
                .arguments, .logging, .lifecycle
            ] + Target.Dependency.nio),

        .systemLibrary(name: "CPostgres", path: "Coordinator/CPostgres", providers: [.apt(["libpq-dev"])]),
        library(
            "Coordinator/Platform",
            [
                "CPostgres", "ProtocolModel", "ProtocolSQLite", "ProtocolTelemetry", .hummingbird,
                .product(name: "HTTPTypes", package: "swift-http-types"), .tls, .http1, .crypto, .logging,
                .collections,
                .lifecycle
            ] + Target.Dependency.nio),
        library(
            "Coordinator/Identity",
            ["CoordinatorPlatform", "ProtocolModel", .crypto, .cryptoExtras, .logging, .lifecycle]),
        library(
            "Coordinator/Fleet",
            [
                "CoordinatorPlatform", "ProtocolModel", "ProtocolWire", "ProtocolLink", .x509, .crypto, .lifecycle
            ]),
        library(
            "Coordinator/Placement", ["CoordinatorPlatform", "CoordinatorFleet", "ProtocolModel"]),
        library(
            "Coordinator/Image",
            [
                "CoordinatorPlatform", "CoordinatorFleet", "CoordinatorIdentity", "ProtocolModel", .crypto, .http1,
                .lifecycle, .tls
            ] + Target.Dependency.nio),
        library(
            "Coordinator/Network",
            ["CoordinatorPlatform", "CoordinatorFleet", "ProtocolModel"]),
        library(
            "Coordinator/BlockStorage",
            [
                "CoordinatorPlatform", "CoordinatorFleet", "CoordinatorIdentity", "CoordinatorPlacement",
                "CoordinatorImage", "ProtocolModel", .product(name: "HTTPTypes", package: "swift-http-types"), .crypto,
                .lifecycle
            ]),
        library(
            "Coordinator/Console",
            [
                "CoordinatorPlatform", "CoordinatorFleet", "ProtocolModel", "ProtocolLink", .http1, .webSocket, .tls,
                .crypto, .logging, .lifecycle
            ] + Target.Dependency.nio),
        library(
            "Coordinator/Compute",
            [
                "CoordinatorPlatform", "CoordinatorFleet", "CoordinatorIdentity", "CoordinatorPlacement",
                "CoordinatorImage",
                "CoordinatorNetwork", "CoordinatorBlockStorage", "CoordinatorConsole", "ProtocolModel", .crypto,
                .cryptoExtras, .lifecycle, .x509
            ]),
        library(
            "Coordinator/ObjectStorage",
            ["CoordinatorPlatform", "CoordinatorFleet", "CoordinatorIdentity", "ProtocolModel"]),
        program(
            "Coordinator/Daemon",
            [
                "CoordinatorPlatform", "CoordinatorFleet", "CoordinatorIdentity", "CoordinatorPlacement",
                "CoordinatorImage",
                "CoordinatorNetwork", "CoordinatorBlockStorage", "CoordinatorConsole", "CoordinatorCompute",
                "CoordinatorObjectStorage", "ProtocolModel", "ProtocolLink", "ProtocolSettings",
                "ProtocolTelemetry", .arguments, .crypto, .cryptoExtras, .logging, .lifecycle, .signals
            ]),
        program(
            "Coordinator/Command",
            [.http1, .arguments] + Target.Dependency.nio),

        library("Tests/Support/Randomness", ["ProtocolModel"]),
        library("Tests/Support/Store", ["CoordinatorPlatform", .crypto]),
        tests("Tests/Tidy", []),
        tests("Tests/Unit/ProtocolModel", ["ProtocolModel"]),
        tests(
            "Tests/Unit/ProtocolWire", ["ProtocolWire", "ProtocolModel", .embedded] + Target.Dependency.nio,
            exclude: ["Golden"]),
        tests(
            "Tests/Unit/ProtocolLink",
            ["ProtocolLink", "ProtocolWire", "ProtocolModel", .x509, .crypto, .tls] + Target.Dependency.nio),
        tests("Tests/Unit/ProtocolSettings", ["ProtocolSettings"]),
        tests("Tests/Unit/ProtocolSQLite", ["ProtocolSQLite"]),
        tests("Tests/Unit/ProtocolTelemetry", ["ProtocolTelemetry", .logging] + Target.Dependency.nio),
        tests("Tests/Unit/AgentCore", ["AgentCore", "AgentSimulated", "AgentStore", "ProtocolModel"]),
        tests("Tests/Unit/AgentStore", ["AgentStore", "AgentCore", "ProtocolModel", "ProtocolSQLite", "ProtocolWire"]),
        tests("Tests/Unit/AgentSimulated", ["AgentSimulated", "AgentStore", "AgentCore", "ProtocolModel"]),
        tests(
            "Tests/Unit/AgentCompute",
            ["AgentCompute", "AgentCore", "AgentStorage", "ProtocolModel", .logging, .subprocess],
            exclude: ["Golden"]),
        tests("Tests/Unit/AgentStorage", ["AgentStorage", "AgentCore", "ProtocolModel", .crypto, .subprocess]),
        tests(
            "Tests/Unit/AgentDaemon", ["AgentDaemon", "AgentCore", "ProtocolLink", "ProtocolModel", "ProtocolSettings"]),
        tests(
            "Tests/Unit/AgentObject",
            ["AgentObject", "ProtocolModel", .http1, .crypto, .logging] + Target.Dependency.nio),
        tests("Tests/Unit/AgentHost", ["AgentHost", "ProtocolModel"]),
        tests("Tests/Unit/AgentNetlink", ["AgentNetlink", "ProtocolModel"]),
        tests(
            "Tests/Unit/AgentNetwork",
            ["AgentNetwork", "AgentNetlink", "AgentCore", "ProtocolModel", .subprocess] + Target.Dependency.nio),
        tests(
            "Tests/Unit/CoordinatorPlatform",
            ["CoordinatorPlatform", "ProtocolModel", "TestsSupportStore"] + Target.Dependency.nio),
        tests(
            "Tests/Unit/CoordinatorDaemon",
            ["CoordinatorDaemon", "CoordinatorPlatform", "ProtocolLink", "ProtocolModel", .crypto, .tls, .logging]
                + Target.Dependency.nio),
        tests("Tests/Unit/CoordinatorIdentity", ["CoordinatorIdentity", "CoordinatorPlatform", "ProtocolModel"]),
        tests(
            "Tests/Unit/CoordinatorFleet",
            ["CoordinatorFleet", "CoordinatorPlatform", "ProtocolLink", "ProtocolModel", "ProtocolWire", .logging]),
        tests(
            "Tests/Unit/CoordinatorImage",
            ["CoordinatorImage", "CoordinatorPlatform", "ProtocolModel"] + Target.Dependency.nio),
        tests("Tests/Unit/CoordinatorObjectStorage", ["CoordinatorObjectStorage"]),
        tests(
            "Tests/Unit/CoordinatorConsole",
            [
                "CoordinatorConsole", "CoordinatorFleet", "CoordinatorPlatform", "ProtocolModel", "TestsSupportStore",
                .webSocket, .http1, .logging
            ] + Target.Dependency.nio),
        tests(
            "Tests/Unit/CoordinatorNetwork",
            ["CoordinatorNetwork", "CoordinatorFleet", "CoordinatorPlatform", "ProtocolModel"]),
        tests(
            "Tests/Unit/CoordinatorPlacement",
            ["CoordinatorPlacement", "CoordinatorFleet", "CoordinatorPlatform", "ProtocolModel"]),
        tests(
            "Tests/Unit/CoordinatorCompute",
            [
                "CoordinatorCompute", "CoordinatorPlacement", "CoordinatorNetwork", "CoordinatorImage",
                "CoordinatorFleet", "CoordinatorPlatform", "ProtocolModel"
            ]),
        tests(
            "Tests/Fuzz",
            [
                "AgentCore", "AgentStorage", "CoordinatorCompute", "CoordinatorDaemon", "CoordinatorImage",
                "CoordinatorPlatform", "ProtocolModel", "ProtocolSettings", "ProtocolWire", "TestsSupportStore",
                .logging, .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio")
            ], exclude: ["run"]),
        tests(
            "Tests/Unit/CoordinatorBlockStorage",
            ["CoordinatorBlockStorage", "CoordinatorFleet", "ProtocolModel"]),
        tests(
            "Tests/Contract",
            [
                "CoordinatorBlockStorage", "CoordinatorConsole", "CoordinatorCompute", "CoordinatorNetwork",
                "CoordinatorImage", "CoordinatorObjectStorage",
                "CoordinatorPlacement",
                "CoordinatorFleet",
                "CoordinatorIdentity", "CoordinatorPlatform", "ProtocolModel", "ProtocolLink", "TestsSupportStore", .tls
            ] + Target.Dependency.nio, exclude: ["Fields/unwritten.txt"]),
        tests(
            "Tests/Simulation",
            [
                "CoordinatorDaemon", "CoordinatorFleet", "CoordinatorIdentity", "CoordinatorPlatform", "AgentDaemon",
                "AgentCore", "AgentSimulated", "AgentStore", "ProtocolLink", "ProtocolModel", .logging,
                .product(name: "HTTPTypes", package: "swift-http-types")
            ] + Target.Dependency.nio)
    ]
)
