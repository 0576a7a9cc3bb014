import AgentCore
import AgentNetlink
import Glibc
import ProtocolModel

/// What the driver remembers of a router.
struct RouterMemory {
    /// The rules as they were last seen; `nil` when they must be read.
    var rules: [FilterFamily: SavedRules]?
    /// Counts beginnings and ends of writes: what was read across one says nothing of what is there now.
    var writes = 0
    /// When the kernel's rules are to be looked at again.
    var verifyAt: Duration = .zero
    var announced: Set<RouterPlanner.Announced> = []
    /// Since the rules were written last, the connections were held against them. Of an earlier agent nobody knows.
    var areConnectionsChecked = false
    /// Of the namespace all this is about.
    var namespace: UInt?
}

/// What of a router's namespace is to be seen from inside.
struct RouterInterior: Sendable {
    var links: [Link] = []
    var addresses: [Int32: Set<InterfaceAddress>] = [:]
    var routes: Set<GatewayRoute> = []
    var isForwarding = false
}

/// Routers. What is done to links here is done on the driver's thread without awaiting in between, so it never meets a
/// pass over the networks half-way; the links carry marks of their own, which those passes leave alone.
extension HostNetworkDriver {
    private var routerRoot: String { configuration.stateDirectory + "/routers" }

    /// Notes of what is ours, and the files of what runs there. By these, not by name alone, a namespace is ours: agents
    /// of several hosts in one laboratory share the directory of names.
    func routerDirectory(_ router: RouterID) -> String { "\(routerRoot)/\(router)" }

    private func namespacePath(_ router: RouterID) -> String { NetworkNamespace.path(RouterNamespace.name(router)) }

    func advertiser(_ router: RouterID) -> DHCPProcess {
        DHCPProcess(directory: routerDirectory(router), namespace: namespacePath(router))
    }

    package func observeRouters() async throws(StatusError) -> [RouterID: RouterSighting] {
        let links = try listLinks()
        var found: [RouterID: RouterSighting] = [:]
        let notes = HostFile.names(in: routerRoot).compactMap { name in
            RouterID(name).flatMap { $0.text == name ? $0 : nil }
        }
        let marked = links.compactMap { RouterMark(alias: $0.alias)?.router }
        for id in Set(notes + marked) { found[id] = await observe(id, links) }
        return found
    }

    private func observe(_ router: RouterID, _ links: [Link]) async -> RouterSighting {
        let directory = routerDirectory(router)
        var sighting = RouterSighting(
            directory: directory,
            user: HostFile.isReachableByEverybody(configuration.stateDirectory) ? "nobody" : "root")
        let names = Dictionary(links.map { ($0.index, $0.name) }) { first, _ in first }
        sighting.outside = links.compactMap { link in
            guard let mark = RouterMark(alias: link.alias), mark.router == router else { return nil }
            return .init(
                port: mark.port, name: link.name, bridge: link.master.flatMap { names[$0] }, mtuBytes: link.mtuBytes,
                isUp: link.isUp, isIsolated: link.isIsolated)
        }
        let process = advertiser(router)
        if let text = HostFile.text(process.configurationPath) {
            let isRunning = process.running().map(process.isInside) ?? false
            sighting.advertiser = .init(configuration: text, isRunning: isRunning)
        }
        guard HostFile.identity(directory) != nil, NetworkNamespace.exists(RouterNamespace.name(router)) else {
            return sighting
        }
        // What cannot be seen of one router is taken for missing: putting it there says what is wrong, of this one alone.
        do {
            show(try lookInside(router), in: &sighting)
        } catch {
            logger.warning("router not seen whole", metadata: ["router": "\(router)", "error": "\(error)"])
        }
        do {
            sighting.rules = try await routerRules(router)
        } catch {
            // They are not taken for none: the jumps to them would be made twice.
            sighting.areRulesHidden = sighting.isPrepared
            logger.warning("router's rules not read", metadata: ["router": "\(router)", "error": "\(error)"])
        }
        sighting.announced = routers[router]?.announced ?? []
        sighting.areConnectionsChecked = routers[router]?.areConnectionsChecked ?? false
        return sighting
    }

    private func show(_ interior: RouterInterior, in sighting: inout RouterSighting) {
        let names = Dictionary(interior.links.map { ($0.index, $0.name) }) { first, _ in first }
        for link in interior.links {
            if link.name.text == "lo" {
                sighting.isPrepared = link.isUp
                continue
            }
            sighting.inside[link.name] = .init(
                mac: link.mac, mtuBytes: link.mtuBytes, isUp: link.isUp,
                addresses: (interior.addresses[link.index] ?? []).filter { !$0.address.isLinkLocal })
        }
        sighting.routes = Set(
            interior.routes.map { route in
                RouterRoute(
                    destination: route.destination, nextHop: route.nextHop,
                    interface: route.device.flatMap { names[$0] }, isOnLink: route.isOnLink)
            })
        sighting.isForwarding = interior.isForwarding
    }

    private func lookInside(_ router: RouterID) throws(NetlinkError) -> RouterInterior {
        try NamespaceThread.once(in: namespacePath(router)) { () throws(NetlinkError) in
            let socket = try NetlinkSocket()
            var interior = RouterInterior()
            interior.links = try socket.links()
            interior.addresses = try socket.addresses()
            interior.routes = try socket.gatewayRoutes()
            // A host without IPv6 has the second not at all.
            interior.isForwarding =
                KernelSetting.read("ipv4/ip_forward") == "1"
                && KernelSetting.read("ipv6/conf/all/forwarding") ?? "1" == "1"
            return interior
        }
    }

    private func routerRules(_ router: RouterID) async throws -> [FilterFamily: SavedRules] {
        let path = namespacePath(router)
        let identity = HostFile.identity(path)
        if routers[router]?.namespace != identity { routers[router] = RouterMemory(namespace: identity) }
        if let known = routers[router], let rules = known.rules, now() < known.verifyAt { return rules }
        for _ in 0..<8 {
            let writes = routers[router]?.writes
            var rules: [FilterFamily: SavedRules] = [:]
            for family in [FilterFamily.ipv4, .ipv6] {
                rules[family] = SavedRules(parsing: try await Command(namespace: path).run(family.saveCommand))
            }
            // The actor does other things while the program runs, writing these rules among them.
            guard routers[router]?.writes == writes else { continue }
            routers[router]?.rules = rules
            routers[router]?.verifyAt = now() + configuration.verifyRulesEvery
            return rules
        }
        throw StatusError.host("read the router's rules", "\(router): they were written all the while")
    }

    // MARK: Acting

    package func program(_ router: RouterSpec) async throws(StatusError) {
        var seen = await observe(router.id, try listLinks())
        if !seen.isPrepared {
            try prepareNamespace(router.id)
            seen = await observe(router.id, try listLinks())
            // Nothing is changed blindly: what could not be seen may well be there.
            guard seen.isPrepared else { throw .host("look into the router's namespace", "\(router.id)") }
        }
        guard !seen.areRulesHidden else { throw .host("read the router's rules", "\(router.id)") }
        let actions = RouterPlanner.plan(router, seen)
        // A route that the kernel refuses is no reason to forward nothing at all.
        var refusal: StatusError?
        for action in actions {
            do throws(StatusError) { try await perform(action, router) } catch {
                guard action.isRoute else { throw error }
                refusal = refusal ?? error
            }
        }
        let told = actions.compactMap { action in
            if case .announce(let announced) = action { announced } else { nil }
        }
        if !told.isEmpty { tellAgain(told, router.id) }
        logger.info("router changed", metadata: ["router": "\(router.id)", "actions": "\(actions.count)"])
        if let refusal { throw refusal }
    }

    /// Frames get lost, those through a link that has just come up above all: what was told is told twice more.
    private func tellAgain(_ told: [RouterPlanner.Announced], _ router: RouterID) {
        Task {
            for _ in 0..<2 {
                try? await Task.sleep(for: .seconds(1))
                guard let valid = routers[router]?.announced, let socket = try? openSocket() else { return }
                let applier = RouterApplier(router: router, socket: socket, namespace: namespacePath(router))
                for announced in told where valid.contains(announced) { try? applier.apply(.announce(announced)) }
            }
        }
    }

    private func listLinks() throws(StatusError) -> [Link] {
        let socket = try openSocket()
        do throws(NetlinkError) { return try socket.links() } catch {
            throw StatusError(error, while: "list its network interfaces")
        }
    }

    private func prepareNamespace(_ router: RouterID) throws(StatusError) {
        let name = RouterNamespace.name(router)
        do {
            // Before the namespace: a crash in between leaves a note, not a namespace.
            try HostFile.makeDirectory(routerDirectory(router))
            try NetworkNamespace.create(name)
            // Also of one with the same name before it, whose number the kernel may have given to this one.
            routers[router] = RouterMemory(namespace: HostFile.identity(NetworkNamespace.path(name)))
            try NamespaceThread.once(in: NetworkNamespace.path(name)) { () throws(NetlinkError) in
                for (setting, value) in RouterNamespace.settings where KernelSetting.read(setting) != nil {
                    try KernelSetting.write(setting, value)
                }
                // Last, as the sign that the settings are there.
                let socket = try NetlinkSocket()
                for link in try socket.links() where link.name.text == "lo" {
                    try socket.change(link.index, named: link.name, .init(isUp: true))
                }
            }
        } catch {
            throw .host("make the router's namespace", "\(name): \(error)")
        }
    }

    private func perform(_ action: RouterPlanner.Action, _ router: RouterSpec) async throws(StatusError) {
        let path = namespacePath(router.id)
        do {
            switch action {
            case .prepare: try prepareNamespace(router.id)
            case .restore(let family, let script):
                // What is there now is read again.
                routers[router.id, default: RouterMemory(namespace: HostFile.identity(path))].rules = nil
                routers[router.id]?.writes += 1
                routers[router.id]?.areConnectionsChecked = false
                defer { routers[router.id]?.writes += 1 }
                try await Command(namespace: path).run(family.restoreCommand, family.restoreArguments, input: script)
            case .advertise(let configuration): try await advertise(router.id, configuration)
            case .cutConnections: cutConnections(router)
            default:
                try RouterApplier(
                    router: router.id, socket: try openSocket(), namespace: path
                ).apply(action)
                note(action, router.id)
            }
        } catch let error as StatusError {
            throw error
        } catch let error as NetlinkError {
            throw StatusError(error, while: "set up the router")
        } catch {
            throw .host("set up the router", "\(error)")
        }
    }

    /// Keeps track of what links were told.
    private func note(_ action: RouterPlanner.Action, _ router: RouterID) {
        switch action {
        case .announce(let announced): routers[router]?.announced.insert(announced)
        case .addAddress(let interface, let address):
            let told = routers[router]?.announced ?? []
            routers[router]?.announced = told.filter {
                $0.interface != interface || $0.address != address.address
            }
        default: break
        }
    }

    private func cutConnections(_ router: RouterSpec) {
        do throws(NetlinkError) {
            let count = try NamespaceThread.once(in: namespacePath(router.id)) { () throws(NetlinkError) in
                try ConnectionTable.cut(where: router.hasOutlived)
            }
            if count > 0 {
                logger.info("connections ended", metadata: ["router": "\(router.id)", "count": "\(count)"])
            }
            routers[router.id]?.areConnectionsChecked = true
        } catch {
            // A kernel without the table is not asked again and again.
            routers[router.id]?.areConnectionsChecked = true
            // The rules alone decide on new connections: those that were there end by themselves at the latest.
            logger.warning("connections not ended", metadata: ["router": "\(router.id)", "error": "\(error)"])
        }
    }

    private func advertise(_ router: RouterID, _ configuration: String?) async throws {
        let process = advertiser(router)
        guard await stopDHCP(process) else { throw HostFile.Failure("stop the advertiser of", process.directory) }
        for name in ["leases", "conf"] { HostFile.remove("\(process.directory)/\(name)") }
        guard let configuration else { return }
        try HostFile.write(process.configurationPath, configuration)
        try await Command(namespace: process.namespace).run("dnsmasq", [process.configurationArgument])
    }

    /// Takes all of the router away, the note that it is ours last.
    package func removeRouter(_ router: RouterID) async throws(StatusError) {
        guard await stopDHCP(advertiser(router)) else {
            throw .host("stop the router's advertisements", "\(routerDirectory(router)): still running")
        }
        let socket = try openSocket()
        do throws(NetlinkError) {
            for link in try socket.links() where RouterMark(alias: link.alias)?.router == router {
                try socket.deleteLink(link.index, named: link.name)
            }
            if HostFile.identity(routerDirectory(router)) != nil {
                try NetworkNamespace.delete(RouterNamespace.name(router))
            }
        } catch {
            throw StatusError(error, while: "remove the router")
        }
        HostFile.removeDirectory(routerDirectory(router))
        routers[router] = nil
        logger.info("router removed", metadata: ["router": "\(router)"])
    }
}
