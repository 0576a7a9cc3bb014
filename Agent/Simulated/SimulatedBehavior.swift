import AgentCore
import ProtocolModel

/// One call of a simulated driver, for rules about which are slow and which fail.
public struct SimulatedCall: Sendable, Hashable {
    /// What is done to a server, to the network, to a router or to a volume.
    public enum Action: String, Sendable, Hashable, CaseIterable {
        case observeDomains, define, start, requestShutdown, destroy, pause, resume, save, reset, undefine
        case copyDisk, makeSnapshot, setPassword, injectNMI, diagnose, openConsole
        case attachDevices, detachDevices, makeRescueDisk, removeRescueDisk
        case observeFiles, fetchImage, makeDisks, makeConfigDrive, readConsole, removeFiles
        case prepareNetwork, convergeNetwork
        case programRouter, removeRouter
        case observeVolumes, createVolume, extendVolume, revertVolume, snapshotVolume, copyVolume, removeVolume
        case removeSnapshot
    }

    public var action: Action
    public var server: ServerID?

    public init(_ action: Action, _ server: ServerID? = nil) {
        self.action = action
        self.server = server
    }
}

/// How a simulated host behaves: at once and without fault, unless told otherwise.
public struct SimulatedBehavior: Sendable {
    /// How long a call takes.
    public var delay: @Sendable (SimulatedCall) -> Duration
    /// Why a call fails, before it changed anything.
    public var fault: @Sendable (SimulatedCall) -> StatusError?
    /// How long guests need to go down when asked, `nil` for guests that do not listen.
    public var shutdownTakes: Duration?
    /// How long guests need to let go of a device, `nil` for guests that do not.
    public var detachTakes: Duration?
    /// Whether taps are made ahead of a pass, so that guests are started before it is done.
    public var preparesTaps: Bool
    /// Whether image bytes are really read from the source and counted; else an image is there once it is asked for.
    public var readsImages: Bool

    public init(
        delay: @escaping @Sendable (SimulatedCall) -> Duration = { _ in .zero },
        fault: @escaping @Sendable (SimulatedCall) -> StatusError? = { _ in nil },
        shutdownTakes: Duration? = .zero, detachTakes: Duration? = .zero, preparesTaps: Bool = false,
        readsImages: Bool = false
    ) {
        self.delay = delay
        self.fault = fault
        self.shutdownTakes = shutdownTakes
        self.detachTakes = detachTakes
        self.preparesTaps = preparesTaps
        self.readsImages = readsImages
    }

    func enter(_ call: SimulatedCall, clock: any Clock<Duration>) async throws(StatusError) {
        let delay = delay(call)
        if delay > .zero { try? await clock.sleep(for: delay) }
        if let error = fault(call) { throw error }
    }
}

/// What a simulated host has.
public struct SimulatedCapacity: Sendable, Equatable {
    public var vcpus: Int
    public var memoryMiB: Int
    public var diskGiB: Int

    public init(vcpus: Int = 64, memoryMiB: Int = 262_144, diskGiB: Int = 4_096) {
        self.vcpus = vcpus
        self.memoryMiB = memoryMiB
        self.diskGiB = diskGiB
    }
}
