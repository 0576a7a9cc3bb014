import TestsSupportRandomness

/// What befalls the cloud in one step.
enum Weather: Sendable, Equatable {
    case calm
    case create
    case delete
    /// Some server is asked for what fits its status; now and then for what may not.
    case act
    case createVolume
    case attach
    case detach
    case deleteVolume
    /// A guest turns itself off.
    case guestOff
    /// The agent of a host dies after some steps of its own, and comes back later.
    case agentDies(host: Int, steps: Int, seconds: Int)
    case coordinatorDies(steps: Int, seconds: Int)
    /// The cable of a host is cut after some bytes more.
    case cut(host: Int, bytes: Int, seconds: Int)
    case powerLoss(host: Int, seconds: Int)
    /// A host's agent dies and its stored plan is lost; guests and disks are not.
    case planLost(host: Int, seconds: Int)
    /// Calls to a host's drivers fail, so many of a hundred.
    case trouble(host: Int, percent: Int, seconds: Int)
    /// Calls to a host's drivers take long.
    case slow(host: Int, seconds: Int)
    /// A host's agent is replaced by one of an older release, for a while.
    case olderRelease(host: Int, seconds: Int)
    /// A slice refuses what agents say, for a while.
    case refusal(seconds: Int)

    /// What can be asked of a server, by its status.
    static let actions = [
        "ACTIVE": ["os-stop", "pause", "suspend", "reboot-soft", "reboot-hard"], "SHUTOFF": ["os-start", "reboot-hard"],
        "PAUSED": ["unpause", "reboot-hard"], "SUSPENDED": ["resume"], "ERROR": ["os-stop", "reboot-hard"]
    ]

    /// One step's weather; `isStormy` without leaves only what users do.
    static func next(hosts: Int, isStormy: Bool, chance: inout SeededGenerator) -> Weather {
        let host = chance.below(hosts)
        switch chance.below(isStormy ? 100 : 55) {
        case 0..<15: return .create
        case 15..<24: return .delete
        case 24..<33: return .act
        case 33..<35: return .guestOff
        case 35..<41: return .createVolume
        case 41..<47: return .attach
        case 47..<50: return .detach
        case 50..<52: return .deleteVolume
        case 52..<55: return .calm
        case 55..<65: return .agentDies(host: host, steps: 1 + chance.below(25), seconds: 1 + chance.below(30))
        case 65..<72: return .coordinatorDies(steps: 1 + chance.below(12), seconds: 1 + chance.below(20))
        case 72..<82: return .cut(host: host, bytes: chance.below(6_000), seconds: 1 + chance.below(60))
        case 82..<85: return .powerLoss(host: host, seconds: 1 + chance.below(60))
        case 85..<87: return .planLost(host: host, seconds: 1 + chance.below(60))
        case 87..<94: return .trouble(host: host, percent: 10 + chance.below(90), seconds: 1 + chance.below(60))
        case 94..<96: return .slow(host: host, seconds: 1 + chance.below(40))
        case 96..<99: return .olderRelease(host: host, seconds: 1 + chance.below(40))
        default: return .refusal(seconds: 1 + chance.below(20))
        }
    }
}
