import CoordinatorPlatform
import ProtocolModel

/// Formats of strings in bodies and queries.
enum TextFormat: Sendable {
    case uuid, name, printable, ipv4, ipv6, ip, base64, hostname, fqdn, metadataKey, tag, keypairName, keypairName292
    case flavorID, extraSpecKey, zone

    func accepts(_ text: String) -> Bool {
        switch self {
        case .uuid: ServerID(text) != nil
        case .name: Self.isPrintable(text) && !Self.hasOuterSpace(text)
        case .zone: Self.isPrintable(text) && !Self.hasOuterSpace(text)
        case .printable: Self.isPrintable(text)
        case .ipv4: IPAddress(text)?.family == .ipv4
        case .ipv6: IPAddress(text)?.family == .ipv6
        case .ip: IPAddress(text) != nil
        case .base64: Base64.decode(text) != nil
        case .hostname: Self.isLabel(text)
        case .fqdn: text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { Self.isLabel($0) }
        case .metadataKey: (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { Self.isWord($0, "-_:. ") }
        case .extraSpecKey: (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { Self.isWord($0, "-_:. ") }
        case .tag: !text.contains(",") && !text.contains("/")
        case .keypairName: text.utf8.allSatisfy { Self.isWord($0, "_- ") } && !Self.hasOuterSpace(text)
        case .keypairName292: text.utf8.allSatisfy { Self.isWord($0, "_-@. ") } && !Self.hasOuterSpace(text)
        case .flavorID: text.utf8.allSatisfy { Self.isWord($0, "._- ") } && !Self.hasOuterSpace(text)
        }
    }

    /// These refuse with a sentence of their own.
    var standsAlone: Bool {
        switch self {
        case .name, .zone: true
        default: false
        }
    }

    func refusal(of value: JSON) -> String {
        switch self {
        case .uuid: "\(Python.repr(value)) is not a 'uuid'"
        case .name, .zone:
            "An invalid 'name' value was provided. The name must be: printable characters. Can not start or end with "
                + "whitespace."
        case .printable: "\(Python.repr(value)) does not match the pattern of printable characters"
        case .ipv4: "\(Python.repr(value)) is not a 'ipv4'"
        case .ipv6: "\(Python.repr(value)) is not a 'ipv6'"
        case .ip: "\(Python.repr(value)) is not valid under any of the given schemas"
        case .base64: "\(Python.repr(value)) is not a 'base64'"
        case .hostname: "\(Python.repr(value)) does not match '^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$'"
        case .fqdn: "\(Python.repr(value)) does not match '^[a-zA-Z0-9]+[a-zA-Z0-9-.]*[a-zA-Z0-9]+$'"
        case .metadataKey, .extraSpecKey: "\(Python.repr(value)) does not match '^[a-zA-Z0-9-_:. ]{1,255}$'"
        case .tag: "\(Python.repr(value)) does not match '^[^,/]*$'"
        case .keypairName: "\(Python.repr(value)) does not match '^[_\\\\- a-zA-Z0-9]+$'"
        case .keypairName292: "\(Python.repr(value)) does not match '^[_\\\\-\\\\@\\\\. a-zA-Z0-9]+$'"
        case .flavorID: "\(Python.repr(value)) does not match '^(?! )[a-zA-Z0-9. _-]+(?<! )$'"
        }
    }

    /// No control characters and no separators but blanks.
    private static func isPrintable(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
    }

    private static func hasOuterSpace(_ text: String) -> Bool {
        let isSpace = { (scalar: Unicode.Scalar?) in scalar?.properties.generalCategory == .spaceSeparator }
        return isSpace(text.unicodeScalars.first) || isSpace(text.unicodeScalars.last)
    }

    private static func isWord(_ byte: UInt8, _ others: String) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: others.utf8.contains(byte)
        }
    }

    /// A DNS label of two characters or more (RFC 1123 section 2.1), as the compute API wants it.
    private static func isLabel(_ text: some StringProtocol) -> Bool {
        let bytes = Array(text.utf8)
        guard (2...63).contains(bytes.count), bytes.allSatisfy({ isWord($0, "-") }) else { return false }
        return bytes.first != UInt8(ascii: "-") && bytes.last != UInt8(ascii: "-")
    }
}
