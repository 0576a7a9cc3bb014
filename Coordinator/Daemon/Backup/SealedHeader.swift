import Crypto
import ProtocolLink

/// The head of an age file (age-encryption.org/v1): the file's key, wrapped for each who may open it, and a code over
/// all of that by which changes are noticed.
struct SealedHeader {
    struct Stanza: Equatable {
        var arguments: [String]
        var body: [UInt8]
    }

    static let version = "age-encryption.org/v1"
    /// A header that is longer is none of ours.
    private static let longest = 65_536
    private static let agreement = Array("age-encryption.org/v1/X25519".utf8)
    private static let noNonce = [UInt8](repeating: 0, count: 12)

    var stanzas: [Stanza]

    // MARK: Making

    /// - Returns: The header's text for a fresh key.
    static func make(_ fileKey: SymmetricKey, for lock: BackupLock) throws -> String {
        let stanzas: [Stanza]
        switch lock {
        case .passphrase(let passphrase):
            let salt = SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
            let key = try PassphraseKey.derive(passphrase, salt: salt, cost: PassphraseKey.cost)
            stanzas = [
                Stanza(
                    arguments: ["scrypt", Unpadded64.encode(salt), "\(PassphraseKey.cost)"],
                    body: try wrap(fileKey, key))
            ]
        case .recipients(let recipients):
            stanzas = try recipients.map { recipient in
                let ours = Curve25519.KeyAgreement.PrivateKey()
                let share = Array(ours.publicKey.rawRepresentation)
                let key = try ours.sharedSecretFromKeyAgreement(with: recipient).hkdfDerivedSymmetricKey(
                    using: SHA256.self, salt: share + Array(recipient.rawRepresentation), sharedInfo: agreement,
                    outputByteCount: 32)
                return Stanza(arguments: ["X25519", Unpadded64.encode(share)], body: try wrap(fileKey, key))
            }
        }
        var text = version + "\n"
        for stanza in stanzas {
            text += "-> \(stanza.arguments.joined(separator: " "))\n\(Unpadded64.encode(stanza.body))\n"
        }
        text += "---"
        return text + " \(Unpadded64.encode(code(text, fileKey)))\n"
    }

    private static func wrap(_ fileKey: SymmetricKey, _ key: SymmetricKey) throws -> [UInt8] {
        let box = try ChaChaPoly.seal(
            fileKey.withUnsafeBytes { Array($0) }, using: key, nonce: try ChaChaPoly.Nonce(data: noNonce))
        return Array(box.ciphertext) + Array(box.tag)
    }

    private static func code(_ text: String, _ fileKey: SymmetricKey) -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(inputKeyMaterial: fileKey, info: Array("header".utf8), outputByteCount: 32)
        return Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }

    // MARK: Opening

    /// Reads the header off the file's start.
    /// - Returns: The file's key.
    /// - Throws: ``StartError`` for another kind of file, another key, and a header that was changed.
    static func open(_ file: PlainFile, with key: BackupKey) throws -> SymmetricKey {
        var lines: [String] = []
        var text = ""
        while true {
            let line = try line(of: file, left: longest - text.utf8.count)
            if lines.isEmpty, line != version { throw StartError("'\(file.path)' is no backup of Skerry's.") }
            lines.append(line)
            if line.hasPrefix("--- ") { break }
            text += line + "\n"
        }
        let header = try SealedHeader(lines.dropFirst().dropLast(), path: file.path)
        guard let fileKey = try header.fileKey(for: key) else {
            throw StartError("'\(file.path)' was not sealed with this passphrase or key, or was changed since.")
        }
        guard let last = lines.last, Unpadded64.decode(last.dropFirst(4)) == code(text + "---", fileKey) else {
            throw StartError("'\(file.path)' is damaged: its header is not as it was made.")
        }
        return fileKey
    }

    private static func line(of file: PlainFile, left: Int) throws -> String {
        var bytes: [UInt8] = []
        while bytes.count < left {
            guard let byte = try file.read(1).first else { break }
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
            // What does not begin like one is not read on.
            if bytes.count > version.utf8.count, file.position == Int64(bytes.count) { break }
        }
        throw StartError("'\(file.path)' is no backup of Skerry's, or is cut off.")
    }

    private init(_ lines: ArraySlice<String>, path: String) throws {
        stanzas = []
        for line in lines {
            if line.hasPrefix("-> ") {
                stanzas.append(Stanza(arguments: line.dropFirst(3).split(separator: " ").map(String.init), body: []))
            } else if let bytes = Unpadded64.decode(line[...]), !stanzas.isEmpty {
                stanzas[stanzas.count - 1].body += bytes
            } else {
                throw StartError("'\(path)' is damaged: its header cannot be read.")
            }
        }
    }

    private func fileKey(for key: BackupKey) throws -> SymmetricKey? {
        for stanza in stanzas {
            let words = stanza.arguments
            switch key {
            case .passphrase(let passphrase):
                guard words.count == 3, words[0] == "scrypt", stanzas.count == 1,
                    let salt = Unpadded64.decode(words[1][...]), salt.count == 16, let cost = Int(words[2]),
                    (1...PassphraseKey.costLimit).contains(cost)
                else { continue }
                let derived = try PassphraseKey.derive(passphrase, salt: salt, cost: cost)
                if let found = Self.unwrap(stanza.body, derived) { return found }
            case .identities(let identities):
                guard words.count == 2, words[0] == "X25519", let share = Unpadded64.decode(words[1][...]),
                    let theirs = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: share)
                else { continue }
                for identity in identities {
                    guard let secret = try? identity.sharedSecretFromKeyAgreement(with: theirs) else { continue }
                    let derived = secret.hkdfDerivedSymmetricKey(
                        using: SHA256.self, salt: share + Array(identity.publicKey.rawRepresentation),
                        sharedInfo: Self.agreement, outputByteCount: 32)
                    if let found = Self.unwrap(stanza.body, derived) { return found }
                }
            }
        }
        return nil
    }

    private static func unwrap(_ body: [UInt8], _ key: SymmetricKey) -> SymmetricKey? {
        guard body.count == 32,
            let box = try? ChaChaPoly.SealedBox(combined: noNonce + body),
            let opened = try? ChaChaPoly.open(box, using: key)
        else { return nil }
        return SymmetricKey(data: opened)
    }
}

/// Base64 (RFC 4648) without padding, as age's headers have it.
enum Unpadded64 {
    static func encode(_ bytes: [UInt8]) -> String {
        String(Base64URL.encode(bytes).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }.filter { $0 != "=" })
    }

    static func decode(_ text: Substring) -> [UInt8]? {
        guard !text.contains(where: { "-_=".contains($0) }) else { return nil }
        let bytes = Base64URL.decode(String(text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }))
        // One way to write each value.
        return bytes.flatMap { encode($0) == text ? $0 : nil }
    }
}
