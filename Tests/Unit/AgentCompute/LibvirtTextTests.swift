import AgentCompute
import ProtocolModel
import Testing

@Suite("what libvirt writes")
struct LibvirtTextTests {
    static let capabilities = """
        <capabilities>
          <host>
            <uuid>x</uuid>
            <cpu>
              <arch>x86_64</arch>
              <model>Skylake-Server-IBRS</model>
              <vendor>Intel</vendor>
              <topology sockets='1' dies='1' cores='2' threads='4'/>
              <feature name='vmx'/>
              <feature name='ds'/>
            </cpu>
          </host>
          <guest>
            <os_type>hvm</os_type>
            <arch name='i686'><machine>isapc</machine></arch>
          </guest>
          <guest>
            <os_type>hvm</os_type>
            <arch name='x86_64'>
              <machine maxCpus='255'>pc-i440fx-7.2</machine>
              <machine canonical='pc-i440fx-7.2' maxCpus='255'>pc</machine>
              <machine canonical='pc-q35-7.2' maxCpus='288'>q35</machine>
              <domain type='qemu'/>
            </arch>
          </guest>
        </capabilities>
        """

    /// `virDomainState`, and the reason that belongs to it.
    static let states: [(state: Int32, reason: Int32, power: ServerDetails.PowerState, isStarting: Bool)] = [
        (1, 1, .running, false), (4, 1, .running, false), (5, 0, .shutdown, false), (6, 0, .crashed, false),
        (7, 0, .suspended, false),
        // Paused: by its user, before it runs for the first time, while it is saved, for an I/O error.
        (3, 1, .paused, false), (3, 11, .running, true), (3, 3, .running, false), (3, 5, .paused, false)
    ]

    @Test("states are told apart by their reasons", arguments: states)
    func state(state: Int32, reason: Int32, power: ServerDetails.PowerState, isStarting: Bool) {
        let seen = DomainState(state: state, reason: reason)
        #expect(seen.power == power && seen.isStarting == isStarting)
    }

    @Test("capabilities become the node's report")
    func report() {
        let domain = "<os supported='yes'><enum name='firmware'><value>bios</value><value>efi</value></enum></os>"
        let report = CapabilitiesXML.report(
            capabilities: Self.capabilities, domainCapabilities: domain, version: 7_002_022, virtType: .qemu)
        #expect(
            report
                == HypervisorReport(
                    type: "QEMU", version: 7_002_022, virtType: "qemu", cpuModel: "Skylake-Server-IBRS",
                    cpuVendor: "Intel", cpuArchitecture: "x86_64", cpuFeatures: ["ds", "vmx"], cpuSockets: 1,
                    cpuCores: 2,
                    cpuThreads: 4, machineTypes: ["pc", "pc-i440fx-7.2", "q35"], hasUEFI: true))
        let empty = CapabilitiesXML.report(capabilities: "", domainCapabilities: "", version: 1, virtType: .kvm)
        #expect(!empty.hasUEFI && empty.machineTypes.isEmpty && empty.cpuCores == 1)
    }

    @Test("a domain is ours only by an element that names its own UUID")
    func ownership() {
        let id = ServerID(high: 1, low: 2)
        func element(_ server: String) -> String {
            "<instance>\n  <server>\(server)</server>\n"
                + "  <name>&lt;digest&gt;no</name>\n  <digest>abc</digest>\n</instance>"
        }
        #expect(DomainOwnership(metadata: element(id.text), domain: id) == .ours(digest: "abc"))
        #expect(DomainOwnership(metadata: element(ServerID(high: 1, low: 3).text), domain: id) == .foreign)
        #expect(DomainOwnership(metadata: nil, domain: id) == .foreign)
        #expect(DomainOwnership(metadata: "<other/>", domain: id) == .foreign)
    }

    @Test(
        "errors are classified, and the tenant's message never shows paths",
        arguments: [
            (1, "cannot set up guest memory 'pc.ram': Cannot allocate memory", StatusError.Code.noMemory),
            (1, "internal error: No more available PCI slots", .conflict),
            (38, "unable to write /var/lib/x: No space left on device", .noSpace),
            (67, "Emulator '/usr/bin/x' does not support machine type", .unsupported),
            (9, "operation failed: domain 'a' already exists with uuid b", .conflict),
            (1, "internal error: /var/lib/x", .hostFailure)
        ])
    func errors(code: UInt32, message: String, expected: StatusError.Code) {
        let error = LibvirtFailure(code: code, message: message).statusError(doing: "start the server", call: "virX")
        #expect(error.code == expected)
        #expect(!error.message.contains("/var") && !error.message.contains("/usr"))
        #expect(error.detail.contains(message))
    }
}
