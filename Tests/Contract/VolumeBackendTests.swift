import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("where volumes are kept, over HTTP")
struct VolumeBackendTests {
    @Test("versions, extensions, zones, services, pools and hosts have their members")
    func shapes() async throws {
        let cloud = try await VolumeCloud()
        let versions = await cloud.harness.get("/volume/", as: nil)
        #expect(versions.status == 300)
        let version = versions.json["versions"]?.arrayValue?.first
        #expect(version?["version"] == "3.70" && version?["min_version"] == "3.0" && version?["id"] == "v3.0")
        #expect(version?["media-types"] != nil && version?["updated"] != nil)
        #expect(await cloud.harness.get("/volume/v3", as: nil).status == 200)
        VolumeShapes.check(
            await cloud.get("/extensions").json["extensions"],
            .list(
                .members(
                    ["alias": .text, "name": .text, "description": .text, "updated": .time, "links": .list(.any)],
                    optional: [])))
        #expect(
            await cloud.get("/os-availability-zone").json
                == ["availabilityZoneInfo": [["zoneName": "nova", "zoneState": ["available": true]]]])
        let services = await cloud.get("/os-services", as: .admin, minor: 7).json["services"]
        #expect(services?.arrayValue?.map { $0["host"] } == ["store-a@fast", "store-a@local", "store-b@local"])
        #expect(services?.arrayValue?.first?["state"] == "up" && services?.arrayValue?.first?["cluster"] == .null)
        #expect(await cloud.get("/os-services").status == 403)
        let pools = await cloud.get("/scheduler-stats/get_pools?detail=true", as: .admin).json["pools"]
        #expect(pools?.arrayValue?.first?["name"] == "store-a@fast#fast")
        #expect(pools?.arrayValue?.first?["capabilities"]?["storage_protocol"] == "lvm-thin")
        #expect(
            await cloud.get("/scheduler-stats/get_pools", as: .admin).json["pools"]?.arrayValue?.first
                == ["name": "store-a@fast#fast"])
        VolumeShapes.check(
            await cloud.get("/os-hosts", as: .admin).json["hosts"],
            .list(
                .members(
                    [
                        "host_name": .text, "service": .text, "zone": .text, "service-status": .text,
                        "service-state": .text, "last-update": .time
                    ], optional: [])))
        _ = try await cloud.available(["size": 2])
        let host = await cloud.get("/os-hosts/store-a@local", as: .admin).json["host"]
        #expect(host?.arrayValue?.first?["resource"]?["total_volume_gb"] == "2")
        #expect(host?.arrayValue?.count == 2)
        #expect(await cloud.get("/capabilities/store-a@local", as: .admin).json["pool_name"] == "local")
        #expect(await cloud.get("/capabilities/none", as: .admin).status == 404)
    }

    @Test("a host that is disabled gets no new volumes")
    func disabled() async throws {
        let cloud = try await VolumeCloud()
        let body: JSON = ["host": "store-a@local", "binary": "cinder-volume", "disabled_reason": "dust"]
        let answer = await cloud.put("/os-services/disable-log-reason", body, as: .admin)
        #expect(answer.json["status"] == "disabled" && answer.json["disabled_reason"] == "dust")
        let id = try VolumeCloud.id(await cloud.create())
        #expect(try await cloud.entry(.volume(id))?.node == cloud.second)
        #expect(await cloud.put("/os-services/enable", body, as: .admin).status == 200)
        #expect(await cloud.put("/os-services/freeze", body, as: .admin).status == 400)
        #expect(await cloud.put("/os-services/disable", ["host": "x", "binary": "y"], as: .admin).status == 404)
    }

    @Test("a pool that is not well, or away, gets nothing new and keeps what it has")
    func unwell() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let now = cloud.harness.clock.now()
        var report = VolumeHosts.report("store-a", problem: "its disk is full")
        try await cloud.hosts.report(report, by: cloud.first, at: now)
        let other = try VolumeCloud.id(await cloud.create())
        #expect(try await cloud.entry(.volume(other))?.node == cloud.second)
        #expect(await cloud.act(id, ["os-extend": ["new_size": 2]]).status == 400)
        report.pools = []
        try await cloud.hosts.report(report, by: cloud.first, at: now)
        #expect(await cloud.status(id) == "available")
        #expect(try await cloud.claimed(id) == 1)
        try await cloud.hosts.report(VolumeHosts.report("store-a"), by: cloud.first, at: now)
        #expect(await cloud.act(id, ["os-extend": ["new_size": 2]]).status == 202)
        #expect(try await cloud.claimed(id) == 2)
    }

    @Test("volumes of a host that was taken out are in error, and can be deleted")
    func removed() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        try await cloud.hosts.remove(cloud.first, at: cloud.harness.clock.now())
        #expect(try await cloud.claimed(id) == 0)
        #expect(await cloud.status(id) == "error")
        #expect(await cloud.delete("/volumes/\(id)").status == 202)
        #expect(await cloud.status(id) == "none")
    }

    @Test("what there is none of is an empty list, and making one is refused with a reason")
    func absent() async throws {
        let cloud = try await VolumeCloud()
        for (path, collection, minor) in [
            ("/backups", "backups", 0), ("/groups", "groups", 13), ("/group_types", "group_types", 11),
            ("/group_snapshots", "group_snapshots", 14), ("/consistencygroups", "consistencygroups", 0),
            ("/cgsnapshots", "cgsnapshots", 0)
        ] {
            #expect(await cloud.get(path, minor: minor).json[collection] == [], "\(path)")
            #expect(await cloud.get(path + "/detail", minor: minor).json[collection] == [], "\(path)")
            #expect(await cloud.get(path + "/x", minor: minor).status == 404, "\(path)")
            #expect(await cloud.post(path, [:], as: .admin, minor: minor).status == 400, "\(path)")
            if minor > 0 { #expect(await cloud.get(path, minor: minor - 1).status == 404, "\(path)") }
        }
        #expect(await cloud.post("/os-volume-manage", [:], as: .admin).status == 400)
        #expect(await cloud.get("/clusters", as: .admin, minor: 7).json == ["clusters": []])
        #expect(await cloud.post("/workers/cleanup", [:], as: .admin, minor: 24).status == 202)
        let filters = await cloud.get("/resource_filters?resource=volume", minor: 33).json["resource_filters"]
        #expect(filters?.arrayValue?.count == 1)
        let defaults = await cloud.get("/os-quota-class-sets/default", as: .admin).json["quota_class_set"]
        #expect(defaults?["volumes"] == 10)
        let more: JSON = ["quota_class_set": ["volumes": 12, "gigabytes___DEFAULT__": 40]]
        #expect(await cloud.put("/os-quota-class-sets/default", more).status == 403)
        #expect(await cloud.put("/os-quota-class-sets/other", more, as: .admin).status == 400)
        let nonsense: JSON = ["quota_class_set": ["nonsense": 1]]
        #expect(await cloud.put("/os-quota-class-sets/default", nonsense, as: .admin).status == 400)
        let set = await cloud.put("/os-quota-class-sets/default", more, as: .admin).json["quota_class_set"]
        #expect(set?["volumes"] == 12 && set?["snapshots"] == 10 && set?["id"] == nil)
        let mine = "/os-quota-sets/\(TestCaller.project.compact)"
        for path in [mine, mine + "/defaults"] {
            let limits = await cloud.get(path).json["quota_set"]
            #expect(limits?["volumes"] == 12 && limits?["gigabytes___DEFAULT__"] == 40)
        }
    }

    @Test("what failed after its call was answered is told in a message")
    func messages() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        _ = await cloud.act(id, ["os-extend": ["new_size": 2]])
        let error = StatusError(code: .noSpace, message: "The pool is full.", detail: "")
        try await cloud.report(id, .failed, error: error)
        let list = await cloud.get("/messages", minor: 3).json["messages"]
        let message = list?.arrayValue?.first
        #expect(list?.arrayValue?.count == 1 && message?["resource_uuid"] == .string(id.text))
        #expect(message?["user_message"] == "extend volume:The pool is full.")
        let path = "/messages/\(message?["id"]?.stringValue ?? "")"
        #expect(await cloud.get(path, as: .stranger, minor: 3).status == 404)
        #expect(await cloud.get(path, minor: 2).status == 404)
        #expect(await cloud.delete(path, minor: 3).status == 204)
        #expect(await cloud.get("/messages", minor: 3).json["messages"] == [])
    }

    @Test("from 3.67 on the project may be left out of the path")
    func short() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let headers = VolumeCloud.version(67)
        let shown = await cloud.harness.get("/volume/v3/volumes/\(id)", as: .member, headers)
        #expect(
            shown.json["volume"]?["links"]?.arrayValue?.first?["href"]
                == .string("https://cloud.test:8700/volume/v3/volumes/\(id)"))
        #expect(await cloud.harness.get("/volume/v3/volumes/\(id)", as: .member, VolumeCloud.version(66)).status == 404)
        #expect(await cloud.harness.get("/volume/v3/volumes/\(id)", as: .stranger, headers).status == 404)
    }
}
