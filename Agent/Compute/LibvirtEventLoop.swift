import CLibvirt
import Dispatch
import Glibc

/// libvirt's own event loop, on a thread of its own: it carries domain events and keep-alives for every connection of
/// the process. It is started once, before the first connection, and runs until the process ends.
enum LibvirtEventLoop {
    static func start() { _ = started }

    private static let started: Bool = {
        // Otherwise libvirt writes each error to standard error as well.
        virSetErrorFunc(nil) { _, _ in }
        guard virInitialize() == 0, virEventRegisterDefaultImpl() == 0 else { return false }
        DispatchQueue(label: "skerry.libvirt.events").async {
            while true {
                // It fails for lack of memory only: come back instead of spinning.
                if virEventRunDefaultImpl() < 0 { poll(nil, 0, 100) }
            }
        }
        return true
    }()
}
