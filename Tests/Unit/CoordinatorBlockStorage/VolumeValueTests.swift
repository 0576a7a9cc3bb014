import CoordinatorBlockStorage
import ProtocolModel
import Testing

@Suite("values of the volume API")
struct VolumeValueTests {
    @Test(
        "metadata filters are read as Python and as JSON write them",
        arguments: [
            ("{'a': 'b'}", ["a": "b"]), (#"{"a": "b", "c":"d"}"#, ["a": "b", "c": "d"]), ("{u'a': u'b'}", ["a": "b"]),
            ("{}", [:]), (#"{'it\'s': 'x'}"#, ["it's": "x"]), ("{'a': 1}", nil), ("a", nil), ("{'a': 'b'} x", nil),
            ("{'a' 'b'}", nil), ("{'a': 'b", nil), ("", nil)
        ] as [(String, [String: String]?)])
    func metadata(_ text: String, _ expected: [String: String]?) {
        #expect(MetadataFilter.pairs(text) == expected)
    }

    @Test("limits of speed are libvirt's, by the GiB where they say so, and the guest's host's where they are for it")
    func speed() {
        var specs = QoSSpecs(
            id: .init(high: 1, low: 1), name: "q", consumer: .frontEnd,
            specs: [
                "total_iops_sec": "100", "read_bytes_sec_per_gb": "10", "write_iops_sec_per_gb": "1",
                "write_iops_sec_per_gb_min": "50", "maxIOPS": "7", "read_iops_sec": "fast", "total_bytes_sec": "-1"
            ], createdAt: 0)
        #expect(
            specs.guestLimits(sizeGiB: 4)
                == ["total_iops_sec": 100, "read_bytes_sec": 40, "write_iops_sec": 50])
        specs.specs = ["read_bytes_sec_per_gb": String(Int.max)]
        #expect(specs.guestLimits(sizeGiB: 4) == ["read_bytes_sec": .max])
        specs.consumer = .backEnd
        #expect(specs.guestLimits(sizeGiB: 4) == [:])
    }

    @Test("types say what is for several servers, and in which zones")
    func types() {
        var type = VolumeType(id: .init(high: 1, low: 1), name: "t", createdAt: 0)
        #expect(!type.isMultiattach && type.zones == nil)
        type.extraSpecs = ["multiattach": "<is> True", "RESKEY:availability_zones": "a, b,"]
        #expect(type.isMultiattach && type.zones == ["a", "b"])
        type.extraSpecs["multiattach"] = "True"
        #expect(!type.isMultiattach)
    }
}
