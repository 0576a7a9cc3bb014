import CoordinatorDaemon
import CoordinatorPlatform
import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ProtocolLink
import ProtocolModel
import Synchronization
import Testing

@Suite("the coordinator's certificate")
struct TrustTests {
    private static let start: Int64 = 1_800_000_000
    private static let week: Int64 = 7 * 86_400

    private func withFiles(_ body: (StateFiles) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("trust-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let files = StateFiles(root: root)
        try files.makeFolders()
        try await body(files)
    }

    @Test("over eight years of weeks, whether it runs on or starts anew, a certificate is there that has not ended")
    func years() async throws {
        try await withFiles { files in
            let clock = MovingClock(seconds: Self.start)
            let configuration = Configuration()
            var trust = try Trust.loadOrCreate(files, configuration: configuration, at: Self.start)
            let authority = trust.authority.hash
            var seen: Set<String> = []
            for number in 0..<420 {
                let now = Self.start + Int64(number) * Self.week
                clock.set(now)
                if number % 2 == 0 {
                    trust = try Trust.loadOrCreate(files, configuration: configuration, at: now)
                } else {
                    let renewal = CertificateRenewal(
                        trust, files: files, configuration: configuration, clock: clock, api: nil, logger: .none)
                    try renewal.pass()
                    trust = try Trust.loadOrCreate(files, configuration: configuration, at: now)
                }
                #expect(trust.certificate.notBefore < now && trust.certificate.notAfter > now + Self.week)
                #expect(trust.authority.hash == authority)
                seen.insert(trust.certificate.certificatePEM)
            }
            #expect((11...13).contains(seen.count), "renewed when two thirds of 397 days are over: \(seen.count)")
        }
    }

    @Test("a pair in two files is taken over, and one that a crash tore is made anew")
    func formerFiles() async throws {
        try await withFiles { files in
            let authority = try Trust.loadOrCreate(files, configuration: Configuration(), at: Self.start).authority
            let pairs = try (0..<2).map { _ in
                try authority.issueServerCertificate(names: ["localhost"], at: Self.start)
            }
            for (key, isWhole) in [(pairs[0], true), (pairs[1], false)] {
                try FileManager.default.removeItem(atPath: files.apiCertificate)
                let (certificatePath, keyPath) = files.formerAPICertificate
                try pairs[0].certificatePEM.write(toFile: certificatePath, atomically: true, encoding: .utf8)
                try key.privateKeyPEM.write(toFile: keyPath, atomically: true, encoding: .utf8)
                let trust = try Trust.loadOrCreate(files, configuration: Configuration(), at: Self.start)
                #expect((trust.certificate.certificatePEM.contains(pairs[0].certificatePEM)) == isWhole)
                #expect(!StateFiles.exists(keyPath) && StateFiles.exists(files.apiCertificate))
                #expect(
                    try Trust.loadOrCreate(files, configuration: Configuration(), at: Self.start).certificate
                        == trust.certificate)
            }
        }
    }

    @Test("an authority of which a crash left the key alone is made anew: nobody has seen it")
    func tornAuthority() async throws {
        try await withFiles { files in
            let first = try Trust.loadOrCreate(files, configuration: Configuration(), at: Self.start)
            try FileManager.default.removeItem(atPath: files.authority + "/ca.crt")
            let second = try Trust.loadOrCreate(files, configuration: Configuration(), at: Self.start)
            #expect(second.authority.hash != first.authority.hash)
            let third = try Trust.loadOrCreate(files, configuration: Configuration(), at: Self.start)
            #expect(third.authority.hash == second.authority.hash)
        }
    }

    @Test("a renewed certificate is shown from the next connection on, by both ports, without a restart")
    func servedAnew() async throws {
        try await withFiles { files in
            let clock = MovingClock(seconds: Self.start)
            let trust = try Trust.loadOrCreate(files, configuration: Configuration(), at: Self.start)
            let served = try ServedCertificate(
                certificatePEM: trust.certificate.certificatePEM, privateKeyPEM: trust.certificate.privateKeyPEM)
            let renewal = CertificateRenewal(
                trust, files: files, configuration: Configuration(), clock: clock, api: served, logger: .none)
            let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(served.handler())
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let port = try #require(listener.localAddress?.port)
            let before = try await shown(port)
            try renewal.pass()
            #expect(try await shown(port) == before, "it is not due")
            clock.set(Self.start + 300 * 86_400)
            try renewal.pass()
            let after = try await shown(port)
            #expect(after != before)
            let onDisk = try #require(try ServerCertificate.load(path: files.apiCertificate))
            #expect(try NIOSSLCertificate(bytes: Array(onDisk.certificatePEM.utf8), format: .pem).toDERBytes() == after)
            var toAgents: ServerCertificate?
            for await certificate in renewal.renewals {
                toAgents = certificate
                break
            }
            #expect(toAgents?.certificatePEM == onDisk.certificatePEM)
            try await listener.close()
        }
    }

    /// What a client is shown at the port, in DER form.
    private func shown(_ port: Int) async throws -> [UInt8] {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: [UInt8].self)
        var settings = TLSConfiguration.makeClientConfiguration()
        settings.trustRoots = .certificates([])
        let context = try NIOSSLContext(configuration: settings)
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try NIOSSLClientHandler(
                        context: context, serverHostname: nil,
                        customVerificationCallback: { certificates, verdict in
                            promise.completeWith(Result { try certificates.first?.toDERBytes() ?? [] })
                            verdict.succeed(.certificateVerified)
                        })
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let certificate = try await promise.futureResult.get()
        try await channel.close()
        return certificate
    }
}

private final class MovingClock: WallClock {
    private let time: Mutex<Int64>

    init(seconds: Int64) { time = Mutex(seconds * 1_000_000) }
    func set(_ seconds: Int64) { time.withLock { $0 = seconds * 1_000_000 } }
    func now() -> Int64 { time.withLock { $0 } }
}

extension Logger {
    fileprivate static let none = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}
