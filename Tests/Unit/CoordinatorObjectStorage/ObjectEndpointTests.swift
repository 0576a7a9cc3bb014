import CoordinatorObjectStorage
import Testing

@Suite("the object store's endpoint")
struct ObjectEndpointTests {
    @Test(
        "an endpoint is https, a host and perhaps a port",
        arguments: [
            ("https://objects.example:8704", "https://objects.example:8704", "objects.example"),
            ("https://192.0.2.1/", "https://192.0.2.1", "192.0.2.1"),
            ("https://[2001:db8::1]:8704", "https://[2001:db8::1]:8704", "2001:db8::1")
        ])
    func valid(text: String, url: String, host: String) throws {
        let endpoint = try #require(ObjectEndpoint(text))
        #expect(endpoint.url == url && endpoint.host == host)
        #expect(endpoint.accountURL == url + "/v1/AUTH_%(project_id)s")
    }

    @Test(
        "anything else is none",
        arguments: [
            "http://objects.example", "https://", "https://host/path", "objects.example:8704", "https://[::1", ""
        ])
    func invalid(text: String) { #expect(ObjectEndpoint(text) == nil) }

    @Test(
        "without one, it is on the host of the public URL",
        arguments: [
            ("https://cloud.example:8700", "https://cloud.example:8704"),
            ("http://127.0.0.1:8700", "https://127.0.0.1:8704"),
            ("https://[::1]:8700/x", "https://[::1]:8704")
        ])
    func beside(publicURL: String, url: String) { #expect(ObjectEndpoint(besidePublicURL: publicURL)?.url == url) }
}
