import CoordinatorDaemon
import Crypto
import Foundation
import Testing

@Suite("a backup's form")
struct BackupTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("backup-\(UUID())").path
    private let identity = Curve25519.KeyAgreement.PrivateKey()

    private func withFolder(_ body: () throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body()
    }

    private func seal(_ content: [UInt8], _ lock: BackupLock, as name: String = "sealed") throws -> String {
        let path = "\(folder)/\(name)"
        let file = try PlainFile(making: path)
        let writer = try SealedWriter(file, lock: lock)
        // In pieces that have nothing to do with those that are sealed.
        var rest = content[...]
        while !rest.isEmpty {
            try writer.write(Array(rest.prefix(10_007)))
            rest = rest.dropFirst(10_007)
        }
        try writer.finish()
        return path
    }

    private func open(_ path: String, _ key: BackupKey, step: Int = 30_011) throws -> [UInt8] {
        let reader = try SealedReader(try PlainFile(reading: path), key: key)
        var content: [UInt8] = []
        while true {
            let bytes = try reader.read(step)
            content += bytes
            if bytes.count < step { return content }
        }
    }

    @Test(
        "what is sealed is what is opened, whatever its length",
        arguments: [
            0, 1, 511, 65_535, 65_536, 65_537, 131_072, 200_000
        ])
    func lengths(length: Int) throws {
        try withFolder {
            let content = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let path = try seal(content, .recipients([identity.publicKey]))
            #expect(try open(path, .identities([identity])) == content)
            let other = Curve25519.KeyAgreement.PrivateKey()
            #expect(throws: (any Error).self) { try open(path, .identities([other])) }
            #expect(throws: (any Error).self) { try open(path, .passphrase(Array("a passphrase".utf8))) }
        }
    }

    @Test("a passphrase opens what it sealed, and no other one does")
    func passphrases() throws {
        try withFolder {
            let path = try seal([1, 2, 3], .passphrase(Array("correct horse".utf8)))
            #expect(try open(path, .passphrase(Array("correct horse".utf8))) == [1, 2, 3])
            #expect(throws: (any Error).self) { try open(path, .passphrase(Array("correct hors".utf8))) }
            #expect(throws: (any Error).self) { try open(path, .identities([identity])) }
        }
    }

    @Test("each of several recipients opens it")
    func recipients() throws {
        try withFolder {
            let others = (0..<3).map { _ in Curve25519.KeyAgreement.PrivateKey() }
            let path = try seal([4, 5], .recipients(others.map(\.publicKey)))
            for other in others { #expect(try open(path, .identities([identity, other])) == [4, 5]) }
        }
    }

    @Test("no octet of it can be changed, and no end of it be cut off or added")
    func damage() throws {
        try withFolder {
            let content = [UInt8](repeating: 7, count: 65_700)
            let path = try seal(content, .recipients([identity.publicKey]))
            let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
            func refuses(_ bytes: [UInt8]) throws {
                let wrong = "\(folder)/wrong"
                try Data(bytes).write(to: URL(fileURLWithPath: wrong))
                #expect(throws: (any Error).self) { try open(wrong, .identities([identity])) }
            }
            // All of the header and of the first octets behind it, and each end of a piece.
            let places = Array(0..<300) + [300 + 65_000, whole.count - 200, whole.count - 17, whole.count - 1]
            for place in places {
                var bytes = whole
                bytes[place] ^= 1 << (place % 8)
                try refuses(bytes)
            }
            let header = whole.count - content.count - 2 * 16
            for length in [0, 1, 22, 100, header - 1, header, header + 65_552, whole.count - 1] {
                try refuses(Array(whole[..<length]))
            }
            try refuses(whole + [0])
        }
    }

    @Test("keys in age's text form are taken, and mistyped ones are not")
    func keys() {
        // The specification's own example.
        let secret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
        let bytes = Bech32.decode(secret, prefix: "age-secret-key-")
        #expect(bytes == [UInt8](repeating: 0x42, count: 32))
        #expect(BackupLock.recipient("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj") != nil)
        for wrong in [
            "", "age1", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk",
            "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73Equnujwj", secret
        ] { #expect(BackupLock.recipient(wrong) == nil) }
    }

    @Test(
        "files are framed as tar has them, up to more than eight gibibytes",
        arguments: [
            0, 1, 511, 512, 1 << 33, 1 << 40
        ])
    func tape(size: Int64) {
        let entry = TapeArchive.Entry(
            name: BackupNames.image(String(repeating: "0123456789abcdef", count: 8)), size: size)
        let header = TapeArchive.header(entry, modified: 1_800_000_000)
        #expect(TapeArchive.entry(header) == entry)
        for place in stride(from: 0, to: 512, by: 3) {
            var bytes = header
            bytes[place] ^= 1
            #expect(TapeArchive.entry(bytes) != entry)
        }
    }

    @Test("names lead nowhere but where a backup's files are")
    func names() {
        let content = String(repeating: "0a", count: 64)
        #expect(BackupNames.place(BackupNames.image(content)) == "images/\(content)")
        #expect(BackupNames.place("skerry.db") == "skerry.db" && BackupNames.place("ca/ca.key") == "ca/ca.key")
        #expect(BackupNames.place("configuration/policy.yaml") == "restored-configuration/policy.yaml")
        for wrong in [
            "", "/etc/passwd", "../skerry.db", "configuration/", "configuration/..", "configuration/../x",
            "configuration/.hidden", "configuration/a/b", "images/\(content)", "images/../../x", "keys/other.key",
            "images/\(String(repeating: "A", count: 64))/\(String(repeating: "a", count: 64))", "tls/api.pem"
        ] { #expect(BackupNames.place(wrong) == nil, "\(wrong)") }
    }

    @Test("the oldest backups of a folder go, and nothing else")
    func retention() {
        let day: Int64 = 86_400_000_000
        let names = (0..<5).map { BackupSchedule.name(at: 1_800_000_000_000_000 + $0 * day) }
        #expect(names[0] == "skerry-20270115T080000Z.age")
        let others = ["skerry-.age", "skerry-20270115T080000Z.age.part", "skerry-2027011xT080000Z.age", "notes"]
        #expect(BackupSchedule.expired(names.reversed() + others, keep: 3) == Array(names[..<2]))
        #expect(BackupSchedule.expired(names + others, keep: 5).isEmpty)
        #expect(BackupSchedule.expired([], keep: 1).isEmpty)
    }
}
