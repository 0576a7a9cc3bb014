import AgentCompute
import ProtocolModel
import Testing

@Suite("volumes in a domain's definition")
struct VolumeDisksTests {
    static let volume = VolumeID(high: 0, low: 7)
    static let domain = """
        <domain type='kvm'>
          <devices>
            <disk type='file' device='disk'>
              <driver name='qemu' type='qcow2'/>
              <source file='/v/instances/1/root.0.qcow2' index='2'/>
              <backingStore type='file' index='3'><format type='raw'/><source file='/v/images/a.raw'/></backingStore>
              <target dev='vda' bus='virtio'/>
            </disk>
            <disk type='file' device='cdrom'>
              <target dev='sda' bus='sata'/>
              <readonly/>
            </disk>
            <disk type='file' device='disk'>
              <driver name='qemu' type='qcow2'/>
              <source file='/v/a &amp; b/volume-x' index='1'/>
              <backingStore/>
              <target dev='vdb' bus='virtio'/>
              <serial>00000000-0000-0000-0000-000000000007</serial>
            </disk>
            <disk type='block' device='disk'>
              <source dev='/dev/vg/lv'/>
              <target dev='vdc' bus='virtio'/>
              <serial>somebody's own</serial>
            </disk>
          </devices>
        </domain>
        """

    @Test("a volume is known by its serial number, and where it is by the first source")
    func reading() {
        let disks = VolumeDisks(domain: Self.domain).disks
        #expect(disks.map(\.target) == ["vda", "sda", "vdb", "vdc"])
        #expect(disks.map(\.volume) == [nil, nil, Self.volume, nil])
        #expect(disks.map(\.path) == ["/v/instances/1/root.0.qcow2", "", "/v/a & b/volume-x", "/dev/vg/lv"])
        #expect(VolumeDisks(domain: "<domain/>").disks.isEmpty)
    }

    @Test("a snapshot of one disk names all others, or libvirt would take some of them too")
    func snapshot() {
        #expect(
            VolumeDisks(domain: Self.domain).snapshot(of: Self.volume, to: "/v/a & b/new.qcow2") == """
                <domainsnapshot>
                  <disks>
                    <disk name='vda' snapshot='no'/>
                    <disk name='sda' snapshot='no'/>
                    <disk name='vdb' snapshot='external' type='file'>
                      <driver type='qcow2'/>
                      <source file='/v/a &amp; b/new.qcow2'/>
                    </disk>
                    <disk name='vdc' snapshot='no'/>
                  </disks>
                </domainsnapshot>

                """)
    }

    @Test("the next start is from the volume, and from nothing that lay below it at a snapshot")
    func restoring() throws {
        let after = Self.domain.replacing(
            "<source file='/v/a &amp; b/volume-x' index='1'/>\n      <backingStore/>",
            with: """
                <source file='/v/a &amp; b/new.qcow2'/>
                <backingStore type='file'><format type='qcow2'/><source file='/v/a &amp; b/volume-x'/>
                <backingStore type='file'><format type='raw'/><source file='/v/image.raw'/></backingStore></backingStore>
                """)
        #expect(after != Self.domain)
        let changed = try #require(VolumeDisks.restoring(Self.volume, to: "/w/'y' & z", in: after))
        #expect(changed.contains("<source file='/w/&apos;y&apos; &amp; z'/>"))
        let disks = VolumeDisks(domain: changed)
        #expect(disks.disk(of: Self.volume)?.path == "/w/'y' & z")
        #expect(disks.disks.filter { $0.volume == nil } == VolumeDisks(domain: after).disks.filter { $0.volume == nil })
        #expect(!changed.contains("/v/image.raw") && changed.contains("/v/images/a.raw"))
        #expect(VolumeDisks.restoring(Self.volume, to: "/w/'y' & z", in: changed) == nil)
        #expect(VolumeDisks.restoring(VolumeID(high: 0, low: 8), to: "/w", in: after) == nil)
    }
}
