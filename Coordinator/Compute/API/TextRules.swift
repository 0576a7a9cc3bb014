import CoordinatorPlatform

/// The compute API's own forms of text.
extension TextRule {
    private static let outer = Self(
        .sentence(
            "An invalid 'name' value was provided. The name must be: printable characters. Can not start or end with "
                + "whitespace.")
    ) { !$0.hasOuterSpace }

    /// Names of resources and of zones.
    package static let resourceName = outer && .printable
    /// Names of zones: a colon would begin a host's.
    package static let zoneName = resourceName && Self(.pattern("^[^:]+$")) { !$0.contains(":") }
    /// Names of hosts as they report themselves.
    package static let hostAddress = Self(.pattern("^[a-zA-Z0-9-._]*$")) { text in
        text.utf8.allSatisfy { $0.isWord(beside: "-._") }
    }
    package static let base64 = Self(.format("base64")) { Base64.decode($0) != nil }
    package static let hostname = Self(.pattern("^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$")) { isLabel($0) }
    package static let fqdn = Self(.pattern("^[a-zA-Z0-9]+[a-zA-Z0-9-.]*[a-zA-Z0-9]+$")) { text in
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
    }
    /// Keys of metadata and of extra specs.
    package static let key = Self(.pattern("^[a-zA-Z0-9-_:. ]{1,255}$")) { text in
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isWord(beside: "-_:. ") }
    }
    package static let serverTag = Self(.pattern("^[^,/]*$")) { !$0.contains(",") && !$0.contains("/") }
    package static let keypairName = characters("_- ", pattern: #"^[_\\- a-zA-Z0-9]+$"#) && inner
    /// From 2.92 on.
    package static let keypairNameAtLength = characters("_-@. ", pattern: #"^[_\\-\\@\\. a-zA-Z0-9]+$"#) && inner
    package static let flavorID = characters("._- ", pattern: "^(?! )[a-zA-Z0-9. _-]+(?<! )$") && inner

    /// Refused in the words of the rule before it.
    private static let inner = Self(.noneFits) { !$0.hasOuterSpace }

    /// A DNS label of two characters or more (RFC 1123 section 2.1), as the compute API wants it.
    private static func isLabel(_ text: some StringProtocol) -> Bool {
        (2...63).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isWord(beside: "-") }
            && text.utf8.first != UInt8(ascii: "-") && Array(text.utf8).last != UInt8(ascii: "-")
    }
}
