import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("image: lists")
struct ImageListTests {
    /// Five images of one project, a second apart, and what they are called here.
    private static func five() async throws -> (cloud: ImageMetadataCloud, ids: [String: String]) {
        let cloud = try await ImageMetadataCloud()
        var ids: [String: String] = [:]
        let bodies: [(String, [String: JSON])] = [
            ("alpha", ["tags": ["x", "y"], "min_disk": 1, "os_distro": "debian"]),
            ("beta", ["tags": ["x"], "disk_format": "qcow2", "os_distro": "fedora"]),
            ("gamma", ["protected": true, "os_distro": "debian", "arch": "arm"]),
            ("with, comma", ["min_ram": 64, "container_format": .null, "disk_format": .null]),
            ("hidden", ["os_hidden": true])
        ]
        for (name, extra) in bodies {
            cloud.harness.clock.advance(by: .seconds(1))
            ids[name] = await cloud.image(extra.merging(["name": .string(name)]) { _, new in new })
        }
        _ = await cloud.upload(ids["alpha"] ?? "", [UInt8](repeating: 7, count: 2_000))
        return (cloud, ids)
    }

    static let filters: [(String, [String])] = [
        ("", ["with, comma", "gamma", "beta", "alpha"]), ("?os_hidden=true", ["hidden"]),
        ("?os_hidden=TRUE", ["hidden"]), ("?name=beta", ["beta"]), ("?name=in:alpha,gamma", ["gamma", "alpha"]),
        ("?name=in:%22with,%20comma%22,beta", ["with, comma", "beta"]), ("?name=eq:beta", ["beta"]),
        ("?status=active", ["alpha"]), ("?status=in:queued,active", ["with, comma", "gamma", "beta", "alpha"]),
        ("?disk_format=qcow2", ["beta"]), ("?container_format=bare", ["gamma", "beta", "alpha"]),
        ("?tag=x", ["beta", "alpha"]), ("?tag=x&tag=y", ["alpha"]), ("?tag=z", []), ("?protected=true", ["gamma"]),
        ("?protected=false", ["with, comma", "beta", "alpha"]), ("?os_distro=debian", ["gamma", "alpha"]),
        ("?os_distro=debian&arch=arm", ["gamma"]), ("?os_distro=none", []), ("?size=2000", ["alpha"]),
        ("?size_min=1", ["alpha"]), ("?size_min=2001", []), ("?size_max=2000&size_min=2000", ["alpha"]),
        ("?min_disk=1", ["alpha"]), ("?min_ram_min=64", ["with, comma"]), ("?size=big", []),
        ("?owner=\(ImageMetadataCloud.projectID)", ["with, comma", "gamma", "beta", "alpha"]),
        ("?owner=\(ImageMetadataCloud.strangerID)", []), ("?owner=nobody", []), ("?visibility=private", []),
        ("?visibility=shared", ["with, comma", "gamma", "beta", "alpha"]), ("?checksum=0", []),
        ("?os_hash_value=0", []), ("?os_hash_algo=sha512", ["alpha"]),
        ("?created_at=2026-01-01T00:00:02Z", ["beta"]),
        ("?created_at=gt:2026-01-01T00:00:02Z", ["with, comma", "gamma"]),
        ("?created_at=gte:2026-01-01T00:00:03Z", ["with, comma", "gamma"]),
        ("?created_at=lt:2026-01-01T00:00:02Z", ["alpha"]),
        ("?created_at=lte:2026-01-01T00:00:02Z", ["beta", "alpha"]),
        ("?created_at=neq:2026-01-01T00:00:02Z", ["with, comma", "gamma", "alpha"]),
        ("?updated_at=gte:2026-01-01T00:00:05Z", ["alpha"]), ("?limit=2", ["with, comma", "gamma"]), ("?limit=0", []),
        ("?sort=name:asc", ["alpha", "beta", "gamma", "with, comma"]),
        ("?sort_key=name", ["with, comma", "gamma", "beta", "alpha"]),
        ("?sort_key=name&sort_dir=asc", ["alpha", "beta", "gamma", "with, comma"]),
        ("?sort_dir=asc", ["alpha", "beta", "gamma", "with, comma"]),
        ("?sort=disk_format:asc,name:desc", ["with, comma", "beta", "gamma", "alpha"]),
        ("?sort_key=disk_format&sort_dir=desc&sort_key=name&sort_dir=asc", ["alpha", "gamma", "beta", "with, comma"]),
        ("?sort=size,name:asc", ["alpha", "beta", "gamma", "with, comma"]),
        ("?sort=status:asc,created_at:asc", ["alpha", "beta", "gamma", "with, comma"])
    ]

    @Test("filters and orders", arguments: filters)
    func filter(query: String, expected: [String]) async throws {
        let (cloud, ids) = try await Self.five()
        let answer = await cloud.harness.get("/image/v2/images\(query)", as: .reader)
        #expect(answer.status == 200, "\(answer.json.text)")
        let names = answer.json["images"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
        #expect(names == expected)
        #expect(answer.json["schema"] == "/v2/schemas/images")
        // By id, alone and among others.
        let beta = ids["beta"] ?? ""
        #expect(await cloud.list("?id=\(beta)") == [beta])
        #expect(await cloud.list("?id=in:\(beta),x") == [beta])
    }

    static let refusals: [(String, String)] = [
        ("?limit=x", "limit param must be an integer"), ("?limit=-1", "limit param must be positive"),
        ("?sort=nothing", "Invalid sort key: nothing. It must be one of the following: name, status,"),
        ("?sort_key=owner", "Invalid sort key: owner."), ("?sort=name:up", "Invalid sort direction: up"),
        ("?sort_dir=up", "Invalid sort direction: up"),
        ("?sort=name&sort_key=size", "Old and new sorting syntax cannot be combined"),
        ("?sort_key=name&sort_dir=asc&sort_dir=desc", "Number of sort dirs does not match the number of sort keys"),
        ("?visibility=x", "Invalid visibility value: x"), ("?member_status=x", "Invalid status: x"),
        ("?os_hidden=x", "Invalid value 'x' for 'os_hidden' filter. Valid values are 'true' or 'false'."),
        ("?protected=True", "Invalid value 'True' for 'protected' filter."),
        ("?size_min=x", "Unable to filter on a range with a non-numeric value."),
        ("?created_at=yesterday", "Bad \"created_at\" query filter format. Use ISO 8601 DateTime notation."),
        ("?created_at=at:2026-01-01T00:00:00Z", "Unable to filter on a unknown operator."),
        ("?name=like:x", "Unable to filter by unknown operator 'like'."),
        ("?name=in:%22open", "The quote is not closed."), ("?name=in:a%22b%22", "There is no comma before opening"),
        ("?name=in:%22a%22b", "There is no comma after closing"), ("?changes-since=x", "no longer available on v2"),
        ("?" + (0...64).map { "a\($0)=b" }.joined(separator: "&"), "A list takes at most 64 filters."),
        ("?marker=x", "No image found with ID x"),
        ("?marker=00000000-1111-2222-3333-444455556666", "No image found with ID 00000000")
    ]

    @Test("lists that cannot be made are refused", arguments: refusals)
    func refused(query: String, message: String) async throws {
        let cloud = try await ImageMetadataCloud()
        let answer = await cloud.harness.get("/image/v2/images\(query)", as: .member)
        #expect(answer.status == 400)
        #expect(answer.json["message"]?.stringValue?.contains(message) == true, "\(answer.json.text)")
    }

    @Test(
        "pages follow each other without gap or repetition in every order",
        arguments: [
            "", "sort=name:asc&", "sort=name:desc,size:asc&", "sort_key=status&", "sort=id:asc&",
            "sort=updated_at:asc&",
            "sort=container_format:asc,disk_format:desc,created_at:asc&", "sort=size:asc&"
        ])
    func pages(sort: String) async throws {
        let cloud = try await ImageMetadataCloud()
        for number in 0..<23 {
            if number % 3 == 0 { cloud.harness.clock.advance(by: .seconds(1)) }
            let id = await cloud.image(
                [
                    "name": number % 4 == 0 ? .null : .string("n\(number % 3)"),
                    "visibility": number % 5 == 0 ? "public" : "shared",
                    "disk_format": number % 2 == 0 ? "raw" : .null
                ], as: number % 5 == 0 ? .admin : number % 7 == 0 ? .stranger : .member)
            if number % 6 == 0 { _ = await cloud.upload(id, [UInt8](repeating: 1, count: number + 1), as: .admin) }
            if number % 7 == 0, number % 5 != 0 {
                _ = await cloud.harness.post(
                    "/image/v2/images/\(id)/members", ["member": .string(ImageMetadataCloud.projectID)], as: .stranger)
            }
        }
        let whole = await cloud.list("?\(sort)limit=1000&member_status=all")
        #expect(whole.count == 23)
        var paged: [String] = []
        var path: String? = "/v2/images?\(sort)limit=4&member_status=all"
        while let next = path, paged.count < 100 {
            let answer = await cloud.harness.get("/image\(next)", as: .member).json
            #expect(
                answer["first"]
                    == .string(
                        "/v2/images?\(sort)limit=4&member_status=all"
                            .replacing(":", with: "%3A").replacing(",", with: "%2C")))
            paged += answer["images"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            path = answer["next"]?.stringValue
        }
        #expect(paged == whole)
    }

    @Test("without limit a page has 25, and never more than 1000")
    func limits() async throws {
        let cloud = try await ImageMetadataCloud()
        for _ in 0..<26 { _ = await cloud.image() }
        let answer = await cloud.harness.get("/image/v2/images", as: .member).json
        #expect(answer["images"]?.arrayValue?.count == 25)
        let last = answer["images"]?.arrayValue?.last?["id"]?.stringValue ?? ""
        #expect(answer["first"] == "/v2/images" && answer["next"] == .string("/v2/images?marker=\(last)"))
        #expect(await cloud.list("?limit=100000").count == 26)
    }

    /// Who sees which images by default, and which by asking for them.
    static let visibilities: [(query: String, as: TestCaller, expected: Set<String>)] = [
        ("", .member, ["public", "community", "shared", "private"]), ("", .stranger, ["public"]),
        ("", .admin, ["public", "community", "shared", "private", "stranger"]),
        ("?visibility=all", .stranger, ["public", "community", "stranger community", "stranger"]),
        ("?visibility=community", .member, ["community", "stranger community"]),
        ("?visibility=public", .stranger, ["public"]), ("?visibility=private", .stranger, ["stranger"]),
        ("?visibility=private", .admin, ["private", "stranger"]), ("?visibility=shared", .stranger, []),
        ("?visibility=shared", .reader, ["shared"]),
        ("?visibility=all", .admin, ["public", "community", "shared", "private", "stranger community", "stranger"])
    ]

    @Test("who sees what", arguments: visibilities)
    func visibility(query: String, caller: TestCaller, expected: Set<String>) async throws {
        let cloud = try await ImageMetadataCloud()
        _ = await cloud.create(["name": "public", "visibility": "public"], as: .admin)
        for visibility in ["community", "shared", "private"] {
            _ = await cloud.create(["name": .string(visibility), "visibility": .string(visibility)])
        }
        _ = await cloud.create(["name": "stranger community", "visibility": "community"], as: .stranger)
        _ = await cloud.create(["name": "stranger", "visibility": "private"], as: .stranger)
        var expected = expected
        if caller == .stranger, query.isEmpty { expected.formUnion(["stranger", "stranger community"]) }
        let images = await cloud.harness.get("/image/v2/images\(query)", as: caller).json["images"]?.arrayValue ?? []
        #expect(Set(images.compactMap { $0["name"]?.stringValue }) == expected)
        #expect(images.count == expected.count)
    }
}
