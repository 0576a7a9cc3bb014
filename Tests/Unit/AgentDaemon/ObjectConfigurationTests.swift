import AgentDaemon
import ProtocolSettings
import Testing

@Suite("the object store's configuration")
struct ObjectConfigurationTests {
    @Test("the role and its keys are read")
    func valid() throws {
        let text = """
            roles: [object]
            object:
              folder: /srv/objects
              listen: 192.0.2.1:8704
              keep_tokens_minutes: 5
            """
        #expect(
            try Configuration.parse(text, path: "agent.yaml")
                != Configuration.parse("roles: [object]", path: "agent.yaml"))
    }

    @Test(
        "wrong values are refused",
        arguments: ["folder: srv", "listen: nowhere", "keep_tokens_minutes: 1441", "replicas: 3"])
    func invalid(line: String) {
        #expect(throws: SettingsError.self) { try Configuration.parse("object:\n  \(line)\n", path: "agent.yaml") }
    }
}
