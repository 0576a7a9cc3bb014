import CoordinatorPlatform
import ProtocolLink
import Testing

/// Whoever can reach the agents' port may try to join, as often as they like.
@Suite("strangers at the agents' port")
struct JoinFloodTests {
    private func join(_ cloud: PolicyCloud, _ secret: [UInt8], as host: String, from address: String) async -> Bool {
        let request = JoinRequest(secret: secret, certificateRequestDER: [], hostname: host)
        return (try? await cloud.link.join(request, from: address)) != nil
    }

    private func events(_ cloud: PolicyCloud) async throws -> Int {
        try await cloud.harness.database.read {
            try $0.count("SELECT COUNT(*) FROM events WHERE action = 'fleet.node.join'")
        }
    }

    @Test("a thousand attempts without a token come to a few lines, and are counted")
    func flood() async throws {
        let cloud = try await PolicyCloud()
        for number in 0..<1_000 {
            let joined = await join(
                cloud, Array("secret \(number)".utf8), as: "host-\(number)", from: "192.0.2.\(number % 4)")
            #expect(!joined)
        }
        #expect(try await events(cloud) == 4)
        cloud.harness.clock.advance(by: .seconds(61))
        _ = await join(cloud, [1], as: "host", from: "192.0.2.9")
        #expect(try await events(cloud) == 9)
    }

    @Test("a host's name has an end")
    func names() async throws {
        let cloud = try await PolicyCloud()
        #expect(await !join(cloud, [1], as: String(repeating: "x", count: 60_000), from: "192.0.2.1"))
        #expect(try await events(cloud) == 0)
    }
}
