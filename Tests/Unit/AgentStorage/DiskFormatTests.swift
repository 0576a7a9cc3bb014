import AgentCore
import AgentStorage
import FoundationEssentials
import ProtocolModel
import Testing

@Suite("disk formats, as qemu-img and isoinfo see them")
struct DiskFormatTests {
    @Test(
        "an empty qcow2 disk is sound",
        arguments: [1, 512, 1 << 29, (1 << 29) + 1, 20 << 30, 4 << 40, 100 << 40] as [Int64])
    func emptyDisk(size: Int64) async throws {
        let fixture = try StorageFixture()
        try fixture.write(try #require(Qcow2Disk.bytes(virtualSize: size, backing: nil)), "disk.qcow2")
        let check = try await StorageFixture.run("qemu-img", "check", "-f", "qcow2", fixture.path("disk.qcow2"))
        #expect(check.succeeded && check.output.contains("No errors were found"), "\(check.output)")
        let info = try await StorageFixture.run("qemu-img", "info", "--output=json", fixture.path("disk.qcow2"))
        #expect(info.output.contains("\"virtual-size\": \((size + 511) / 512 * 512),"), "\(info.output)")
    }

    @Test("an overlay names its backing file and format, shows its content and takes writes")
    func overlay() async throws {
        let fixture = try StorageFixture()
        try fixture.write([UInt8](repeating: 0x5A, count: 1 << 20), "base.raw")
        let backing = Qcow2Disk.Backing(path: fixture.path("base.raw"), format: "raw")
        let bytes = try #require(Qcow2Disk.bytes(virtualSize: 2 << 20, backing: backing))
        #expect(Qcow2Disk.backingPath(head: Array(bytes.prefix(4096))) == backing.path)
        try fixture.write(bytes, "disk.qcow2")
        let disk = fixture.path("disk.qcow2")
        let info = try await StorageFixture.run("qemu-img", "info", "--output=json", disk)
        #expect(info.output.contains("\"backing-filename-format\": \"raw\""))
        #expect(info.output.contains("\"full-backing-filename\": \"\(backing.path)\""))
        let io = try await StorageFixture.run(
            "qemu-io", "-f", "qcow2", "-c", "read -P 0x5A 0 1M", "-c", "read -P 0 1M 1M", "-c", "write -P 7 64k 64k",
            "-c", "read -P 7 64k 64k", "-c", "read -P 0x5A 0 64k", disk)
        #expect(io.succeeded && !io.output.contains("Pattern verification failed"), "\(io.output)")
        #expect(try await StorageFixture.run("qemu-img", "check", disk).output.contains("No errors were found"))
        #expect(try fixture.bytes(backing.path).allSatisfy { $0 == 0x5A })
    }

    @Test("sizes and names beyond the format are refused")
    func refusedDisks() {
        #expect(Qcow2Disk.bytes(virtualSize: 0, backing: nil) == nil)
        #expect(Qcow2Disk.bytes(virtualSize: -1, backing: nil) == nil)
        #expect(Qcow2Disk.bytes(virtualSize: 1 << 61, backing: nil) == nil)
        let name = String(repeating: "a", count: 1024)
        #expect(Qcow2Disk.bytes(virtualSize: 1, backing: .init(path: name, format: "raw")) == nil)
    }

    @Test("a qcow2 header is read, and what would open other files is refused")
    func inspection() async throws {
        let fixture = try StorageFixture()
        func head(_ options: String...) async throws -> [UInt8] {
            var arguments = ["create", "-q", "-f", "qcow2"] + options
            arguments += [fixture.path("x.qcow2"), "64M"]
            let result = try await StorageFixture.run("sh", "-c", "qemu-img \(arguments.joined(separator: " "))")
            #expect(result.succeeded, "\(result.output)")
            return Array(try fixture.bytes(fixture.path("x.qcow2")).prefix(65_536))
        }
        func refusal(_ bytes: [UInt8]) -> Qcow2Header.Refusal? {
            do throws(Qcow2Header.Refusal) {
                _ = try Qcow2Header(head: bytes)
                return nil
            } catch {
                return error
            }
        }
        try fixture.write([0], "base.raw")
        #expect(try Qcow2Header(head: await head()).virtualSize == 64 << 20)
        #expect(try Qcow2Header(head: await head("-o", "compat=0.10")).virtualSize == 64 << 20)
        #expect(try Qcow2Header(head: await head("-o", "extended_l2=on,compression_type=zstd")).virtualSize == 64 << 20)
        #expect(refusal(try await head("-b", fixture.path("base.raw"), "-F", "raw")) == .backingFile)
        #expect(refusal(try await head("-o", "data_file=\(fixture.path("data.raw"))")) == .externalDataFile)
        #expect(refusal([]) == .notQcow2)
        #expect(refusal(Array("QFI".utf8)) == .notQcow2)
        var future = try await head()
        future[79] = 0x40
        #expect(refusal(future) == .unknownFeatures(0x40))
        // However the bytes are damaged, the answer is a header or a refusal.
        let sound = try await head()
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var damaged = Array(sound.prefix(Int.random(in: 0...200, using: &generator)))
            for _ in 0..<4 where !damaged.isEmpty {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            _ = refusal(damaged)
        }
    }

    static let content = ConfigDriveContent(
        files: [
            .init(path: "ec2/latest/user-data", bytes: []),
            .init(path: "openstack/2020-10-14/meta_data.json", bytes: Array("{\"a\": 1}".utf8)),
            .init(path: "openstack/latest/meta_data.json", bytes: Array("{\"name\": \"é\"}".utf8)),
            .init(path: "openstack/latest/user_data", bytes: [UInt8](repeating: 0xA5, count: 65_535)),
            .init(path: "openstack/latest/vendor_data.json", bytes: Array("{}".utf8)),
            .init(path: "openstack/latest/vendor_data2.json", bytes: Array("{ }".utf8)),
            .init(path: "top.txt", bytes: [1])
        ] + (0..<60).map { .init(path: "many/file-number-\($0).json", bytes: [UInt8($0)]) })

    @Test(
        "a config drive has its label, date, names and bytes under Rock Ridge and Joliet alike", arguments: ["-R", "-J"]
    )
    func configDrive(extensions: String) async throws {
        let fixture = try StorageFixture()
        let iso = try #require(
            ISOImage.bytes(Self.content, label: "config-2", secondsSinceEpoch: 1_709_210_096))  // 2024-02-29 12:34:56
        try fixture.write(iso, "c.iso")
        let volume = try await StorageFixture.run("isoinfo", "-d", "-i", fixture.path("c.iso"))
        #expect(volume.output.contains("Volume id: config-2"), "\(volume.output)")
        let list = try await StorageFixture.run("isoinfo", "-l", extensions, "-i", fixture.path("c.iso"))
        #expect(list.succeeded && list.output.contains("Feb 29 2024"), "\(list.output)")
        for file in Self.content.files {
            let name = "/" + file.path + (extensions == "-J" ? ";1" : "")
            let out = fixture.path("out")
            let command = "isoinfo \(extensions) -i \(fixture.path("c.iso")) -x '\(name)' > \(out)"
            let read = try await StorageFixture.run("sh", "-c", command)
            #expect(read.succeeded, "\(read.output)")
            #expect(try fixture.bytes(out) == file.bytes, "\(name)")
        }
        let descriptor = Array(iso[Int(ISOImage.descriptorOffset)...].prefix(2048))
        #expect(ISOImage.digest(inDescriptor: descriptor) == Self.content.digest)
        #expect(ISOImage.digest(inDescriptor: [UInt8](repeating: 0, count: 2048)) == nil)
    }

    @Test("names that cannot be on a disk are refused")
    func refusedNames() {
        func image(_ paths: String...) -> [UInt8]? {
            let files = paths.map { ConfigDriveContent.File(path: $0, bytes: []) }
            return ISOImage.bytes(ConfigDriveContent(files: files), label: "x", secondsSinceEpoch: 0)
        }
        #expect(image() != nil)
        #expect(image(String(repeating: "n", count: 64)) != nil)
        #expect(image(String(repeating: "n", count: 65)) == nil)
        #expect(image("a", "a/b") == nil)
        #expect(image("a", "a") == nil)
        #expect(image("") == nil)
    }

    @Test("a swap area is one to the kernel's eyes")
    func swapArea() async throws {
        let fixture = try StorageFixture()
        let uuid = (0..<16).map { UInt8($0) }
        let header = SwapArea.header(sizeBytes: 1 << 20, uuid: uuid)
        try fixture.write(header + [UInt8](repeating: 0, count: (1 << 20) - header.count), "swap")
        let blkid = try await StorageFixture.run("blkid", "-p", "-o", "export", fixture.path("swap"))
        #expect(blkid.output.contains("TYPE=swap") && blkid.output.contains("UUID=00010203"), "\(blkid.output)")
    }
}
