import Foundation
import NIOCore
import ProtocolModel
import ProtocolWire

extension FuzzTarget {
    /// What agents and whoever dials the agents' port send.
    static let wire: [FuzzTarget] = [
        FuzzTarget(name: "frames", corpus: frames) { bytes in
            var decoder = FrameDecoder(bodyLimit: 1 << 16)
            var buffer = ByteBuffer(bytes: bytes)
            var count = 0
            while let frame = try decoder.decode(buffer: &buffer) {
                count += 1
                var again = ByteBuffer()
                frame.write(to: &again)
                var second = FrameDecoder(bodyLimit: 1 << 16)
                guard try second.decode(buffer: &again) == frame else { return "a frame changes when it is sent on" }
                guard count <= bytes.count else { return "more frames than bytes" }
            }
            return nil
        },
        FuzzTarget(name: "messages", corpus: frames) { bytes in
            // The kind is the input's own, so that damage reaches every message's body.
            guard bytes.count > 2 else { return nil }
            let kind = UInt16(bytes[0]) % 64
            let frame = Frame(kind: kind, stream: UInt32(bytes[1]), body: ByteBuffer(bytes: bytes.dropFirst(2)))
            _ = try WireMessage.decode(frame)
            return nil
        },
        FuzzTarget(name: "plan entries", corpus: specs) { bytes in
            let spec = try ResourceSpec(wireBytes: bytes)
            let again = try ResourceSpec(wireBytes: spec.wireBytes)
            return again == spec ? nil : "a spec changes when it is stored"
        }
    ]

    /// The recorded bytes of one message of every kind, and their bodies with the kind before them.
    private static let frames: [[UInt8]] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Unit/ProtocolWire/Golden")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.sorted { $0.path < $1.path }.flatMap { file -> [[UInt8]] in
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            let bytes = text.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
            return bytes.count < 12 ? [] : [bytes, [bytes[7], 0] + bytes[12...]]
        }
    }()

    private static let specs: [[UInt8]] = [
        .securityGroup(
            SecurityGroupSpec(
                id: SecurityGroupID(high: 1, low: 1), name: "default",
                rules: [
                    SecurityGroupRuleSpec(
                        id: SecurityGroupRuleID(high: 2, low: 2), direction: .ingress, family: .ipv4,
                        protocolNumber: 6, portRangeMin: 22, portRangeMax: 22, remote: .anywhere)
                ], members: [IPAddress(family: .ipv4, bits: 7)]))
    ].compactMap { (spec: ResourceSpec) in try? spec.wireBytes }
}
