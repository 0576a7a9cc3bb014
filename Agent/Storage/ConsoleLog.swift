import Glibc
import ProtocolModel

/// What a guest wrote to its serial console: `console.log`, and behind it what virtlogd rotated away, newest first, as
/// `console.log.0`, `console.log.1`, ...
enum ConsoleLog {
    static let name = "console.log"
    /// virtlogd keeps three by default; more than this are not looked for.
    private static let mostRotated = 16

    /// The last bytes of the log. Blocks.
    static func tail(in folder: String, maximumBytes: Int) throws(StatusError) -> [UInt8] {
        var parts: [[UInt8]] = []
        var wanted = max(0, maximumBytes)
        for index in -1..<mostRotated {
            let path = folder + "/" + name + (index < 0 ? "" : ".\(index)")
            guard wanted > 0, Folder.exists(path) else { break }
            let file = try OpenFile(path, O_RDONLY)
            let size = try file.size()
            let part = try file.read(at: max(0, size - Int64(wanted)), count: Int(min(size, Int64(wanted))))
            parts.append(part)
            wanted -= part.count
        }
        return Array(parts.reversed().joined())
    }
}
