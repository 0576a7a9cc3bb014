import CoordinatorBlockStorage
import CoordinatorFleet
import ProtocolModel
import Testing

@Suite("which pools a type allows")
struct PoolChoiceTests {
    private func place(_ pool: String, free: Int, problem: String = "") -> PoolPlace {
        let node = Node(
            id: NodeID(high: 1, low: 1), number: 1, hostname: "h", health: .up, isEnabled: true, disabledReason: nil,
            report: nil, lastSeen: 0, lastHealth: nil)
        return PoolPlace(
            node: node,
            pool: StoragePool(
                name: pool, backend: "file", totalGiB: 100, freeGiB: free, provisionedGiB: 0, problem: problem))
    }

    @Test("the one with the most room comes first; equals by name")
    func order() {
        let places = [place("b", free: 5), place("a", free: 5), place("c", free: 9), place("b", free: 7)]
        #expect(PoolChoice.names(for: [:], among: places).fitting == ["c", "b", "a"])
    }

    @Test(
        "what specs ask for is what a pool must have",
        arguments: [
            (["volume_backend_name": "a"], ["a"]), (["volume_backend_name": "x"], []),
            (["volume_backend_name": "<or> a <or> x"], ["a"]), (["capabilities:storage_protocol": "file"], ["a", "b"]),
            (["multiattach": "<is> True"], ["a", "b"]), (["multiattach": "<is> False"], []),
            (["free_capacity_gb": ">= 6"], ["b"]), (["free_capacity_gb": "< 6"], ["a"]), (["unknown": "1"], []),
            (["somebody:else": "1"], ["a", "b"]), (["RESKEY:availability_zones": "x"], ["a", "b"]),
            (["volume_backend_name": "s== b"], ["b"]), (["volume_backend_name": "s!= b"], ["a"]),
            (["volume_backend_name": "<in> b"], ["b"])
        ] as [([String: String], [String])])
    func specs(_ specs: [String: String], _ expected: [String]) {
        let found = PoolChoice.names(for: specs, among: [place("a", free: 5), place("b", free: 7)])
        #expect(found.fitting.sorted() == expected)
        #expect(found.reasons.count == 2 - expected.count)
    }

    @Test("a pool that is not well takes nothing and says why")
    func problem() {
        let found = PoolChoice.names(for: [:], among: [place("a", free: 5, problem: "its disk is full")])
        #expect(found.fitting.isEmpty && found.reasons == ["h@a#a: its disk is full"])
    }
}
