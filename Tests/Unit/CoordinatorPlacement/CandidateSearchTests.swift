import CoordinatorPlacement
import Testing

struct CandidateSearchTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var wood: String
        var query: String
        var minor = 39
        var found: [String]

        var testDescription: String { name }
    }

    static let flat = """
        cn1 VCPU:8 MEMORY_MB:64 +HW_CPU_X86_AVX @east
        cn2 VCPU:8-7 MEMORY_MB:64 @west @ssd
        cn3 VCPU:4 MEMORY_MB:64-60 +HW_CPU_X86_AVX +CUSTOM_OLD @west
        """

    static let gpus = """
        cn1 VCPU:8 MEMORY_MB:64 @east
        cn1/gpu1 VGPU:2 +CUSTOM_FAST @lab
        cn1/gpu2 VGPU:4-3 +CUSTOM_SLOW
        cn2 VCPU:8 MEMORY_MB:64 @west
        cn2/gpu VGPU:1 +CUSTOM_SLOW
        cn3 VCPU:8 MEMORY_MB:64
        """

    static let shared = """
        cn1 VCPU:8 @nfs
        cn2 VCPU:8 DISK_GB:10
        cn3 VCPU:8
        nfs DISK_GB:100 +MISC_SHARES_VIA_AGGREGATE @nfs
        """

    static let single: [Case] = [
        Case(name: "room", wood: flat, query: "resources=VCPU:2", found: ["cn1 VCPU:2", "cn3 VCPU:2"]),
        Case(
            name: "room for all classes", wood: flat, query: "resources=VCPU:1,MEMORY_MB:8",
            found: ["cn1 MEMORY_MB:8 VCPU:1", "cn2 MEMORY_MB:8 VCPU:1"]),
        Case(name: "nobody", wood: flat, query: "resources=VCPU:9", found: []),
        Case(name: "a class that nobody has", wood: flat, query: "resources=VGPU:1", found: []),
        Case(name: "more than a number can be", wood: flat, query: "resources=VCPU:9223372036854775807", found: []),
        Case(name: "limit", wood: flat, query: "resources=VCPU:1&limit=2", found: ["cn1 VCPU:1", "cn2 VCPU:1"]),
        Case(
            name: "required", wood: flat, query: "resources=VCPU:1&required=HW_CPU_X86_AVX",
            found: ["cn1 VCPU:1", "cn3 VCPU:1"]),
        Case(
            name: "forbidden", wood: flat, query: "resources=VCPU:1&required=HW_CPU_X86_AVX,!CUSTOM_OLD",
            found: ["cn1 VCPU:1"]),
        Case(
            name: "any of", wood: flat, query: "resources=VCPU:1&required=in:CUSTOM_OLD,CUSTOM_FAST",
            found: ["cn3 VCPU:1"]),
        Case(
            name: "any of, and", wood: flat,
            query: "resources=VCPU:1&required=in:CUSTOM_OLD,HW_CPU_X86_AVX&required=!CUSTOM_OLD",
            found: ["cn1 VCPU:1"]),
        Case(
            name: "before 1.39 the last one counts", wood: flat,
            query: "resources=VCPU:1&required=HW_CPU_X86_AVX&required=!CUSTOM_OLD", minor: 38,
            found: ["cn1 VCPU:1", "cn2 VCPU:1"]),
        Case(name: "aggregate", wood: flat, query: "resources=VCPU:1&member_of={ssd}", found: ["cn2 VCPU:1"]),
        Case(
            name: "one of the aggregates", wood: flat, query: "resources=VCPU:1&member_of=in:{ssd},{east}",
            found: ["cn1 VCPU:1", "cn2 VCPU:1"]),
        Case(
            name: "both aggregates", wood: flat, query: "resources=VCPU:1&member_of={ssd}&member_of={west}",
            found: ["cn2 VCPU:1"]),
        Case(
            name: "forbidden aggregate", wood: flat, query: "resources=VCPU:1&member_of=!{west}",
            found: ["cn1 VCPU:1"]),
        Case(
            name: "none of the aggregates", wood: flat, query: "resources=VCPU:1&member_of=!in:{ssd},{east}",
            found: ["cn3 VCPU:1"]),
        Case(name: "tree", wood: flat, query: "resources=VCPU:1&in_tree={cn3}", found: ["cn3 VCPU:1"]),
        Case(
            name: "no such tree", wood: flat,
            query: "resources=VCPU:1&in_tree=99999999-9999-4999-8999-999999999999", found: [])
    ]

    static let trees: [Case] = [
        Case(
            name: "several providers of a tree", wood: gpus, query: "resources=VCPU:1,VGPU:1",
            found: [
                "cn1 VCPU:1 + cn1/gpu1 VGPU:1", "cn1 VCPU:1 + cn1/gpu2 VGPU:1", "cn2 VCPU:1 + cn2/gpu VGPU:1"
            ]),
        Case(name: "not before trees were seen", wood: gpus, query: "resources=VCPU:1,VGPU:1", minor: 28, found: []),
        Case(
            name: "but of one provider each", wood: gpus, query: "resources=VGPU:2", minor: 28,
            found: ["cn1/gpu1 VGPU:2"]),
        Case(
            name: "together they have the traits", wood: gpus, query: "resources=VCPU:1,VGPU:1&required=CUSTOM_FAST",
            found: ["cn1 VCPU:1 + cn1/gpu1 VGPU:1"]),
        Case(
            name: "none that is used may be forbidden", wood: gpus,
            query: "resources=VCPU:1,VGPU:1&required=!CUSTOM_SLOW", found: ["cn1 VCPU:1 + cn1/gpu1 VGPU:1"]),
        Case(
            name: "a trait of somebody who gives nothing does not count", wood: gpus,
            query: "resources=VCPU:1&required=CUSTOM_FAST", found: []),
        Case(
            name: "an aggregate of the root is one of the tree", wood: gpus,
            query: "resources=VCPU:1,VGPU:1&member_of={west}", found: ["cn2 VCPU:1 + cn2/gpu VGPU:1"]),
        Case(
            name: "one of a child is not", wood: gpus, query: "resources=VCPU:1,VGPU:1&member_of={lab}", found: []),
        Case(
            name: "nor is the tree's forbidden one escaped", wood: gpus,
            query: "resources=VGPU:1&member_of=!{east}", found: ["cn2/gpu VGPU:1"]),
        Case(
            name: "the tree of a child", wood: gpus, query: "resources=VCPU:1&in_tree={cn1/gpu2}",
            found: ["cn1 VCPU:1"]),
        Case(
            name: "traits of the root", wood: "cn1 +CUSTOM_A\ncn1/a VCPU:1\ncn2\ncn2/a VCPU:1",
            query: "resources=VCPU:1&root_required=CUSTOM_A", found: ["cn1/a VCPU:1"]),
        Case(
            name: "traits that the root must not have", wood: "cn1 +CUSTOM_A\ncn1/a VCPU:1\ncn2\ncn2/a VCPU:1",
            query: "resources_X=VCPU:1&root_required=!CUSTOM_A", found: ["cn2/a VCPU:1"])
    ]

    static let groups: [Case] = [
        Case(
            name: "a group is served by one", wood: gpus, query: "resources1=VCPU:1,VGPU:1", found: []),
        Case(
            name: "groups of one tree", wood: gpus,
            query: "resources=VCPU:1&resources1=VGPU:1&resources2=VGPU:1&group_policy=isolate",
            // Either may serve either group.
            found: [String](repeating: "cn1 VCPU:1 + cn1/gpu1 VGPU:1 + cn1/gpu2 VGPU:1", count: 2)),
        Case(
            name: "groups may meet", wood: gpus,
            query: "resources1=VGPU:1&resources2=VGPU:1&group_policy=none&in_tree1={cn1}",
            found: ["cn1/gpu1 VGPU:2"] + [String](repeating: "cn1/gpu1 VGPU:1 + cn1/gpu2 VGPU:1", count: 2)),
        Case(
            name: "groups that meet need room together", wood: "cn1 VCPU:3\ncn1/a VCPU:1",
            query: "resources1=VCPU:2&resources2=VCPU:2&group_policy=none", found: []),
        Case(
            name: "traits of one group", wood: gpus,
            query: "resources=VCPU:1&resources1=VGPU:1&required1=CUSTOM_SLOW",
            found: ["cn1 VCPU:1 + cn1/gpu2 VGPU:1", "cn2 VCPU:1 + cn2/gpu VGPU:1"]),
        Case(
            name: "the aggregate of one group is the provider's own", wood: gpus,
            query: "resources_A=VGPU:1&member_of_A={east}", found: []),
        Case(
            name: "words for groups", wood: gpus, query: "resources_GPU=VGPU:1&member_of_GPU={lab}",
            found: ["cn1/gpu1 VGPU:1"])
    ]

    static let subtrees: [Case] = {
        let numa = """
            cn VCPU:4
            cn/n0 +HW_NUMA_ROOT
            cn/n0/cpu PCPU:4
            cn/n0/nic SRIOV_NET_VF:4
            cn/n1 +HW_NUMA_ROOT
            cn/n1/cpu PCPU:4
            """
        let both = "resources_C=PCPU:1&resources_N=SRIOV_NET_VF:1&group_policy=none"
        return [
            Case(
                name: "two of a tree", wood: numa, query: both,
                found: [
                    "cn/n0/cpu PCPU:1 + cn/n0/nic SRIOV_NET_VF:1", "cn/n0/nic SRIOV_NET_VF:1 + cn/n1/cpu PCPU:1"
                ]),
            Case(
                name: "two without one above are no subtree", wood: numa, query: both + "&same_subtree=_C,_N",
                found: []),
            Case(
                name: "a group without resources is above them", wood: numa,
                query: both + "&required_R=HW_NUMA_ROOT&same_subtree=_C,_N,_R",
                found: ["cn/n0/cpu PCPU:1 + cn/n0/nic SRIOV_NET_VF:1"])
        ]
    }()

    static let sharing: [Case] = [
        Case(
            name: "who shares serves the trees of its aggregates", wood: shared, query: "resources=VCPU:1,DISK_GB:5",
            found: ["cn1 VCPU:1 + nfs DISK_GB:5", "cn2 DISK_GB:5 VCPU:1"]),
        Case(
            name: "also before trees were seen", wood: shared, query: "resources=VCPU:1,DISK_GB:50", minor: 10,
            found: ["cn1 VCPU:1 + nfs DISK_GB:50"]),
        Case(
            name: "and itself", wood: shared, query: "resources=DISK_GB:50", found: ["nfs DISK_GB:50"]),
        Case(
            name: "in a group of its own", wood: shared, query: "resources=VCPU:1&resources_D=DISK_GB:50",
            found: ["cn1 VCPU:1 + nfs DISK_GB:50"]),
        Case(
            name: "of a tree of its own", wood: shared,
            query: "resources=VCPU:1&in_tree={cn1}&resources_D=DISK_GB:5&in_tree_D={nfs}",
            found: ["cn1 VCPU:1 + nfs DISK_GB:5"]),
        Case(
            name: "not for one tree alone", wood: shared, query: "resources=VCPU:1,DISK_GB:50&in_tree={cn1}", found: []),
        Case(
            name: "from outside of the aggregates asked for it shares nothing",
            wood: shared.replacing("cn1 VCPU:8 @nfs", with: "cn1 VCPU:8 @nfs @east"),
            query: "resources=VCPU:1,DISK_GB:50&member_of={east}", found: [])
    ]

    @Test("candidates", arguments: single + trees + groups + subtrees + sharing)
    func candidates(_ one: Case) throws {
        #expect(try Wood(one.wood).candidates(one.query, minor: one.minor) == one.found)
    }

    @Test("mappings say whom each group takes from")
    func mappings() throws {
        let wood = Wood(Self.gpus)
        let found = try wood.search("resources=VCPU:1&resources_G=VGPU:2").requests
        #expect(found.map { $0.mappings.mapValues { $0.map(wood.name) } } == [["": ["cn1"], "_G": ["cn1/gpu1"]]])
    }

    @Test("summaries tell of whole trees, and before trees were seen only of whom something is taken")
    func summaries() throws {
        let wood = Wood(Self.gpus)
        func names(_ query: String, _ minor: Int) throws -> [String] {
            try wood.search(query, minor: minor).summaries.map(wood.name)
        }
        #expect(try names("resources=VGPU:2", 39) == ["cn1", "cn1/gpu1", "cn1/gpu2"])
        #expect(try names("resources=VGPU:2", 28) == ["cn1/gpu1"])
        #expect(try names("resources=VCPU:1&limit=1", 39) == ["cn1", "cn1/gpu1", "cn1/gpu2"])
    }

    @Test("a search ends, however many combinations there are")
    func budget() throws {
        let names = ["A", "B", "C", "D", "E", "F", "G", "H"]
        let text = (0..<60).map { number in
            "cn/\(number) \(names.map { "CUSTOM_\($0):9" }.joined(separator: " "))"
        }
        let wood = Wood((["cn"] + text).joined(separator: "\n"))
        let query = "resources=\(names.map { "CUSTOM_\($0):1" }.joined(separator: ","))"
        let few = try wood.candidates(query, budget: .init(choices: 1000, steps: 1000, candidates: 50))
        #expect(few.count == 50)
        #expect(try wood.candidates("\(query)&limit=7", budget: .init(choices: 1000, candidates: 50)).count == 7)
        let groups = names.map { "resources_\($0)=CUSTOM_\($0):1" }.joined(separator: "&")
        #expect(
            try wood.candidates("\(groups)&group_policy=isolate", budget: .init(steps: 5000, candidates: 10_000)).count
                < 5000)
    }
}
