import Testing

import ProtocolTelemetry

@Suite("pages of the program")
struct ProgramPagesTests {
    @Test(
        "only what the file holds is given back",
        arguments: [
            ("text", "r-xp 00010000 fe:00 77  /usr/sbin/skerry-agent", "0 kB", true),
            ("constants", "r--p 00000000 fe:00 77  /usr/sbin/skerry-agent", "0 kB", true),
            ("a path with spaces", "r-xp 00000000 fe:00 77  /opt/a b/skerry-agent", "0 kB", true),
            ("relocated constants", "r--p 00010000 fe:00 77  /usr/sbin/skerry-agent", "12 kB", false),
            ("data", "rw-p 00010000 fe:00 77  /usr/sbin/skerry-agent", "0 kB", false),
            ("the heap", "rw-p 00000000 00:00 0  [heap]", "64 kB", false),
            ("the kernel's own page", "r-xp 00000000 00:00 0  [vdso]", "0 kB", false),
            ("nobody's memory", "r--p 00000000 00:00 0", "0 kB", false),
            ("a gap without access", "---p 00010000 fe:00 77  /usr/lib/libnl-3.so", "0 kB", false)
        ])
    func choice(name: String, mapping: String, anonymous: String, isGivenBack: Bool) {
        let text = """
            5560a000-5560c000 \(mapping)
            Size:                  8 kB
            Rss:                   8 kB
            Anonymous:     \(anonymous)
            VmFlags: rd ex mr mw me
            """
        #expect(ProgramPages.droppable(text) == (isGivenBack ? [0x5560_a000..<0x5560_c000] : []), "\(name)")
    }

    @Test("a program goes on when its own pages were given back")
    func release() { #expect(ProgramPages.release() > 0) }
}
