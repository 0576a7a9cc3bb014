import CLibvirt
import ProtocolModel

/// What libvirt tells without being asked.
enum LibvirtEvent: Sendable {
    /// A domain's definition came, changed or went.
    case definition(ServerID)
    case state(ServerID)
    /// A device came to the domain or went from it.
    case devices(ServerID)
    case connectionLost
}

/// An open connection, closed with its last reference.
///
/// `@unchecked Sendable`: libvirt allows calls on one connection from several threads at once, the pointer never changes,
/// and whoever uses it holds a reference that keeps it open.
final class LibvirtConnection: @unchecked Sendable {
    let pointer: OpaquePointer
    private let callbacks: [Int32]

    /// - Parameter events: Called on libvirt's event thread; must not block.
    init(uri: String, events: @escaping @Sendable (LibvirtEvent) -> Void) throws(StatusError) {
        LibvirtEventLoop.start()
        guard let pointer = virConnectOpen(uri) else {
            throw StatusError(
                code: .hostFailure,
                message: "The host's hypervisor does not answer; it is tried again. Ask the operator if it stays so.",
                detail: "virConnectOpen(\(uri)): \(LibvirtFailure.last().message): is libvirtd running?")
        }
        self.pointer = pointer
        // Half a minute without an answer ends the connection, and every call waiting on it.
        virConnectSetKeepAlive(pointer, 10, 3)
        let sink = EventSink(events)
        virConnectRegisterCloseCallback(
            pointer, { _, _, opaque in EventSink.of(opaque)?.handle(.connectionLost) }, sink.retained(),
            EventSink.release)
        let lifecycle = virConnectDomainEventRegisterAny(
            pointer, nil, Int32(VIR_DOMAIN_EVENT_ID_LIFECYCLE.rawValue),
            skerryLifecycleCallback { _, domain, event, _, opaque in
                guard let domain, let id = ServerID(domain: domain) else { return 0 }
                let isDefinition =
                    event == Int32(VIR_DOMAIN_EVENT_DEFINED.rawValue)
                    || event == Int32(VIR_DOMAIN_EVENT_UNDEFINED.rawValue)
                EventSink.of(opaque)?.handle(isDefinition ? .definition(id) : .state(id))
                return 0
            }, sink.retained(), EventSink.release)
        let devices = [VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED].map { event in
            virConnectDomainEventRegisterAny(
                pointer, nil, Int32(event.rawValue),
                skerryDeviceCallback { _, domain, _, opaque in
                    guard let domain, let id = ServerID(domain: domain) else { return }
                    EventSink.of(opaque)?.handle(.devices(id))
                }, sink.retained(), EventSink.release)
        }
        callbacks = [lifecycle] + devices
    }

    deinit {
        for callback in callbacks where callback >= 0 { virConnectDomainEventDeregisterAny(pointer, callback) }
        virConnectUnregisterCloseCallback(pointer) { _, _, _ in }
        virConnectClose(pointer)
    }

    /// Local knowledge: costs no round trip.
    var isAlive: Bool { virConnectIsAlive(pointer) == 1 }
}

/// Carries a closure through a C callback's opaque pointer.
private final class EventSink: Sendable {
    let handle: @Sendable (LibvirtEvent) -> Void

    init(_ handle: @escaping @Sendable (LibvirtEvent) -> Void) { self.handle = handle }

    func retained() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    static func of(_ opaque: UnsafeMutableRawPointer?) -> EventSink? {
        opaque.map { Unmanaged<EventSink>.fromOpaque($0).takeUnretainedValue() }
    }

    static let release: @convention(c) (UnsafeMutableRawPointer?) -> Void = { opaque in
        if let opaque { Unmanaged<EventSink>.fromOpaque(opaque).release() }
    }
}

/// One domain's handle; freed at the end of its life.
struct LibvirtDomain: ~Copyable {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { virDomainFree(pointer) }
}

extension Identifier {
    /// The UUID of a domain, which for ours is the server's.
    init?(domain: OpaquePointer) {
        var bytes = [UInt8](repeating: 0, count: Int(VIR_UUID_BUFLEN))
        guard virDomainGetUUID(domain, &bytes) == 0 else { return nil }
        self.init(
            high: bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }, low: bytes[8...].reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The 16 octets of the UUID.
    var octets: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - ($0 % 8) * 8)) }
    }
}
