import ProtocolModel

/// What the header of a qcow2 file from outside says, as far as safety and size go.
///
/// Source: QEMU's `docs/interop/qcow2.txt`.
package struct Qcow2Header: Equatable {
    package enum Refusal: Error, Equatable {
        case notQcow2
        case unknownVersion(UInt32)
        /// It would make QEMU read another file of the host.
        case backingFile
        case externalDataFile
        case encrypted
        case corrupt
        case unknownFeatures(UInt64)
        case sizeOutOfRange(UInt64)
    }

    static let magic: UInt32 = 0x5146_49FB
    /// 8 EiB less one sector, the longest disk there can be; nobody has one.
    private static let largestDisk: UInt64 = 1 << 63 - 512
    private static let externalDataExtension: UInt32 = 0x4441_5441

    /// In bytes.
    package var virtualSize: Int64

    /// - Parameter head: The beginning of the file: one cluster, or as much as there is.
    package init(head: [UInt8]) throws(Refusal) {
        guard head.bigEndian(UInt32.self, at: 0) == Self.magic, let version = head.bigEndian(UInt32.self, at: 4),
            let backing = head.bigEndian(UInt64.self, at: 8), let size = head.bigEndian(UInt64.self, at: 24),
            let encryption = head.bigEndian(UInt32.self, at: 32), head.count >= 72
        else { throw .notQcow2 }
        guard version == 2 || version == 3 else { throw .unknownVersion(version) }
        guard backing == 0 else { throw .backingFile }
        guard encryption == 0 else { throw .encrypted }
        guard size <= Self.largestDisk else { throw .sizeOutOfRange(size) }
        virtualSize = Int64(size)
        if version == 3 {
            guard let features = head.bigEndian(UInt64.self, at: 72), let length = head.bigEndian(UInt32.self, at: 100)
            else { throw .notQcow2 }
            try Self.check(features: features)
            try Self.checkExtensions(in: head, from: Int(length))
        } else {
            try Self.checkExtensions(in: head, from: 72)
        }
    }

    private static func check(features: UInt64) throws(Refusal) {
        // Bits: 0 refcounts not clean (harmless to readers), 1 corrupt, 2 external data file, 3 compression type,
        // 4 extended L2 entries.
        guard features & 0b00010 == 0 else { throw .corrupt }
        guard features & 0b00100 == 0 else { throw .externalDataFile }
        guard features & ~0b11111 == 0 else { throw .unknownFeatures(features & ~0b11111) }
    }

    private static func checkExtensions(in head: [UInt8], from start: Int) throws(Refusal) {
        var offset = start
        while let kind = head.bigEndian(UInt32.self, at: offset), kind != 0,
            let length = head.bigEndian(UInt32.self, at: offset + 4)
        {
            guard kind != externalDataExtension else { throw .externalDataFile }
            offset += 8 + (Int(length) + 7) / 8 * 8
        }
    }
}

extension Qcow2Header.Refusal {
    /// For the person who chose the image.
    var reason: String {
        switch self {
        case .notQcow2: "it is not a qcow2 file"
        case .unknownVersion(let version): "its qcow2 version \(version) is unknown"
        case .backingFile: "it refers to a backing file; flatten it with 'qemu-img convert'"
        case .externalDataFile: "it refers to an external data file; flatten it with 'qemu-img convert'"
        case .encrypted: "it is encrypted"
        case .corrupt: "it is marked corrupt; repair it with 'qemu-img check -r all'"
        case .unknownFeatures(let bits): "it uses unknown qcow2 features (0x\(String(bits, radix: 16)))"
        case .sizeOutOfRange(let size): "its virtual size of \(size) bytes is too large"
        }
    }
}
