import CoordinatorCompute
import CoordinatorPlatform
import Testing

@Suite("compute: what volumes are called")
struct DeviceNameTests {
    static let cases: [(wanted: String?, taken: Set<String>, local: Int, name: String?, status: Int)] = [
        (nil, [], 1, "vdb", 0), (nil, ["vdb"], 1, "vdc", 0), (nil, [], 3, "vdd", 0), (nil, [], 0, "vda", 0),
        ("/dev/vdd", [], 1, "vdd", 0), ("vdd", [], 1, "vdd", 0), ("/dev/vda", [], 1, nil, 409),
        ("/dev/vdc", ["vdc"], 1, nil, 409), ("/dev/hda", [], 1, nil, 400), ("/dev/vdaa", [], 1, nil, 400),
        ("", [], 1, nil, 400), ("/dev/sdb", [], 1, "sdb", 0)
    ]

    @Test("the next free one, or the one asked for", arguments: cases.indices)
    func name(_ index: Int) {
        let (wanted, taken, local, expected, status) = Self.cases[index]
        do throws(APIError) {
            #expect(try DeviceNames.device(wanted, taken: taken, localDisks: local) == expected)
        } catch { #expect(error.status == status, "\(error.message)") }
    }
}
