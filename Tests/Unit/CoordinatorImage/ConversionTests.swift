import CoordinatorImage
import Glibc
import ProtocolModel
import Testing

@Suite("conversion")
struct ConversionTests {
    static func image(_ format: String, container: String = "bare") -> Image {
        var image = Image(id: .random(), owner: nil, at: 0)
        image.diskFormat = format
        image.containerFormat = container
        return image
    }

    static func settings(_ target: String?, limit: Int64 = 1 << 30) -> ImageSettings.Conversion {
        var settings = ImageSettings.Conversion()
        settings.outputFormat = target
        settings.outputBytes = limit
        settings.seconds = 60
        return settings
    }

    @Test("what is converted, and how QEMU is asked")
    func plan() {
        func plan(_ source: String, _ target: String?, container: String = "bare", size: Int64 = 1) -> ConversionPlan? {
            ConversionPlan(
                Self.image(source, container: container), virtualSize: size, settings: Self.settings(target))
        }
        #expect(plan("qcow2", nil) == nil)
        #expect(plan("raw", "raw") == nil)
        #expect(plan("iso", "raw") == nil)
        #expect(plan("ami", "raw") == nil)
        #expect(plan("qcow2", "raw", container: "ovf") == nil)
        #expect(plan("qcow2", "raw")?.refusal == nil)
        #expect(plan("qcow2", "raw", size: 2 << 30)?.refusal?.contains("larger") == true)
        #expect(
            plan("vhd", "qcow2")?.arguments(source: "i", target: "o")
                == ["convert", "-f", "vpc", "-O", "qcow2", "i", "o"])
        #expect(
            plan("raw", "vhd")?.arguments(source: "i", target: "o")
                == ["convert", "-f", "raw", "-O", "vpc", "-o", "subformat=dynamic,force_size=on", "i", "o"])
    }

    /// Whether this machine lets us make the box: it takes root or user namespaces, and `qemu-img`.
    static let canConfine: Bool = {
        guard access("/usr/bin/qemu-img", X_OK) == 0 else { return false }
        let fixture = Fixture()
        guard let plan = ConversionPlan(image("raw"), virtualSize: 512, settings: settings("qcow2")) else {
            return false
        }
        fixture.write("in", [UInt8](repeating: 0, count: 512))
        let command = ConfinedConverter(root: fixture.path("box")).command(
            plan, source: fixture.path("in"), target: fixture.path("out"))
        mkdir(fixture.path("box"), 0o700)
        fixture.write("out", [])
        chmod(fixture.path("out"), 0o666)
        return fixture.run(command) == 0
    }()

    /// A folder of its own.
    final class Fixture: Sendable {
        let folder = "/tmp/skerry-convert-\(ImageID.random().short)"
        init() { mkdir(folder, 0o755) }
        deinit {
            for name in ["in", "out", "trace", "plain", "secret"] { unlink(path(name)) }
            rmdir(path("box"))
            rmdir(folder)
        }
        func path(_ name: String) -> String { folder + "/" + name }
        func write(_ name: String, _ bytes: [UInt8]) {
            let descriptor = open(path(name), O_CREAT | O_TRUNC | O_WRONLY, 0o644)
            Glibc.write(descriptor, bytes, bytes.count)
            close(descriptor)
        }
        func read(_ name: String) -> [UInt8] {
            let descriptor = open(path(name), O_RDONLY)
            guard descriptor >= 0 else { return [] }
            defer { close(descriptor) }
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                guard count > 0 else { return bytes }
                bytes += buffer[..<count]
            }
        }
        @discardableResult
        func run(_ command: [String]) -> Int32 {
            var process: pid_t = 0
            let arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
            defer { arguments.forEach { free($0) } }
            let variables: [String] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
            let environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
            defer { environment.forEach { free($0) } }
            guard posix_spawn(&process, command[0], nil, nil, arguments, environment) == 0 else { return -1 }
            var status: Int32 = 0
            waitpid(process, &status, 0)
            return status
        }
    }

    static let disk = [UInt8]((0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })

    @Test(
        "there and back through every format", .enabled(if: canConfine, "takes qemu-img and root or user namespaces"),
        arguments: ["qcow2", "vmdk", "vhd", "vhdx"])
    func roundTrip(format: String) async throws {
        let fixture = Fixture()
        fixture.write("in", Self.disk)
        let converter = ConfinedConverter(root: fixture.path("box"))
        let size = Int64(Self.disk.count)
        let there = try #require(
            ConversionPlan(Self.image("raw"), virtualSize: size, settings: Self.settings(format)))
        try await converter.convert(there, source: fixture.path("in"), target: fixture.path("out"))
        let made = fixture.read("out")
        let finding = try DiskFormatInspector.inspect(sizeBytes: Int64(made.count)) { offset, count in
            Array(made.dropFirst(Int(offset)).prefix(count))
        }
        #expect(finding == .init(format: format, virtualSize: size))
        let back = try #require(
            ConversionPlan(Self.image(format), virtualSize: size, settings: Self.settings("raw")))
        try await converter.convert(back, source: fixture.path("out"), target: fixture.path("plain"))
        #expect(fixture.read("plain") == Self.disk)
    }

    @Test(
        "what is no such disk, and what grows beyond the limits, ends with a reason",
        .enabled(if: canConfine, "takes qemu-img and root or user namespaces"))
    func failures() async throws {
        let fixture = Fixture()
        fixture.write("in", Self.disk)
        let converter = ConfinedConverter(root: fixture.path("box"))
        let wrong = try #require(ConversionPlan(Self.image("qcow2"), virtualSize: 1, settings: Self.settings("raw")))
        var error = await #expect(throws: ConversionFailure.self) {
            try await converter.convert(wrong, source: fixture.path("in"), target: fixture.path("out"))
        }
        #expect(error?.description.contains("qcow2") == true, "\(error?.description ?? "")")
        let large = try #require(
            ConversionPlan(Self.image("raw"), virtualSize: 1, settings: Self.settings("qcow2", limit: 1 << 20)))
        error = await #expect(throws: ConversionFailure.self) {
            try await converter.convert(large, source: fixture.path("in"), target: fixture.path("out"))
        }
        #expect(error?.description.contains("larger") == true, "\(error?.description ?? "")")
        var short = Self.settings("qcow2")
        short.seconds = 0
        let slow = try #require(ConversionPlan(Self.image("raw"), virtualSize: 1, settings: short))
        error = await #expect(throws: ConversionFailure.self) {
            try await converter.convert(slow, source: fixture.path("in"), target: fixture.path("out"))
        }
        #expect(error?.description.contains("took more") == true, "\(error?.description ?? "")")
    }

    @Test(
        "the converter opens its input, its output and the system's libraries, and nothing that an image names",
        .enabled(
            if: canConfine && access("/usr/bin/strace", X_OK) == 0,
            "takes qemu-img, strace and root or user namespaces"))
    func opensNothingElse() async throws {
        let fixture = Fixture()
        fixture.write("secret", Array("secret".utf8))
        // Behind the inspection's back: images that name the secret, straight into the box.
        let backing = fixture.path("secret")
        fixture.run([
            "/usr/bin/qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", backing, "-F", "raw", fixture.path("in"),
            "1M"
        ])
        let descriptor = Array("# Disk DescriptorFile\nversion=1\nRW 1 FLAT \"\(backing)\" 0\n".utf8)
        for (format, bytes) in [("qcow2", fixture.read("in")), ("vmdk", descriptor)] {
            fixture.write("in", bytes)
            fixture.write("out", [])
            chmod(fixture.path("in"), 0o444)
            chmod(fixture.path("out"), 0o666)
            mkdir(fixture.path("box"), 0o700)
            let plan = try #require(ConversionPlan(Self.image(format), virtualSize: 1, settings: Self.settings("raw")))
            let command = ConfinedConverter(root: fixture.path("box")).command(
                plan, source: fixture.path("in"), target: fixture.path("out"))
            let calls = "trace=open,openat,openat2,creat,connect,execve"
            fixture.run(["/usr/bin/strace", "-f", "-qq", "-e", calls, "-o", fixture.path("trace")] + command)
            let trace = String(decoding: fixture.read("trace"), as: UTF8.self).split(separator: "\n")
            let start = try #require(trace.firstIndex { $0.contains("execve(\"/usr/bin/qemu-img\"") })
            let succeeded = trace[trace.index(after: start)...].filter { !$0.contains(" = -1 ") && $0.contains("(") }
            for line in succeeded where line.contains("open") || line.contains("connect") {
                let isOurs = ["\"/in/disk\"", "\"/out/disk\"", "\"/dev/null\""].contains { line.contains($0) }
                let isSystem = ["\"/lib", "\"/usr/lib", "\"/usr/share"].contains { line.contains($0) }
                #expect(isOurs || isSystem, "\(format): \(line)")
            }
            #expect(succeeded.contains { $0.contains("\"/in/disk\"") }, "the trace shows nothing")
            #expect(!fixture.read("out").starts(with: Array("secret".utf8)))
        }
    }
}
