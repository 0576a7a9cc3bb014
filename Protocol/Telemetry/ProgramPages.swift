import Glibc

/// Gives the pages of the program's own text and constants back that nobody uses any more.
///
/// Most of what a Swift server has resident at rest is text that only its start ran, and the kernel maps neighbours of
/// each page along. They are clean pages of a file: whoever needs one again gets it from the page cache.
public enum ProgramPages {
    /// Releases once after the start has settled, and from then on at intervals, together with what lies free in the heap,
    /// so that a burst leaves nothing behind. Returns when its task is cancelled.
    public static func keepFew(settled: Duration = .seconds(5), every interval: Duration = .seconds(60)) async {
        var pause = settled
        while (try? await Task.sleep(for: pause)) != nil {
            HeapTuning.giveBack()
            release()
            pause = interval
        }
    }

    /// - Returns: bytes of address space that were let go of. The files of `/proc` never block.
    @discardableResult
    package static func release() -> Int {
        var released = 0
        for range in droppable(ProcessMetrics.file("/proc/self/smaps")) {
            guard let start = UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { continue }
            if madvise(start, range.count, MADV_DONTNEED) == 0 { released += range.count }
        }
        return released
    }

    /// The mappings of files that hold nothing but what the file holds: not writable, and without one page of their own
    /// (relocated constants look read-only too, but would be lost).
    /// - Parameter smaps: As `/proc/PID/smaps` has it, `proc(5)`.
    package static func droppable(_ smaps: String) -> [Range<UInt>] {
        var found: [Range<UInt>] = []
        var candidate: Range<UInt>?
        for line in smaps.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            if fields.count >= 5, let range = range(fields[0]) {
                let isPlainFile = fields.count > 5 && fields[5].hasPrefix("/") && fields[4] != "0"
                candidate = isPlainFile && fields[1].hasPrefix("r") && !fields[1].contains("w") ? range : nil
            } else if fields.first == "Anonymous:", let range = candidate, fields.count > 1, fields[1] == "0" {
                found.append(range)
            }
        }
        return found
    }

    private static func range(_ text: Substring) -> Range<UInt>? {
        let ends = text.split(separator: "-")
        guard ends.count == 2, let low = UInt(ends[0], radix: 16), let high = UInt(ends[1], radix: 16), low < high
        else { return nil }
        return low..<high
    }
}
