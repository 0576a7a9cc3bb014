/// Which key an agent wants that serves the S3 API.
public struct SigningKeyRequest: Hashable, Sendable {
    /// The public half of a key pair: it stands in each request.
    public var access: String
    /// The day that it is for: `YYYYMMDD`.
    public var date: String
    /// As the client has it.
    public var region: String

    public init(access: String, date: String, region: String) {
        self.access = access
        self.date = date
        self.region = region
    }
}

/// What requests to the S3 API are signed with on one day, for one region: it was derived from a secret that nobody can
/// get back from it.
public struct SigningKey: Hashable, Sendable {
    /// Whom it speaks for.
    public var holder: TokenVerdict
    /// Thirty-two octets.
    public var key: [UInt8]

    public init(holder: TokenVerdict, key: [UInt8]) {
        self.holder = holder
        self.key = key
    }
}
