import ProtocolSettings

/// `backup`: where scheduled backups go, and what they are sealed with.
struct BackupSettings: Sendable, Equatable {
    var directory: String?
    var passphraseFile: String?
    /// Public keys, as ``BackupLock/recipient(_:)`` takes them.
    var recipients: [String] = []
    var keep = 14
    var withImages = false
}

extension SettingsReader {
    mutating func readBackup(_ node: Node, into backup: inout BackupSettings) {
        for (name, value) in members(node, of: "'backup'") {
            let path = "backup.\(name)"
            switch name {
            case "directory": self.path(value, path).map { backup.directory = $0 }
            case "passphrase_file": self.path(value, path).map { backup.passphraseFile = $0 }
            case "recipients":
                list(value, path, "a list of public keys, age1...") { BackupLock.recipient($0) == nil ? nil : $0 }
                    .map { backup.recipients = $0 }
            case "keep": number(value, path, "a number of backups", 1...10_000).map { backup.keep = Int($0) }
            case "images": flag(value, path).map { backup.withImages = $0 }
            default: unknown(name, value, known: "directory, passphrase_file, recipients, keep, images")
            }
        }
        if backup.passphraseFile != nil, !backup.recipients.isEmpty {
            wrong(node, "backup", "either passphrase_file or recipients")
        }
        if backup.directory != nil, backup.passphraseFile == nil, backup.recipients.isEmpty {
            wrong(node, "backup", "passphrase_file or recipients beside directory")
        }
    }
}
