import CoordinatorPlatform
import ProtocolModel
import Testing

/// What each version of the placement API added to answers and bodies.
struct PlacementVersionTests {
    private static let consumer = "11111111-2222-4333-8444-555555555555"
    private static let other = "22222222-2222-4333-8444-555555555555"
    private static let rack = "33333333-2222-4333-8444-555555555555"

    @Test("1.2 to 1.6: an own class gets another name, with all that there is of it")
    func renaming() async throws {
        let cloud = try await PlacementCloud()
        let gold = "/resource_classes/CUSTOM_GOLD"
        #expect(await cloud.put(gold, nil).status == 201)
        let provider = await cloud.provider("a", ["CUSTOM_GOLD": 4])
        #expect(
            await cloud.put("/allocations/\(Self.consumer)", PlacementCloud.claims([provider: ["CUSTOM_GOLD": 1]]))
                .status == 204)
        #expect(await cloud.put(gold, ["name": "CUSTOM_IRON"], 6).json["name"] == "CUSTOM_IRON")
        #expect(await cloud.get(gold).status == 404)
        #expect(await cloud.get("/resource_providers/\(provider)/usages").json["usages"] == ["CUSTOM_IRON": 1])
        #expect(await cloud.put("/resource_classes/VCPU", ["name": "CUSTOM_X"], 6).status == 400)
        #expect(await cloud.put("/resource_classes/CUSTOM_IRON", ["name": "CUSTOM_IRON"], 2).status == 409)
        #expect(await cloud.put("/resource_classes/CUSTOM_NONE", ["name": "CUSTOM_X"], 2).status == 404)
        #expect(await cloud.put(gold, ["name": "CUSTOM_IRON"], 1).status == 404)
    }

    @Test("1.15: answers say when what they tell of changed, and are not to be kept")
    func caching() async throws {
        let cloud = try await PlacementCloud()
        let one = "/resource_providers/\(await cloud.provider("a", ["VCPU": 4]))"
        cloud.harness.clock.advance(by: .seconds(60))
        let told = "Thu, 01 Jan 2026 00:00:00 GMT"
        let now = "Thu, 01 Jan 2026 00:01:00 GMT"
        for (path, modified) in [
            ("/", now), ("/resource_providers", told), (one, told), ("\(one)/inventories", told),
            ("\(one)/inventories/VCPU", told), ("\(one)/usages", now), ("\(one)/aggregates", now),
            ("\(one)/traits", now), ("\(one)/allocations", now), ("/allocations/\(Self.consumer)", now),
            ("/usages?project_id=\(TestCaller.project.compact)", now), ("/traits", now),
            ("/traits/COMPUTE_NODE", now), ("/resource_classes", now), ("/resource_classes/VCPU", now),
            ("/allocation_candidates?resources=VCPU:1", now)
        ] {
            let fresh = await cloud.get(path, 15)
            #expect(fresh.header("Last-Modified") == modified, "\(path)")
            #expect(fresh.header("Cache-Control") == "no-cache", "\(path)")
            #expect(await cloud.get(path, 14).header("Last-Modified") == nil, "\(path)")
        }
    }

    @Test("1.18, 1.22, 1.39: lists of providers by traits")
    func traits() async throws {
        let cloud = try await PlacementCloud()
        _ = await cloud.provider("a", traits: ["HW_CPU_X86_AVX"])
        _ = await cloud.provider("b", traits: ["HW_CPU_X86_AVX", "HW_CPU_X86_VMX"])
        func names(_ query: String, _ minor: Int) async -> [JSON?] {
            await cloud.get("/resource_providers?\(query)", minor).json["resource_providers"]?.arrayValue?
                .map { $0["name"] } ?? []
        }
        #expect(await names("required=HW_CPU_X86_VMX", 18) == ["b"])
        #expect(await cloud.get("/resource_providers?required=HW_CPU_X86_VMX", 17).status == 400)
        #expect(await names("required=HW_CPU_X86_AVX,!HW_CPU_X86_VMX", 22) == ["a"])
        #expect(await cloud.get("/resource_providers?required=!HW_CPU_X86_VMX", 21).status == 400)
        #expect(await names("required=in:HW_CPU_X86_VMX,COMPUTE_NODE", 39) == ["b"])
        let unknown = await cloud.get("/resource_providers?required=CUSTOM_NO", 18)
        #expect(
            unknown.error("detail") == "Invalid trait(s) in \"required\" parameter: No such trait(s): CUSTOM_NO.")
        #expect(
            await cloud.get("/allocation_candidates?resources=VCPU:1&required=CUSTOM_NO").error("detail")
                == "No such trait(s): CUSTOM_NO.")
        #expect(
            await cloud.get("/resource_providers?resources=GOLD:1").error("detail")
                == "Invalid resource class in resources parameter: No such resource class GOLD.")
        let used = await cloud.get("/traits?associated=true", 6)
        #expect(used.json["traits"] == ["HW_CPU_X86_AVX", "HW_CPU_X86_VMX"])
        #expect(await cloud.get("/traits?associated=maybe", 6).status == 400)
    }

    @Test("1.19: aggregates are set by those who saw the newest generation")
    func aggregates() async throws {
        let cloud = try await PlacementCloud()
        let path = "/resource_providers/\(await cloud.provider("a"))/aggregates"
        #expect(await cloud.put(path, [JSON(Self.rack)], 18).json == ["aggregates": [JSON(Self.rack)]])
        #expect(
            await cloud.get(path, 19).json == ["aggregates": [JSON(Self.rack)], "resource_provider_generation": 3])
        #expect(await cloud.put(path, [JSON(Self.rack)], 19).status == 400)
        let body: JSON = ["aggregates": [], "resource_provider_generation": 3]
        #expect(await cloud.put(path, body, 19).json == ["aggregates": [], "resource_provider_generation": 4])
        let late = await cloud.put(path, body, 23)
        #expect(late.status == 409)
        #expect(late.error("code") == "placement.concurrent_update")
        #expect(
            late.error("detail")
                == "Resource provider's generation already changed. Please update the generation and try again.")
    }

    @Test("1.20: a new provider is shown")
    func created() async throws {
        let cloud = try await PlacementCloud()
        let old = await cloud.post("/resource_providers", ["name": "a"], 19)
        #expect(old.status == 201 && old.bytes.isEmpty)
        let new = await cloud.post("/resource_providers", ["name": "b"], 20)
        #expect(new.status == 200)
        #expect(new.json["name"] == "b" && new.json["generation"] == 0)
        #expect(new.header("Location")?.hasSuffix(new.json["uuid"]?.stringValue ?? "-") == true)
    }

    @Test("1.23: errors have codes")
    func codes() async throws {
        let cloud = try await PlacementCloud()
        _ = await cloud.provider("a")
        #expect(await cloud.post("/resource_providers", ["name": "a"], 22).error("code") == nil)
        #expect(
            await cloud.post("/resource_providers", ["name": "a"], 23).error("code") == "placement.duplicate_name")
        #expect(
            await cloud.get("/resource_providers/\(Self.rack)", 23).error("code") == "placement.undefined_code")
        #expect(
            await cloud.get("/resource_providers", 23, as: .member).error("code") == "placement.undefined_code")
    }

    @Test("1.26: all of a class may be reserved")
    func reserved() async throws {
        let cloud = try await PlacementCloud()
        let path = "/resource_providers/\(await cloud.provider("a"))/inventories"
        func put(_ reserved: Int, _ minor: Int) async -> Answer {
            await cloud.put(
                path,
                [
                    "resource_provider_generation": 3,
                    "inventories": ["VCPU": ["total": 4, "reserved": JSON(reserved)]]
                ], minor)
        }
        #expect(await put(4, 25).status == 400)
        let more = await put(5, 26)
        #expect(more.error("detail")?.stringValue?.hasSuffix("The reserved value is greater than total.") == true)
        #expect(await put(4, 26).status == 200)
        #expect(await cloud.delete(path, 4).status == 405)
    }

    @Test("1.28: consumers have generations, and may be left with nothing")
    func generations() async throws {
        let cloud = try await PlacementCloud()
        let provider = await cloud.provider("a", ["VCPU": 4])
        let path = "/allocations/\(Self.consumer)"
        func put(_ amount: Int, _ generation: Int?) async -> Answer {
            await cloud.put(
                path, PlacementCloud.claims([provider: ["VCPU": amount]], generation: generation, type: nil), 28)
        }
        let early = await put(1, 5)
        #expect(early.status == 409)
        #expect(early.error("detail") == "consumer generation conflict - expected null but got 5")
        #expect(early.error("code") == "placement.concurrent_update")
        #expect(await put(1, nil).status == 204)
        #expect(await cloud.get(path, 28).json["consumer_generation"] == 1)
        #expect(await cloud.get(path, 27).json["consumer_generation"] == nil)
        let held = await cloud.get("/resource_providers/\(provider)/allocations", 28)
        #expect(held.json["allocations"]?[Self.consumer] == ["resources": ["VCPU": 1], "consumer_generation": 1])
        #expect(
            await put(2, nil).error("detail") == "consumer generation conflict - expected 1 but got None")
        #expect(await put(2, 1).status == 204)
        let absent: JSON = ["allocations": [:], "project_id": "p", "user_id": "u"]
        #expect(await cloud.put(path, absent, 28).status == 400)
        #expect(await cloud.put(path, absent, 27).status == 400)
        #expect(await cloud.put(path, PlacementCloud.claims([:], generation: 2, type: nil), 28).status == 204)
        #expect(await cloud.get(path, 28).json == ["allocations": [:]])
    }

    @Test("1.13: what one consumer gives back another one takes in the same call, or neither")
    func swapping() async throws {
        let cloud = try await PlacementCloud()
        let provider = await cloud.provider("a", ["VCPU": 4])
        #expect(
            await cloud.put("/allocations/\(Self.consumer)", PlacementCloud.claims([provider: ["VCPU": 3]])).status
                == 204)
        func both(_ first: Int, _ second: Int) -> JSON {
            .object([
                Self.consumer: PlacementCloud.claims([provider: ["VCPU": first]], generation: 1),
                Self.other: PlacementCloud.claims([provider: ["VCPU": second]])
            ])
        }
        #expect(await cloud.post("/allocations", both(2, 3)).status == 409)
        #expect(await cloud.get("/allocations/\(Self.other)").json == ["allocations": [:]])
        #expect(await cloud.post("/allocations", both(1, 3)).status == 204)
        #expect(await cloud.get("/resource_providers/\(provider)/usages").json["usages"] == ["VCPU": 4])
        let stray = PlacementCloud.claims([Self.rack: ["VCPU": 1]], generation: 2)
        #expect(
            await cloud.put("/allocations/\(Self.consumer)", stray).error("detail")
                == JSON("Allocation for resource provider '\(Self.rack)' that does not exist."))
        let unknown = PlacementCloud.claims([provider: ["GOLD": 1]], generation: 2)
        #expect(await cloud.put("/allocations/\(Self.consumer)", unknown).status == 400)
    }

    @Test("1.34: mappings may be sent back")
    func mappings() async throws {
        let cloud = try await PlacementCloud()
        let provider = await cloud.provider("a", ["VCPU": 4])
        var body = PlacementCloud.claims([provider: ["VCPU": 1]], type: nil).objectValue ?? [:]
        body["mappings"] = ["": [JSON(provider)]]
        #expect(await cloud.put("/allocations/\(Self.consumer)", .object(body), 33).status == 400)
        #expect(await cloud.put("/allocations/\(Self.consumer)", .object(body), 34).status == 204)
    }

    @Test("1.38: consumers have types, by which usages are told")
    func types() async throws {
        let cloud = try await PlacementCloud()
        let provider = await cloud.provider("a", ["VCPU": 8, "MEMORY_MB": 64])
        let path = "/allocations/\(Self.consumer)"
        let amounts = [provider: ["VCPU": 2, "MEMORY_MB": 8]]
        #expect(await cloud.put(path, PlacementCloud.claims(amounts, type: nil)).status == 400)
        #expect(await cloud.put(path, PlacementCloud.claims(amounts, type: "server")).status == 400)
        #expect(await cloud.put(path, PlacementCloud.claims(amounts)).status == 204)
        #expect(await cloud.get(path).json["consumer_type"] == "INSTANCE")
        #expect(await cloud.get(path, 37).json["consumer_type"] == nil)
        let older = PlacementCloud.claims([provider: ["VCPU": 1]], type: nil, user: "v")
        #expect(await cloud.put("/allocations/\(Self.other)", older, 37).status == 204)
        #expect(await cloud.get("/allocations/\(Self.other)").json["consumer_type"] == "unknown")
        let usages = "/usages?project_id=\(TestCaller.project.compact)"
        #expect(await cloud.get(usages, 37).json["usages"] == ["VCPU": 3, "MEMORY_MB": 8])
        let instances: JSON = ["VCPU": 2, "MEMORY_MB": 8, "consumer_count": 1]
        let others: JSON = ["VCPU": 1, "consumer_count": 1]
        #expect(await cloud.get(usages).json["usages"] == ["INSTANCE": instances, "unknown": others])
        #expect(await cloud.get("\(usages)&consumer_type=INSTANCE").json["usages"] == ["INSTANCE": instances])
        #expect(await cloud.get("\(usages)&consumer_type=unknown").json["usages"] == ["unknown": others])
        #expect(await cloud.get("\(usages)&user_id=v").json["usages"] == ["unknown": others])
        #expect(
            await cloud.get("\(usages)&consumer_type=all").json["usages"]
                == ["all": ["VCPU": 3, "MEMORY_MB": 8, "consumer_count": 2]])
        #expect(await cloud.get("\(usages)&consumer_type=VOLUME").json["usages"] == [:])
        #expect(await cloud.get("\(usages)&consumer_type=INSTANCE", 37).status == 400)
    }

    @Test("candidates as each version writes them")
    func candidates() async throws {
        let cloud = try await PlacementCloud()
        let rack = [Self.rack]
        let host = await cloud.provider("host", ["VCPU": 4, "MEMORY_MB": 64], aggregates: rack)
        let gpu = await cloud.provider("gpu", below: host, ["VGPU": 2], traits: ["HW_GPU_API_VULKAN"])
        let nfs = await cloud.provider(
            "nfs", ["DISK_GB": 100], traits: ["MISC_SHARES_VIA_AGGREGATE"], aggregates: rack)
        let path = "/allocation_candidates?resources=VCPU:1"
        let oldest = await cloud.get(path, 10).json
        #expect(
            oldest["allocation_requests"]
                == [["allocations": [["resource_provider": ["uuid": JSON(host)], "resources": ["VCPU": 1]]]]])
        #expect(oldest["provider_summaries"] == .object([host: ["resources": ["VCPU": ["capacity": 4, "used": 0]]]]))
        #expect(await cloud.get(path, 17).json["provider_summaries"]?[host]?["traits"] == [])
        let all = await cloud.get(path, 27).json["provider_summaries"]
        #expect(all?[host]?["resources"]?["MEMORY_MB"] == ["capacity": 64, "used": 0])
        #expect(all?.objectValue?.count == 1)
        let nested = await cloud.get("\(path),VGPU:1,DISK_GB:5", 29).json
        #expect(
            nested["allocation_requests"]
                == [
                    [
                        "allocations": .object([
                            host: ["resources": ["VCPU": 1]], gpu: ["resources": ["VGPU": 1]],
                            nfs: ["resources": ["DISK_GB": 5]]
                        ])
                    ]
                ])
        let summary = nested["provider_summaries"]?[gpu]
        #expect(summary?["parent_provider_uuid"] == JSON(host) && summary?["root_provider_uuid"] == JSON(host))
        #expect(summary?["traits"] == ["HW_GPU_API_VULKAN"])
        let newest = await cloud.get("\(path)&resources_G=VGPU:2&required_G=HW_GPU_API_VULKAN", 34).json
        #expect(newest.item("allocation_requests")?["mappings"] == ["": [JSON(host)], "_G": [JSON(gpu)]])
        #expect(await cloud.get("\(path),VGPU:1", 28).json["allocation_requests"] == [])
    }
}
