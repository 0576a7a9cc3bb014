import CoordinatorPlacement
import Testing

@Suite("resource classes of pools")
struct VolumeClassTests {
    @Test("a pool's class is a name that placement takes, and no other pool's")
    func names() {
        #expect(ResourceClass.volumes(in: "local") == "CUSTOM_VOLUME_GB_LOCAL")
        #expect(ResourceClass.volumes(in: "ssd-1") == "CUSTOM_VOLUME_GB_SSD_2D1")
        let pools = ["a-b", "a_b", "ab", "AB", "a.b", "a2db", "é"]
        let classes = pools.map { ResourceClass.volumes(in: $0) }
        #expect(Set(classes).count == pools.count)
        #expect(
            classes.allSatisfy { name in
                name.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 }
            })
    }
}
