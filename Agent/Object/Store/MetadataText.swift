/// Metadata as one text: a line for each field, in order of their names.
enum MetadataText {
    static func encode(_ metadata: Metadata) -> String {
        metadata.sorted { $0.key < $1.key }.map { "\(escaped($0.key)): \(escaped($0.value))\n" }.joined()
    }

    static func decode(_ text: String) -> Metadata {
        var metadata: Metadata = [:]
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = String(Substring(line[..<colon]))
            metadata[plain(name)] = plain(String(Substring(line[colon...].dropFirst(2))))
        }
        return metadata
    }

    /// What would end a line, and the sign that says so.
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == UInt8(ascii: "%") }) else { return text }
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 10: out += "%0A".utf8
            case 13: out += "%0D".utf8
            case UInt8(ascii: "%"): out += "%25".utf8
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func plain(_ text: String) -> String {
        text.utf8.contains(UInt8(ascii: "%")) ? PercentText.decode(text) ?? text : text
    }
}
