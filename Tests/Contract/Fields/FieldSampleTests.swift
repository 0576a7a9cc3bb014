import CoordinatorPlatform
import ProtocolModel
import Testing

/// Requests with members that no other test sends: what the table says is shown is held at each of them.
@Suite("fields that no other test sends")
struct FieldSampleTests {
    @Test("networks, by their administrator")
    func networks() async throws {
        let scene = try await TwoTenantScene()
        let harness = scene.cloud.harness
        let project = JSON(TestCaller.project.compact)
        let base = "/network/v2.0"
        func own(_ thing: String) -> String { scene.things[thing]?.foreign ?? "" }
        func post(_ path: String, _ body: JSON) async { #expect(await harness.post(base + path, body).status == 201) }
        func put(_ path: String, _ body: JSON) async { #expect(await harness.put(base + path, body).status == 200) }
        let whose: [String: JSON] = ["project_id": project, "tenant_id": project]
        func with(_ more: [String: JSON]) -> JSON { .object(whose.merging(more) { $1 }) }
        await post(
            "/networks",
            ["network": with(["admin_state_up": false, "is_default": false, "port_security_enabled": false])])
        await post(
            "/ports",
            [
                "port": with([
                    "network_id": JSON(own("network")), "admin_state_up": false, "port_security_enabled": true,
                    "allowed_address_pairs": [["ip_address": "10.9.9.9", "mac_address": "52:54:00:00:00:09"]],
                    "binding:profile": [:], "binding:vnic_type": "normal"
                ])
            ])
        await post("/routers", ["router": with(["admin_state_up": false, "description": "d"])])
        await post("/security-groups", ["security_group": with(["name": "g2"])])
        await post(
            "/security-group-rules",
            [
                "security_group_rule": with([
                    "security_group_id": JSON(own("security_group")), "direction": "ingress", "ethertype": "IPv6",
                    "protocol": "tcp", "port_range_min": 9, "port_range_max": 9
                ])
            ])
        await post(
            "/subnets",
            [
                "subnet": with([
                    "network_id": JSON(own("network")), "cidr": "10.77.0.0/24", "ip_version": 4
                ])
            ])
        await post("/floatingips", ["floatingip": with(["floating_network_id": JSON(scene.outside)])])
        let outside: JSON = ["network": ["router:external": true, "is_default": true, "name": "o"]]
        let made = await harness.post("\(base)/networks", outside)
        #expect(made.status == 201 && made.json["network"]?["is_default"] == true)
        await put(
            "/networks/\(own("network"))",
            ["network": ["admin_state_up": false, "description": "d", "is_default": false, "shared": false]])
        await put(
            "/ports/\(own("port"))",
            [
                "port": [
                    "admin_state_up": false, "description": "d", "mac_address": "52:54:00:00:00:77",
                    "allowed_address_pairs": [["ip_address": "10.9.9.9", "mac_address": "52:54:00:00:00:09"]]
                ]
            ])
        await put(
            "/subnets/\(own("subnet"))",
            [
                "subnet": [
                    "description": "d", "enable_dhcp": false,
                    "host_routes": [["destination": "198.51.100.0/24", "nexthop": "10.11.0.9"]]
                ]
            ])
        await put(
            "/quotas/\(TestCaller.project.compact)",
            [
                "quota": with([
                    "floatingip": 40, "port": 60, "security_group": 12, "security_group_rule": 90, "subnet": 33
                ])
            ])
        let ownProject = TestCaller.project.compact
        #expect(await harness.put("\(base)/quotas/\(ownProject)", ["quota": ["network": 0]]).status == 400)
        await put("/quotas/\(ownProject)", ["quota": ["network": 0, "force": true]])
        let foreign: JSON = ["quota": ["project_id": JSON(TestCaller.otherProject.compact), "port": 7]]
        #expect(await harness.put("\(base)/quotas/\(TestCaller.project.compact)", foreign).status == 400)
    }

    @Test("a server shows what it was made with, and what it was changed to")
    func server() async throws {
        let scene = try await TwoTenantScene()
        let harness = scene.cloud.harness
        let path = "/compute/v2.1/servers"
        let wanted: [String: JSON] = [
            "name": "s", "description": "what it is for", "metadata": ["role": "web"], "tags": ["blue"],
            "OS-DCF:diskConfig": "AUTO", "accessIPv4": "192.0.2.7", "accessIPv6": "2001:db8::7",
            "config_drive": true, "key_name": "key of member", "hostname": "host-7"
        ]
        var body = wanted
        body["flavorRef"] = JSON(scene.things["flavor"]?.seen)
        body["imageRef"] = JSON(scene.things["image"]?.seen)
        body["networks"] = "none"
        let made = await harness.post(path, ["server": .object(body)], as: .member, TwoTenantScene.versions)
        #expect(made.status == 202)
        let id = made.json["server"]?["id"]?.stringValue ?? ""
        let shown = await harness.get("\(path)/\(id)", as: .admin, TwoTenantScene.versions).json["server"]
        let names = ["hostname": "OS-EXT-SRV-ATTR:hostname"]
        for (name, value) in wanted {
            #expect(
                FieldValues.isShown(value, as: names[name] ?? name, in: shown ?? .null), "\(name): \(shown?.text ?? "")"
            )
        }
        let changed: JSON = [
            "server": ["OS-DCF:diskConfig": "MANUAL", "accessIPv4": "192.0.2.8", "accessIPv6": "2001:db8::8"]
        ]
        #expect(await harness.put("\(path)/\(id)", changed, as: .member, TwoTenantScene.versions).status == 200)
    }

    @Test("flavors, keypairs and quotas of compute, by their administrator")
    func compute() async throws {
        let scene = try await TwoTenantScene()
        let harness = scene.cloud.harness
        let flavor: JSON = [
            "flavor": [
                "name": "f", "ram": 64, "vcpus": 1, "disk": 1, "OS-FLV-EXT-DATA:ephemeral": 2, "swap": 512,
                "rxtx_factor": 1.5, "description": "d"
            ]
        ]
        #expect(await harness.post("/compute/v2.1/flavors", flavor, as: .admin, TwoTenantScene.versions).status == 200)
        let path = "/compute/v2.1/os-quota-sets/\(TestCaller.project.compact)"
        let names = [
            "fixed_ips", "floating_ips", "injected_file_content_bytes", "injected_file_path_bytes", "injected_files",
            "key_pairs", "metadata_items", "ram", "security_group_rules", "security_groups", "server_group_members",
            "server_groups"
        ]
        let limits = Dictionary(uniqueKeysWithValues: names.map { ($0, JSON.int(40_000)) })
        #expect(await harness.put(path, ["quota_set": .object(limits)]).status == 200)
        #expect(await harness.put(path, ["quota_set": ["ram": 1]]).status == 400)
        #expect(await harness.put(path, ["quota_set": ["ram": 1, "force": true]]).status == 200)
        #expect(await harness.put(path, ["quota_set": ["ram": 40_000]]).status == 200)
        // There are no quotas of users: one must not become the whole project's.
        let body: JSON = ["quota_set": ["ram": 1]]
        #expect(await harness.put(path + "?user_id=\(UserID.random().compact)", body).status == 400)
        #expect(await harness.delete(path + "?user_id=\(UserID.random().compact)").status == 400)
        #expect(await harness.get(path).json["quota_set"]?["ram"] == 40_000)
    }

    @Test("a join token is for so many hosts; what it does not know is refused")
    func tokens() async throws {
        let cloud = try await PolicyCloud()
        let made = await cloud.harness.post("/skerry/v1/tokens", ["uses": 2, "lifetime_seconds": 60])
        #expect(made.status == 201 && made.json["uses"] == 2)
        #expect(await cloud.harness.post("/skerry/v1/tokens", ["lifetime": 60]).status == 400)
    }

    @Test("images, by a member")
    func images() async throws {
        let cloud = try await ImageMetadataCloud()
        let body: JSON = [
            "architecture": "x86_64", "instance_uuid": JSON(ServerID.random().text), "os_version": "13",
            "kernel_id": JSON(ImageID.random().text), "owner": JSON(TestCaller.project.compact)
        ]
        #expect(await cloud.harness.post("/image/v2/images", body, as: .member).status == 201)
    }

    @Test("people and the catalog, by their administrator")
    func identity() async throws {
        let cloud = try await IdentityCloud()
        let token = await cloud.adminToken()
        func send(_ method: String, _ path: String, _ kind: String, _ members: [String: JSON]) async -> String {
            let body: JSON = [kind: .object(members)]
            let answer = await cloud.harness.send(
                .init(method) ?? .post, "/identity/v3/\(path)", bytes: body.serialize(), token: token)
            #expect((200...201).contains(answer.status), "\(path): \(answer.json.text)")
            return answer.json[kind]?["id"]?.stringValue ?? ""
        }
        func make(_ path: String, _ kind: String, _ members: [String: JSON]) async -> String {
            await send("POST", path, kind, members)
        }
        func change(_ path: String, _ kind: String, _ members: [String: JSON]) async {
            _ = await send("PATCH", path, kind, members)
        }
        let domain = await make(
            "domains", "domain", ["name": "d", "description": "x", "enabled": true, "tags": ["t"]])
        await change("domains/\(domain)", "domain", ["name": "d2", "tags": ["u"]])
        let project = await make("projects", "project", ["name": "p", "domain_id": JSON(domain), "enabled": true])
        await change("projects/\(project)", "project", ["name": "p2", "tags": ["t"], "domain_id": JSON(domain)])
        let user = await make("users", "user", ["name": "u", "domain_id": JSON(domain), "enabled": true])
        await change("users/\(user)", "user", ["default_project_id": JSON(project), "domain_id": JSON(domain)])
        _ = await make("groups", "group", ["name": "g", "domain_id": JSON(domain), "description": "x"])
        _ = await make("roles", "role", ["name": "r", "description": "x"])
        let region = await make("regions", "region", ["id": "one", "description": "x"])
        await change("regions/\(region)", "region", ["description": "y", "id": "one"])
        _ = await send("PUT", "regions/two", "region", ["id": "two", "parent_region_id": "one"])
        let service = await make("services", "service", ["type": "t", "name": "n", "enabled": true])
        let endpoint = await make(
            "endpoints", "endpoint",
            [
                "service_id": JSON(service), "interface": "public", "url": "https://cloud.test/a", "enabled": true,
                "description": "x", "name": "n", "region_id": "one"
            ])
        await change(
            "endpoints/\(endpoint)", "endpoint",
            [
                "url": "https://cloud.test/b", "interface": "internal", "region_id": "two", "enabled": false,
                "service_id": JSON(service), "description": "y"
            ])
    }
}
