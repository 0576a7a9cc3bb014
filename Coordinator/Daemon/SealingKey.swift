import CoordinatorIdentity
import CoordinatorPlatform
import Glibc
import ProtocolLink

/// The file with the key that seals the database's keys: 64 hexadecimal digits. It lies beside the database, so that
/// whoever takes a copy of that alone can open nothing in it.
enum SealingKey {
    private static let length = 32

    /// Reads the key, made on first use.
    /// - Throws: ``StartError`` for a file that holds no key or cannot be read, which is never replaced, and for one
    ///   that is missing while the database needs it.
    static func loadOrCreate(_ files: StateFiles, for database: any SQLDatabase) async throws -> [UInt8] {
        guard try isThere(files.sealingKey) else {
            guard try await !IdentityService.needsSealingKey(database) else {
                throw StartError(
                    "'\(files.sealingKey)' is missing, and the keys in this database are sealed with it: put back the "
                        + "file that belongs to it. Without it, tokens and what users stored with the identity service "
                        + "(EC2 key pairs, passwords of directories) are lost.")
            }
            var generator = SystemRandomNumberGenerator()
            let key = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            try PrivateFile.write(text(key), to: files.sealingKey, mode: 0o600)
            return key
        }
        guard let key = key(in: try StateFiles.text(of: files.sealingKey)) else {
            throw StartError(
                "'\(files.sealingKey)' must hold \(2 * length) hexadecimal digits: put back the file that belongs to "
                    + "this database.")
        }
        return key
    }

    /// Whether there is anything of that name, even if it cannot be read: a link to a disk that is away is a key still.
    /// - Throws: ``StartError`` where the file system does not say.
    private static func isThere(_ path: String) throws -> Bool {
        var status = stat()
        if lstat(path, &status) == 0 { return true }
        guard errno == ENOENT else { throw StartError("'\(path)' cannot be looked at: \(StateFiles.reason())") }
        return false
    }

    private static func text(_ key: [UInt8]) -> String {
        key.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\n"
    }

    private static func key(in text: String) -> [UInt8]? {
        let digits = text.split(whereSeparator: \.isNewline).first.map { Array($0) } ?? []
        guard digits.count == 2 * length, digits.allSatisfy(\.isHexDigit) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }
}
