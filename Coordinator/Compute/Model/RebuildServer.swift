/// What a rebuild call asks for, checked for form only; what it does not say stays as it is.
package struct RebuildServer: Sendable {
    package var imageID = ""
    package var adminPassword: String?
    package var name: String?
    /// `.some(nil)` removes it; so for the others with two levels.
    package var description: String??
    package var metadata: [String: String]?
    package var keyName: String??
    package var userData: String??
    package var hostname: String?
    package var accessIPv4: String?
    package var accessIPv6: String?
    package var diskConfig: String?
    package var keepsEphemeral = false
    package var hasFiles = false
    package var certificates: [String]??

    package init() {}
}
