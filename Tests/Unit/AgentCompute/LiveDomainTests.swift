import AgentCompute
import Testing

@Suite("what is read of a running domain")
struct LiveDomainTests {
    @Test("the terminal of the first serial port, if it is one")
    func terminal() {
        let live = """
            <domain><devices><serial type='pty'>
              <source path='/dev/pts/7'/><log file='/x' append='on'/>
            </serial><console type='pty' tty='/dev/pts/7'><source path='/dev/pts/9'/></console></devices></domain>
            """
        #expect(LiveDomainXML.terminal(in: live) == "/dev/pts/7")
        #expect(LiveDomainXML.terminal(in: live.replacing("/dev/pts/7", with: "/etc/passwd")) == nil)
        #expect(LiveDomainXML.terminal(in: live.replacing("<source path='/dev/pts/7'/>", with: "")) == nil)
        #expect(LiveDomainXML.terminal(in: live.replacing("<serial type='pty'", with: "<serial type='unix'")) == nil)
        #expect(LiveDomainXML.terminal(in: "") == nil)
    }
}
