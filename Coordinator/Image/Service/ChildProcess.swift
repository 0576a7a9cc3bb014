import Glibc
import Synchronization

/// Set once, from anywhere.
final class StopSignal: Sendable {
    private let flag = Atomic<Bool>(false)
    func set() { flag.store(true, ordering: .releasing) }
    var isSet: Bool { flag.load(ordering: .acquiring) }
}

/// One program, from its start to its end, on the calling thread. The thread stays with it on purpose: the kernel sends
/// the death signal that the child asks for when the thread that started it ends.
enum ChildProcess {
    enum End: Sendable, Equatable {
        /// The code, and what was said on standard error (at most 4 KiB).
        case exited(Int32, String)
        case killed(Int32)
        case tookTooLong
    }

    /// - Parameter stop: Kills the program when set.
    /// - Throws: ``BlobError`` when it cannot be started.
    static func run(_ command: [String], seconds: Int64, stop: StopSignal) throws -> End {
        // A pair of sockets, since these are never inherited by another child that starts at the same moment.
        var pipe: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try BlobError.check(socketpair(AF_UNIX, type, 0, &pipe) == 0, "pipe", command[0])
        defer { close(pipe[0]) }
        let process: pid_t
        do {
            defer { close(pipe[1]) }
            process = try spawn(command, errors: pipe[1])
        }
        _ = fcntl(pipe[0], F_SETFL, O_NONBLOCK)
        var said: [UInt8] = []
        let start = ContinuousClock.now
        while true {
            drain(pipe[0], into: &said)
            var status: Int32 = 0
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process {
                drain(pipe[0], into: &said)
                return end(status, said)
            }
            if ended < 0, errno != EINTR { throw BlobError(operation: "wait", path: command[0], code: errno) }
            if stop.isSet || start.duration(to: .now) > .seconds(seconds) {
                // With it goes everything inside its process namespace.
                kill(process, SIGKILL)
                while waitpid(process, &status, 0) < 0, errno == EINTR {}
                return .tookTooLong
            }
            var waiting = pollfd(fd: pipe[0], events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, 20)
            // A closed pipe is readable at once, again and again.
            if waiting.revents & Int16(POLLHUP) != 0 { pause(milliseconds: 20) }
        }
    }

    private static func end(_ status: Int32, _ said: [UInt8]) -> End {
        let signal = status & 0x7F
        return signal == 0
            ? .exited(status >> 8 & 0xFF, String(decoding: said, as: UTF8.self)) : .killed(signal)
    }

    private static func spawn(_ command: [String], errors: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        try closeOthers(&actions)
        let arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        let variables: [String] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
        let environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { (arguments + environment).forEach { free($0) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, command[0], &actions, nil, arguments, environment)
        guard code == 0 else { throw BlobError(operation: "start", path: command[0], code: code) }
        return process
    }

    /// Nothing that the coordinator has open goes along: its listening sockets are not closed by an `exec` of their own
    /// accord. The call is younger (glibc 2.34) than what Swift's overlay shows of the C library.
    private static func closeOthers(_ actions: inout posix_spawn_file_actions_t) throws {
        typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
            throw BlobError(operation: "close descriptors", path: "glibc", code: ENOSYS)
        }
        let closeFrom = unsafeBitCast(symbol, to: CloseFrom.self)
        let code = closeFrom(&actions, 3)
        guard code == 0 else { throw BlobError(operation: "close descriptors", path: "glibc", code: code) }
    }

    /// What is beyond the first 4 KiB is read and forgotten, so that the program never waits for its reader.
    private static func drain(_ descriptor: Int32, into said: inout [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return }
            if said.count < 4096 { said += buffer[..<count] }
        }
    }

    private static func pause(milliseconds: Int32) { poll(nil, 0, milliseconds) }
}
