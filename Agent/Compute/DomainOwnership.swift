import AgentCore
import ProtocolModel
import Synchronization

/// Whether a domain is ours, as its metadata element says.
package enum DomainOwnership: Equatable, Sendable {
    case ours(digest: String)
    case foreign

    /// - Parameter metadata: The element as `virDomainGetMetadata` gives it, `nil` where the domain has none.
    package init(metadata: String?, domain: ServerID) {
        guard let metadata, Self.content(of: "server", in: metadata) == domain.text else {
            self = .foreign
            return
        }
        self = .ours(digest: Self.content(of: "digest", in: metadata) ?? "")
    }

    /// Content in the element is escaped, so that no name in it can pretend to be a tag. libvirt gives the element back
    /// without its namespace's prefix.
    private static func content(of name: String, in text: String) -> String? {
        CapabilitiesXML.element(name, in: text[...]).map { String($0.content) }
    }
}

/// What is known of domains' metadata and devices, so that looking at many domains costs one call and not one for each.
final class OwnershipCache: Sendable {
    private struct State {
        var known: [ServerID: DomainOwnership] = [:]
        var devices: [ServerID: RunDevices] = [:]
        /// Rises with each change of a definition: what was read before one must not be stored after it.
        var epoch = 0
    }

    private struct RunDevices {
        /// libvirt's number for the domain while it runs: another start, another number.
        var run: UInt32
        var devices: GuestDevices
    }

    private let state = Mutex(State())

    subscript(_ domain: ServerID) -> DomainOwnership? { state.withLock { $0.known[domain] } }
    var epoch: Int { state.withLock { $0.epoch } }

    func store(_ ownership: DomainOwnership, for domain: ServerID, readIn epoch: Int) {
        state.withLock { if $0.epoch == epoch { $0.known[domain] = ownership } }
    }

    func devices(of domain: ServerID, run: UInt32) -> GuestDevices? {
        state.withLock { state in state.devices[domain].flatMap { $0.run == run ? $0.devices : nil } }
    }

    func store(_ devices: GuestDevices, of domain: ServerID, run: UInt32, readIn epoch: Int) {
        state.withLock { if $0.epoch == epoch { $0.devices[domain] = RunDevices(run: run, devices: devices) } }
    }

    /// A device came or went.
    func invalidateDevices(of domain: ServerID) {
        state.withLock {
            $0.devices[domain] = nil
            $0.epoch += 1
        }
    }

    func invalidate(_ domain: ServerID) {
        state.withLock {
            $0.known[domain] = nil
            $0.devices[domain] = nil
            $0.epoch += 1
        }
    }

    func invalidateAll() {
        state.withLock {
            $0.known = [:]
            $0.devices = [:]
            $0.epoch += 1
        }
    }

    /// Forgets domains that are no more.
    func keep(_ present: Set<ServerID>) {
        state.withLock { state in
            state.known = state.known.filter { present.contains($0.key) }
            state.devices = state.devices.filter { present.contains($0.key) }
        }
    }
}
