import ProtocolModel
import Testing
import TestsSupportRandomness

@Suite("identifiers")
struct IdentifierTests {
    static let text = "0011abcd-2233-4455-8899-aabbccddeeff"

    @Test("both spellings are read, in either case, and written in lower case")
    func spellings() throws {
        let id = try #require(ServerID(Self.text))
        #expect(id.text == Self.text)
        #expect(id.description == Self.text)
        #expect(id.compact == "0011abcd223344558899aabbccddeeff")
        #expect(id.high == 0x0011_ABCD_2233_4455)
        #expect(id.low == 0x8899_AABB_CCDD_EEFF)
        #expect(ServerID(id.compact) == id)
        #expect(ServerID(Self.text.uppercased()) == id)
        #expect(id.short == "0011abcd-22")
        #expect(id.cast(to: AnyTag.self).text == Self.text)
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "-", "0011abcd-2233-4455-8899-aabbccddeef", "0011abcd-2233-4455-8899-aabbccddeefff",
            "0011abcd2233-4455-8899-aabbccddeeff0", "0011abcd-2233-4455-8899aabb-ccddeeff",
            "0011abcd-2233-4455-8899-aabbccddeefg",
            "{0011abcd-2233-4455-8899-aabbccddeef", " 011abcd-2233-4455-8899-aabbccddeeff",
            "0011abcd223344558899aabbccddeef\n",
            "+011abcd223344558899aabbccddeeff", "٠011abcd-2233-4455-8899-aabbccddeef",
            "0011abcd-2233-4455-8899-aabbccddee\u{301}f",
            "--------------------------------", "0011abcd_2233_4455_8899_aabbccddeeff",
            "../../../../../../../../etc/passwd"
        ])
    func hostile(text: String) { #expect(NodeID(text) == nil) }

    @Test("random identifiers are version 4, variant 1, and repeat with their generator")
    func random() {
        var generator = SeededGenerator(seed: 42)
        var seen: Set<ServerID> = []
        for _ in 0..<200 {
            let id = ServerID.random(using: &generator)
            #expect(id.high >> 12 & 0xF == 4)
            #expect(id.low >> 62 == 2)
            #expect(ServerID(id.text) == id)
            #expect(ServerID(id.compact) == id)
            seen.insert(id)
        }
        #expect(seen.count == 200)
        var again = SeededGenerator(seed: 42)
        #expect(seen.contains(ServerID.random(using: &again)))
    }

    @Test("the order is that of the text")
    func order() {
        var generator = SeededGenerator(seed: 7)
        let ids = (0..<100).map { _ in PortID.random(using: &generator) }
        #expect(ids.sorted().map(\.text) == ids.map(\.text).sorted())
    }

    @Test("interface names: what the kernel takes", arguments: ["a", "brq0011abcd-22", "eth0.100", "123456789012345"])
    func interfaceNames(text: String) throws { #expect(try InterfaceName(text).text == text) }

    @Test(
        "interface names: what it does not",
        arguments: [
            "", ".", "..", "1234567890123456", "a b", "a/b", "a:b", "a\n", "a\u{0}", "a\u{7F}", "ünterface-name-x"
        ])
    func noInterfaceNames(text: String) { #expect(throws: InterfaceName.NameError.self) { try InterfaceName(text) } }

    @Test("derived interface names fit the kernel's limit and differ by kind")
    func derivedNames() throws {
        let id = try #require(NetworkID(Self.text))
        #expect(InterfaceName.bridge(id).text == "brq0011abcd-22")
        #expect(InterfaceName.tap(id.cast()).text == "tap0011abcd-22")
        #expect(InterfaceName.serviceLink(id).text.utf8.count <= 15)
        #expect(try InterfaceName(InterfaceName.bridge(id).text) == .bridge(id))
    }

    @Test(
        "domain names carry the number in eight hexadecimal digits or more",
        arguments: [
            (1, "instance-00000001"), (255, "instance-000000ff"), (0x1_2345_6789, "instance-123456789")
        ])
    func domainNames(number: Int, name: String) {
        let spec = ServerSpec(
            id: .fresh(), project: .fresh(), user: .fresh(), name: "", hostname: "", number: number, flavorName: "",
            vcpus: 1, memoryMiB: 1, rootGiB: 0, image: ImageSpec(id: .fresh(), sha512: "", sizeBytes: 0, format: .raw))
        #expect(spec.domainName == name)
    }
}
