import ProtocolModel

extension VolumeSpec: MessageConvertible {
    init(_ message: PBVolumeSpec) throws(WireError) {
        let source: Source =
            switch message.source {
            case .image(let image)?: .image(try ImageSpec(image))
            case .snapshot(let snapshot)?:
                .snapshot(
                    try VolumeSnapshotID(octets: snapshot.id, field: "volume.source.snapshot"),
                    of: try VolumeID(octets: snapshot.volume, field: "volume.source.snapshot.volume"))
            case .volume(let volume)?: .volume(try VolumeID(octets: volume, field: "volume.source.volume"))
            case nil: .empty
            }
        self.init(
            id: try VolumeID(octets: message.id, field: "volume.id"),
            project: try ProjectID(octets: message.project, field: "volume.project"), pool: message.pool,
            sizeGiB: try natural(message.sizeGib, field: "volume.size_gib"), source: source,
            reversion: message.hasReversion ? try Reversion(message.reversion) : nil,
            exportedTo: try message.exportedTo.converted { node throws(WireError) in
                try NodeID(octets: node, field: "volume.exported_to")
            })
    }

    var wire: PBVolumeSpec {
        .with {
            $0.id = .init(id.octets)
            $0.project = .init(project.octets)
            $0.pool = pool
            $0.sizeGib = Int64(sizeGiB)
            switch source {
            case .empty: break
            case .image(let image): $0.image = image.wire
            case .snapshot(let snapshot, let volume):
                $0.snapshot = .with {
                    $0.id = .init(snapshot.octets)
                    $0.volume = .init(volume.octets)
                }
            case .volume(let volume): $0.volume = .init(volume.octets)
            }
            if let reversion { $0.reversion = reversion.wire }
            $0.exportedTo = exportedTo.map { .init($0.octets) }
        }
    }
}

extension VolumeSpec.Reversion: MessageConvertible {
    init(_ message: PBVolumeSpec.Reversion) throws(WireError) {
        self.init(
            version: try natural(message.version, field: "volume.reversion.version"),
            snapshot: try VolumeSnapshotID(octets: message.snapshot, field: "volume.reversion.snapshot"))
    }

    var wire: PBVolumeSpec.Reversion {
        .with {
            $0.version = Int64(version)
            $0.snapshot = .init(snapshot.octets)
        }
    }
}

extension VolumeSnapshotSpec: MessageConvertible {
    init(_ message: PBVolumeSnapshotSpec) throws(WireError) {
        self.init(
            id: try VolumeSnapshotID(octets: message.id, field: "volume_snapshot.id"),
            volume: try VolumeID(octets: message.volume, field: "volume_snapshot.volume"),
            project: try ProjectID(octets: message.project, field: "volume_snapshot.project"), pool: message.pool)
    }

    var wire: PBVolumeSnapshotSpec {
        .with {
            $0.id = .init(id.octets)
            $0.volume = .init(volume.octets)
            $0.project = .init(project.octets)
            $0.pool = pool
        }
    }
}

extension StoragePool: MessageConvertible {
    init(_ message: PBStoragePool) throws(WireError) {
        self.init(
            name: message.name, backend: message.backend,
            totalGiB: try natural(message.totalGib, field: "pool.total_gib"),
            freeGiB: try natural(message.freeGib, field: "pool.free_gib"),
            provisionedGiB: try natural(message.provisionedGib, field: "pool.provisioned_gib"),
            problem: message.problem)
    }

    var wire: PBStoragePool {
        .with {
            $0.name = name
            $0.backend = backend
            $0.totalGib = Int64(totalGiB)
            $0.freeGib = Int64(freeGiB)
            $0.provisionedGib = Int64(provisionedGiB)
            $0.problem = problem
        }
    }
}

extension ServerSpec.Volume: MessageConvertible {
    init(_ message: PBServerSpec.Volume) throws(WireError) {
        self.init(
            id: try VolumeID(octets: message.id, field: "server.volumes.id"), place: try Self.place(message.place),
            device: message.device, bus: message.bus,
            bootIndex: message.hasBootIndex
                ? try checked(message.bootIndex, 0...255, field: "server.volumes.boot_index") : nil,
            isReadOnly: message.isReadOnly, isShared: message.isShared,
            limits: try Self.limits(message.limits))
    }

    private static func place(_ message: PBServerSpec.Volume.OneOf_Place?) throws(WireError) -> Place {
        switch message {
        case .pool(let name)?: return .pool(name)
        case .remote(let remote)?:
            let field = "server.volumes.remote"
            return .remote(
                try NodeID(octets: remote.node, field: "\(field).node"),
                address: try IPAddress(wire: remote.address, field: "\(field).address"),
                port: try checked(remote.port, 1...65_535, field: "\(field).port"))
        case nil: throw .invalid("server.volumes.place: empty or of an unknown kind")
        }
    }

    private static func limits(_ limits: [PBServerSpec.Limit]) throws(WireError) -> [String: Int] {
        var out = [String: Int](minimumCapacity: limits.count)
        for limit in limits {
            let value = try natural(limit.value, field: "server.volumes.limits")
            guard out.updateValue(value, forKey: limit.name) == nil else {
                throw .invalid("server.volumes.limits: \(limit.name) occurs twice")
            }
        }
        return out
    }

    var wire: PBServerSpec.Volume {
        .with {
            $0.id = .init(id.octets)
            switch place {
            case .pool(let name): $0.pool = name
            case .remote(let node, let address, let port):
                $0.remote = .with {
                    $0.node = .init(node.octets)
                    $0.address = .init(address.octets)
                    $0.port = clamped(port)
                }
            }
            $0.device = device
            $0.bus = bus
            if let bootIndex { $0.bootIndex = clamped(bootIndex) }
            $0.isReadOnly = isReadOnly
            $0.isShared = isShared
            $0.limits = limits.sorted { $0.key < $1.key }.map { limit in
                .with {
                    $0.name = limit.key
                    $0.value = Int64(limit.value)
                }
            }
        }
    }
}

extension ServerSpec.Rescue: MessageConvertible {
    init(_ message: PBServerSpec.Rescue) throws(WireError) {
        self.init(
            version: try natural(message.version, field: "server.rescue.version"),
            image: try ImageSpec(message.image), adminPassword: message.adminPassword)
    }

    var wire: PBServerSpec.Rescue {
        .with {
            $0.version = Int64(version)
            $0.image = image.wire
            $0.adminPassword = adminPassword
        }
    }
}
