import CoordinatorPlatform
import Testing

/// Whoever names a thing must be allowed to name it: each route with a name in it, each name in turn, as another project.
@Suite("two tenants")
struct TwoTenantTests {
    @Test("another project's things are named in vain, and stay as they are", arguments: TwoTenantTable.all.indices)
    func table(_ index: Int) async throws {
        let (service, lines) = TwoTenantTable.all[index]
        let scene = try await TwoTenantScene()
        let before = await scene.snapshot()
        for line in lines where line.thing != "-" {
            #expect(!line.expected.isEmpty, "\(line) expects nothing")
            for (name, status) in line.expected {
                guard let value = scene.name(line, name) else {
                    Issue.record("\(line): there is no \(name.rawValue) \(line.thing)")
                    continue
                }
                let answer = await scene.send(line, naming: value)
                #expect(
                    answer.status == status,
                    "\(line) \(name.rawValue): \(answer.status) \(String(answer.json.text.prefix(200)))")
                // A list that was asked for another's things has none of them.
                guard line.isQuery, name == .foreign else { continue }
                let text = answer.json.text
                for (kind, thing) in scene.things
                where kind.count > 4 && thing.foreign.count > 30 && thing.foreign != value {
                    #expect(!text.contains(thing.foreign), "\(line) tells of another's \(kind)")
                }
            }
            let after = await scene.snapshot()
            for (name, json) in before where after[name] != json {
                Issue.record("\(service): \(line) changed \(name): \(json.text) -> \(after[name]?.text ?? "")")
            }
        }
    }

    @Test("every route with a name in its path has its line")
    func paths() async throws {
        let cloud = try await PolicyCloud()
        let known = Set(TwoTenantTable.all.flatMap(\.lines).filter(\.isPath).map(\.description))
        for service in cloud.services {
            for route in service.routes {
                guard case .authenticated = route.access, route.method != .head else { continue }
                let path = service.prefix + route.path
                guard !TwoTenantTable.closed.contains(where: path.hasPrefix) else { continue }
                let parts = TwoTenantTable.parts["\(service.prefix)/"] ?? []
                for part in route.path.split(separator: "/") where part.hasPrefix("{") && !parts.contains(String(part))
                {
                    let line = "\(route.method.rawValue) \(service.prefix)\(route.path) \(part)"
                    let isKnown = known.contains(line)
                    #expect(isKnown, "\(line) has no line in the two-tenant table")
                }
            }
        }
    }

    @Test(
        "where everything is closed to members of projects, nothing they name is there",
        arguments: TwoTenantTable.closed)
    func closed(prefix: String) async throws {
        let scene = try await TwoTenantScene()
        let before = await scene.snapshot()
        var count = 0
        for service in scene.cloud.services {
            for route in service.routes where "\(service.prefix)\(route.path)".hasPrefix(prefix) {
                guard case .authenticated = route.access, route.path.contains("{") else { continue }
                let path = service.prefix + route.path
                for name in ["default", TestCaller.project.compact, scene.things["device"]?.foreign ?? "", "x"] {
                    let text = "\(route.method.rawValue) \(path) {every} text"
                    guard let line = TwoTenantLine(text[...]) else { continue }
                    let answer = await scene.send(line, naming: name)
                    let isRefused = [400, 401, 403, 404, 405, 415].contains(answer.status)
                    #expect(isRefused, "\(line) \(name): \(answer.status) \(answer.json.text.prefix(200))")
                    count += 1
                }
            }
        }
        #expect(count > 0)
        let after = await scene.snapshot()
        #expect(before == after)
    }

    @Test("every line is a route's, and says why where it asks nothing")
    func lines() async throws {
        let cloud = try await PolicyCloud()
        let routes = Set(
            cloud.services.flatMap { service in
                service.routes.map { "\($0.method.rawValue) \(service.prefix)\($0.path)" }
            })
        for line in TwoTenantTable.all.flatMap(\.lines) {
            #expect(routes.contains(line.route), "\(line): there is no such route")
            if line.thing == "-" { #expect(line.reason.count >= 10, "\(line) needs a reason") }
        }
    }

    @Test("every member of a body that names something has its line", arguments: TwoTenantTable.all.indices)
    func members(_ index: Int) async throws {
        let (_, lines) = TwoTenantTable.all[index]
        let scene = try await TwoTenantScene()
        let routes = Set(lines.map(\.route))
        for route in routes.sorted() {
            let own = lines.filter { $0.route == route }
            let named = Set(own.filter { !$0.isPath }.flatMap { $0.place.split(separator: ".").map(String.init) })
            let trace = BodyTrace()
            for line in own {
                let name = scene.things[line.thing]?.own ?? "x"
                await BodyTrace.$current.withValue(trace) { _ = await scene.send(line, naming: name) }
            }
            for member in trace.members.sorted() where TwoTenantTable.isNaming(member) {
                #expect(named.contains(member), "\(route) takes '\(member)', which has no line in the two-tenant table")
            }
        }
    }
}
