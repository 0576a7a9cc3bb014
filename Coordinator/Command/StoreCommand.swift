import ArgumentParser
import Glibc

/// The database's commands are the coordinator's, which has the engines: this one becomes that program.
struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Works on the database of a stopped coordinator: 'skerry store copy FROM TO'.")

    @Argument(parsing: .captureForPassthrough, help: "What 'skerry-coordinator store' takes.")
    var arguments: [String] = []

    func run() throws {
        let program = Self.program()
        let words = [program, "store"] + (arguments.isEmpty ? ["--help"] : arguments)
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        pointers.append(nil)
        execvp(program, pointers)
        throw ValidationError("'\(program)' cannot be run: \(String(cString: strerror(errno)))")
    }

    /// The coordinator's program beside this one, or else the one on the PATH.
    private static func program() -> String {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink("/proc/self/exe", &bytes, bytes.count - 1)
        let path = String(decoding: bytes.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let folder = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
        let beside = "\(folder)/skerry-coordinator"
        return access(beside, X_OK) == 0 ? beside : "skerry-coordinator"
    }
}
