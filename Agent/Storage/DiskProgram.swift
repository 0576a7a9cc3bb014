import ProtocolModel
import Subprocess

/// Runs `qemu-img` on disks that no guest has open.
enum DiskProgram {
    /// Where the program may be; it gets nothing of our own environment.
    private static let path = "/usr/local/bin:/usr/bin:/bin"

    /// - Parameter timeLimit: After which the program is ended.
    static func run(_ arguments: [String], timeLimit: Duration) async throws(StatusError) {
        let line = "qemu-img " + arguments.joined(separator: " ")
        let problem: String?
        do {
            problem = try await withThrowingTaskGroup(of: String?.self) { group in
                group.addTask { try await execute(arguments) }
                group.addTask {
                    try await Task.sleep(for: timeLimit)
                    return "no end after \(timeLimit)"
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
        } catch {
            throw failure(line, "\(error)")
        }
        if let problem { throw failure(line, problem) }
    }

    /// - Returns: What went wrong.
    private static func execute(_ arguments: [String]) async throws -> String? {
        let result = try await Subprocess.run(
            .name("qemu-img"), arguments: Arguments(arguments), environment: .custom(["PATH": path, "LC_ALL": "C"]),
            output: .discarded, error: .string(limit: 65_536))
        guard !result.terminationStatus.isSuccess else { return nil }
        return "\(result.terminationStatus): \(result.standardError.prefix(2_000))"
    }

    private static func failure(_ line: String, _ problem: String) -> StatusError {
        if problem.contains("No space left on device") {
            return StatusError(
                code: .noSpace, message: "The host's disk is full: free space there or use another host.",
                detail: "\(line): \(problem)")
        }
        return StatusError(
            code: .hostFailure,
            message: "The host could not work on the server's disk: the agent's log there says why.",
            detail: "\(line): \(problem)")
    }
}
