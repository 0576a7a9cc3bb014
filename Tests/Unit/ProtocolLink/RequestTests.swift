import NIOSSL
import ProtocolLink
import ProtocolModel
import Testing

@Suite("what agents ask for over loopback", .timeLimit(.minutes(1)))
struct RequestTests {
    @Test("whom a token speaks for, or that it is none; many at a time")
    func verdicts() async throws {
        let loopback = try await Loopback()
        let connection = try await loopback.connect()
        #expect(try await connection.verdict(on: "somebody") == FakeService.verdict)
        let refusal = await #expect(throws: LinkRefusal.self) { try await connection.verdict(on: "nobody") }
        #expect(refusal?.code == .notFound)
        try await withThrowingTaskGroup(of: TokenVerdict.self) { group in
            for _ in 0..<8 { group.addTask { try await connection.verdict(on: "somebody") } }
            for try await verdict in group { #expect(verdict == FakeService.verdict) }
        }
        connection.close(.finished)
        await loopback.server.stop()
    }

    @Test("what an access key signs with, or that it is none")
    func signingKeys() async throws {
        let loopback = try await Loopback()
        let connection = try await loopback.connect()
        let request = SigningKeyRequest(access: "somebody", date: "20260101", region: "here")
        #expect(try await connection.signingKey(request) == FakeService.signing)
        let other = SigningKeyRequest(access: "nobody", date: "20260101", region: "here")
        let refusal = await #expect(throws: LinkRefusal.self) { try await connection.signingKey(other) }
        #expect(refusal?.code == .notFound)
        connection.close(.finished)
        await loopback.server.stop()
    }

    @Test("a certificate for a port that clients use, which is no coordinator's")
    func certificate() async throws {
        let loopback = try await Loopback()
        let connection = try await loopback.connect()
        let certificate = try await connection.serverCertificate(try CertificateRequest())
        let parsed = try #require(try NIOSSLCertificate.fromPEMBytes(Array(certificate.certificatePEM.utf8)).first)
        let names = parsed._subjectAlternativeNames()
        #expect(names.count == 2)
        connection.close(.finished)
        await loopback.server.stop()
        let authority = try CertificateAuthority.create(at: 1_700_000_000)
        #expect(throws: LinkError.self) {
            try authority.issueNodeServerCertificate(request: [1, 2, 3], names: ["x"], at: 1_700_000_000)
        }
        #expect(throws: LinkError.self) {
            try authority.issueNodeServerCertificate(
                request: try CertificateRequest().der, names: [], at: 1_700_000_000)
        }
    }
}
