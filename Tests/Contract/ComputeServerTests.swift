import CoordinatorCompute
import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: the life of a server")
struct ComputeServerTests {
    @Test("created, running, deleted, and nothing held any more")
    func life() async throws {
        let cloud = try await ComputeCloud()
        let created = await cloud.create(["adminPass": "secret"])
        #expect(created.status == 202)
        #expect(created.json["server"]?["adminPass"] == "secret")
        #expect(created.json["server"]?["OS-DCF:diskConfig"] == "MANUAL")
        let id = try ComputeCloud.id(created)
        #expect(created.header("Location") == "https://cloud.test:8700/compute/v2.1/servers/\(id)")
        #expect(await cloud.status(id) == "BUILD")
        #expect(await cloud.show(id)["addresses"] == [:])

        try await cloud.report(id, .applying)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "spawning")
        try await cloud.report(id, .ready, power: .running)
        let shown = await cloud.show(id)
        #expect(shown["status"] == "ACTIVE")
        #expect(shown["OS-EXT-STS:power_state"] == 1)
        #expect(shown["addresses"]?["private"]?.arrayValue?.first?["addr"] == "10.0.0.2")
        #expect(shown["security_groups"] == [["name": "default"]])

        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "deleting")
        #expect(try await cloud.entry(id)?.isWanted == false)
        #expect(try await cloud.holdsNothing(for: id) == false, "addresses stay taken while the guest may run")
        try await cloud.report(id, .gone)
        let gone = await cloud.harness.get("/compute/v2.1/servers/\(id)", as: .member)
        #expect(gone.status == 404)
        #expect(gone.json["itemNotFound"]?["message"] == .string("Instance \(id) could not be found."))
        #expect(try await cloud.holdsNothing(for: id))
    }

    @Test("no host fits: ERROR with the reason, and nothing held")
    func noHost() async throws {
        let cloud = try await ComputeCloud(memoryMiB: 0)
        let answer = await cloud.create()
        #expect(answer.status == 202)
        let id = try ComputeCloud.id(answer)
        let shown = await cloud.show(id)
        #expect(shown["status"] == "ERROR")
        #expect(
            shown["fault"]?["message"]
                == "No valid host was found. 2 hosts: 2 short of memory (need 128 MiB, best has 0)")
        #expect(shown["fault"]?["code"] == 500)
        #expect(shown["fault"]?["details"] == nil)
        #expect(
            await cloud.show(id, as: .admin)["fault"]?["details"]
                == "host-a: short of memory (need 128 MiB, has 0)\nhost-b: short of memory (need 128 MiB, has 0)")
        #expect(try await cloud.holdsNothing(for: id))
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
        #expect(await cloud.status(id) == "none")
    }

    @Test("a failed build moves to another host, and ends in ERROR when there is none")
    func retry() async throws {
        let cloud = try await ComputeCloud()
        let id = try ComputeCloud.id(await cloud.create())
        let error = StatusError(code: .noSpace, message: "The disk is full.", detail: "ENOSPC /var/lib")
        try await cloud.report(id, .failed, error: error)
        #expect(await cloud.status(id) == "BUILD")
        #expect(await cloud.show(id, as: .admin)["OS-EXT-SRV-ATTR:host"] == "host-b")
        #expect(try await cloud.entry(id)?.isWanted == false)
        #expect(try await cloud.portHost(id) == "host-b")

        // The first host's late word changes nothing.
        try await cloud.report(id, .gone, from: cloud.first)
        try await cloud.report(id, .ready, power: .running, from: cloud.first)
        #expect(await cloud.status(id) == "BUILD")

        try await cloud.report(id, .failed, error: error, from: cloud.second)
        let shown = await cloud.show(id, as: .admin)
        #expect(shown["status"] == "ERROR")
        #expect(
            shown["fault"]?["message"]?.stringValue
                == "Build of instance \(id) failed on 2 hosts. The disk is full. No other host fits: 2 hosts: "
                + "2 tried before: The disk is full.")
        #expect(shown["fault"]?["details"] == "ENOSPC /var/lib")
        #expect(try await cloud.portHost(id) != nil, "the host still has to clear up")
        #expect(try await cloud.holdsNothing(for: id) == false, "and what it has is not free")
        try await cloud.report(id, .gone, from: cloud.second)
        #expect(try await cloud.holdsNothing(for: id))
        #expect(await cloud.status(id) == "ERROR")
    }

    @Test("a build that no host answers for is tried elsewhere, then ERROR")
    func overdueBuild() async throws {
        let cloud = try await ComputeCloud()
        let id = try ComputeCloud.id(await cloud.create())
        cloud.harness.clock.advance(by: .seconds(601))
        try await cloud.expire()
        #expect(await cloud.show(id, as: .admin)["OS-EXT-SRV-ATTR:host"] == "host-b")
        cloud.harness.clock.advance(by: .seconds(601))
        try await cloud.expire()
        #expect(await cloud.status(id) == "ERROR")
    }

    @Test("deleting on a host that is down is done at once for the user; its address waits for the host")
    func deleteOnDeadHost() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        try await cloud.hosts.goDown(cloud.first)
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
        #expect(await cloud.status(id) == "none")
        #expect(try await cloud.holdsNothing(for: id) == false)
        #expect(try await cloud.entry(id)?.isWanted == false)
        try await cloud.report(id, .gone)
        #expect(try await cloud.holdsNothing(for: id))
    }

    @Test("a deletion that no host confirms ends by its deadline")
    func overdueDelete() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        _ = await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member)
        #expect(await cloud.status(id) == "ACTIVE")
        cloud.harness.clock.advance(by: .seconds(121))
        try await cloud.expire()
        #expect(await cloud.status(id) == "none")
        #expect(try await cloud.holdsNothing(for: id) == false)
    }

    @Test("a guest that powers itself off is SHUTOFF, and the plan agrees")
    func guestShutdown() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let before = try await cloud.entry(id)?.generation ?? 0
        try await cloud.report(id, .ready, power: .shutdown)
        #expect(await cloud.status(id) == "SHUTOFF")
        #expect(try await cloud.entry(id)?.generation ?? 0 > before)
        let spec = try await cloud.spec(id)
        #expect(spec?.power == .stopped)
    }

    @Test("the spec says what was asked for")
    func spec() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running([
            "metadata": ["role": "web"], "user_data": "IyEvYmluL3NoCg==", "config_drive": true
        ])
        let spec = try #require(try await cloud.spec(id))
        #expect(spec.name == "web")
        #expect(spec.hostname == "web")
        #expect(spec.memoryMiB == 128)
        #expect(spec.diskBus == "scsi")
        #expect(spec.machineType == "q35")
        #expect(spec.metadata == ["role": "web"])
        #expect(String(decoding: spec.userData, as: UTF8.self) == "#!/bin/sh\n")
        #expect(spec.hasConfigDrive)
        #expect(spec.interfaces.map(\.mtuBytes) == [1450])
        #expect(spec.number == 1)
    }

    @Test("quota refuses in the compute API's words")
    func quota() async throws {
        let cloud = try await ComputeCloud()
        let answer = await cloud.create(["min_count": 11])
        #expect(answer.status == 403)
        #expect(
            answer.json["forbidden"]?["message"]
                == "Quota exceeded for instances: Requested 11, but already used 0 of 10 instances")
        #expect(await cloud.create(["min_count": 2, "max_count": 20]).status == 202)
        let list = await cloud.harness.get("/compute/v2.1/servers", as: .member)
        #expect(list.json["servers"]?.arrayValue?.count == 10)
    }

    @Test("another project sees nothing and a reader changes nothing")
    func isolation() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        #expect(await cloud.harness.get("/compute/v2.1/servers/\(id)", as: .stranger).status == 404)
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .stranger).status == 404)
        #expect(await cloud.harness.get("/compute/v2.1/servers", as: .stranger).json == ["servers": []])
        #expect(await cloud.harness.get("/compute/v2.1/servers/\(id)", as: .reader).status == 200)
        let refused = await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .reader)
        #expect(refused.status == 403)
        #expect(
            refused.json["forbidden"]?["message"]
                == "Policy doesn't allow os_compute_api:servers:delete to be performed.")
        #expect(await cloud.create(as: .reader).status == 403)
        #expect(
            await cloud.harness.get("/compute/v2.1/servers/detail?all_tenants=1", as: .member).status == 403)
        #expect(
            await cloud.harness.get("/compute/v2.1/servers?all_tenants=1", as: .admin).json["servers"]?.arrayValue?
                .count == 1)
    }

    @Test(
        "bodies that are not right change nothing",
        arguments: [
            (["name": ""], "Invalid input for field/attribute name. Value: . '' is too short"),
            (
                ["imageRef": "x"],
                "Invalid input for field/attribute imageRef. Value: x. 'x' is not valid under any of the given schemas"
            ),
            (["flavorRef": "99"], "Flavor 99 could not be found."),
            (["imageRef": "99999999-9999-4999-8999-999999999999"], "Can not find requested image"),
            (["key_name": "nokey"], "Invalid key_name provided."),
            (["user_data": "%%"], "Invalid input for field/attribute user_data. Value: %%. '%%' is not a 'base64'"),
            (["min_count": 3, "max_count": 2], "min_count must be <= max_count"),
            (["availability_zone": "mars"], "The requested availability zone is not available"),
            (["networks": [["uuid": "no"]]], "Bad networks format: network uuid is not in proper format (no)"),
            (
                ["accessIPv4": "1.2.3"],
                "Invalid input for field/attribute accessIPv4. Value: 1.2.3. '1.2.3' is not a 'ipv4'"
            ),
            (["bogus": 1], nil)
        ] as [([String: JSON], String?)])
    func badBodies(extra: [String: JSON], message: String?) async throws {
        let cloud = try await ComputeCloud()
        let answer = await cloud.create(extra)
        #expect(answer.status == 400)
        #expect(answer.json["badRequest"]?["code"] == 400)
        if let message { #expect(answer.json["badRequest"]?["message"] == .string(message)) }
        #expect(await cloud.harness.get("/compute/v2.1/servers").json == ["servers": []])
    }
}
