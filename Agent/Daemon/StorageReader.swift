import ProtocolSettings

extension Configuration {
    /// A place for volumes.
    package struct Pool: Sendable, Equatable {
        package enum Backend: String, Sendable {
            case file
        }

        package var backend = Backend.file
        package var path = ""
        package var reservedGiB = 1
        package var overcommitPercent = 2_000
    }

    /// The pools by their names; one in the state directory where none is configured.
    package var pools: [String: Pool] {
        configuredPools ?? ["local": Pool(path: stateDirectory + "/volumes")]
    }
}

extension SettingsReader {
    mutating func readStorage(_ node: Node, into configuration: inout Configuration) {
        for (name, value) in members(node, of: "'storage'") {
            switch name {
            case "pools": readPools(value, into: &configuration)
            default: unknown(name, value, known: "pools")
            }
        }
    }

    private mutating func readPools(_ node: Node, into configuration: inout Configuration) {
        var pools: [String: Configuration.Pool] = [:]
        let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
        for (name, value) in members(node, of: "storage.pools") {
            guard (1...63).contains(name.utf8.count), name.allSatisfy(letters.contains) else {
                wrong(value, "storage.pools.\(name)", "called by 1 to 63 letters, digits, '-', '_' and '.'")
                continue
            }
            pools[name] = readPool(value, "storage.pools.\(name)")
        }
        for (name, pool) in pools where pools.contains(where: { $0.key < name && $0.value.path == pool.path }) {
            wrong(node, "storage.pools.\(name).path", "another one than another pool's")
        }
        configuration.configuredPools = pools
    }

    private mutating func readPool(_ node: Node, _ prefix: String) -> Configuration.Pool {
        var pool = Configuration.Pool()
        for (name, value) in members(node, of: prefix) {
            switch name {
            case "backend":
                parsed(value, "\(prefix).backend", "file") { Configuration.Pool.Backend(rawValue: $0) }
                    .map { pool.backend = $0 }
            case "path": path(value, "\(prefix).path").map { pool.path = $0 }
            case "reserved_gib":
                number(value, "\(prefix).reserved_gib", "a number of GiB", 0...16_777_216).map {
                    pool.reservedGiB = Int($0)
                }
            case "overcommit_percent":
                number(value, "\(prefix).overcommit_percent", "a number of hundredths", 100...100_000).map {
                    pool.overcommitPercent = Int($0)
                }
            default: unknown(name, value, known: "backend, path, reserved_gib, overcommit_percent")
            }
        }
        if pool.path.isEmpty { wrong(node, "\(prefix).path", "said: an absolute path") }
        return pool
    }
}
