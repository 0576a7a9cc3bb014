/// Metadata as one text: a line for each field, in order of their names. Neither holds a line's end, since both were
/// fields of a request.
enum MetadataText {
    static func encode(_ metadata: Metadata) -> String {
        metadata.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\n" }.joined()
    }

    static func decode(_ text: String) -> Metadata {
        var metadata: Metadata = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            metadata[String(line[..<colon])] = String(line[line.index(colon, offsetBy: 2)...])
        }
        return metadata
    }
}
