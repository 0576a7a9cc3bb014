/// One thing done to a server. Each is idempotent; the raw values are the names that statuses and operators see.
public enum ServerStep: String, Hashable, Sendable, CaseIterable {
    case fetchImage = "fetch-image"
    case createDisk = "create-disk"
    /// Makes disks larger, or makes those that a larger flavor brings.
    case resizeDisks = "resize-disks"
    case createRescueDisk = "create-rescue-disk"
    case removeRescueDisk = "remove-rescue-disk"
    case createConfigDrive = "create-config-drive"
    case define = "define-domain"
    case start = "start-domain"
    /// Everything but letting the guest run, while its network is being made; ``resume`` does that.
    case startPaused = "start-domain-paused"
    /// Asks the guest through ACPI; what comes of it is seen later.
    case requestShutdown = "request-shutdown"
    /// Pulls the plug.
    case stop = "stop-domain"
    case attachDevices = "attach-devices"
    /// Asks the guest to let go of devices; what comes of it is seen later.
    case detachDevices = "detach-devices"
    case pause = "pause-domain"
    case resume = "resume-domain"
    /// Memory to disk, then off.
    case save = "save-domain"
    case reset = "reset-domain"
    case undefine = "undefine-domain"
    case removeFiles = "remove-files"
    /// The disk as it is at one moment.
    case copyDisk = "copy-disk"
    case compressDisk = "compress-disk"
    case uploadImage = "upload-image"
    case changePassword = "change-password"
    case injectNMI = "inject-nmi"
    case diagnose = "diagnose"
    case openConsole = "open-console"
    case readConsole = "read-console"
    /// Watching a guest go down on its own.
    case awaitShutdown = "await-shutdown"

    /// Whether the hypervisor opens the server's volumes.
    var opensVolumes: Bool { self == .start || self == .startPaused || self == .attachDevices }
}
