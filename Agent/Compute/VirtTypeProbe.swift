import Glibc

/// Decides whether this host can run guests on its processor.
public enum VirtTypeProbe {
    /// What the configuration asks for.
    public enum Setting: String, Sendable {
        case automatic = "auto"
        case kvm, qemu
    }

    public struct Verdict: Equatable, Sendable {
        public var virtType: HypervisorSettings.VirtType
        /// What the operator should know; `nil` when nothing is amiss.
        public var warning: String?
    }

    /// Pure part of ``probe(_:)``.
    /// - Parameter kvmError: Why `/dev/kvm` could not be opened, `nil` when it could.
    /// - Parameter cpuInfo: The text of `/proc/cpuinfo`.
    public static func decide(_ setting: Setting, kvmError: String?, cpuInfo: String) -> Verdict {
        // A guest of a host that hides vmx and svm can have a /dev/kvm on which ordinary guests hang.
        let flags = cpuInfo.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
        let hasExtensions = flags.split(separator: " ").contains { $0 == "vmx" || $0 == "svm" }
        let obstacle: String? =
            if let kvmError {
                "/dev/kvm cannot be opened (\(kvmError))"
            } else if !hasExtensions {
                "the processor shows neither vmx nor svm"
            } else {
                nil
            }
        switch (setting, obstacle) {
        case (.qemu, _): return Verdict(virtType: .qemu, warning: nil)
        case (_, nil): return Verdict(virtType: .kvm, warning: nil)
        case (.kvm, let obstacle?):
            return Verdict(
                virtType: .kvm, warning: "KVM is set, but \(obstacle): guests may not start. Set the type to 'auto'.")
        case (.automatic, let obstacle?):
            return Verdict(
                virtType: .qemu,
                warning: "No KVM: \(obstacle). Guests run under QEMU's own emulation, which is tens of times slower: "
                    + "enable virtualization in the firmware, or nested virtualization if this is a virtual machine.")
        }
    }

    /// Opens `/dev/kvm` and reads `/proc/cpuinfo`.
    public static func probe(_ setting: Setting) -> Verdict {
        let descriptor = open("/dev/kvm", O_RDWR | O_CLOEXEC)
        let kvmError = descriptor < 0 ? String(cString: strerror(errno)) : nil
        if descriptor >= 0 { close(descriptor) }
        return decide(setting, kvmError: kvmError, cpuInfo: firstBytes(of: "/proc/cpuinfo"))
    }

    /// Enough for the first processor's entry.
    private static func firstBytes(of path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = read(descriptor, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
