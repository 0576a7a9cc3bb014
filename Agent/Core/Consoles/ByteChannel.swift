/// One end of a connection that carries octets both ways. One task reads, one writes; any may close it.
public protocol ByteChannel: Sendable {
    /// Waits for octets.
    /// - Returns: `nil` when the other end is gone in good order.
    func read() async throws -> [UInt8]?
    /// Waits until the other end has room for them.
    func write(_ bytes: [UInt8]) async throws
    /// Ends it; whoever waits hears it. More than once does nothing.
    func close()
}

/// Carries octets between a guest and whoever looks at it, until either end is gone.
struct ConsoleRelay: Sendable {
    let guest: any ByteChannel
    let viewer: any ByteChannel
    /// What the viewer sees before anything else.
    var before: [UInt8] = []

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                if !before.isEmpty { guard (try? await viewer.write(before)) != nil else { return } }
                await Self.carry(guest, viewer)
            }
            group.addTask { await Self.carry(viewer, guest) }
            await group.next()
            guest.close()
            viewer.close()
            group.cancelAll()
        }
    }

    /// What breaks is the end of it; there is nobody to tell.
    private static func carry(_ source: any ByteChannel, _ target: any ByteChannel) async {
        while let bytes = try? await source.read() {
            guard (try? await target.write(bytes)) != nil else { return }
        }
    }
}
