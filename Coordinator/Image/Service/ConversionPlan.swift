/// What an import's conversion does. Pure.
package struct ConversionPlan: Sendable, Equatable {
    /// `raw`, `qcow2`, ... as images call their formats.
    package var source: String
    package var target: String
    /// How large the disk is, bytes.
    package var virtualSize: Int64
    package var limits: ImageSettings.Conversion
    /// Why it must not be done.
    package var refusal: String?

    /// What QEMU calls the formats.
    private static let drivers = [
        "raw": "raw", "qcow2": "qcow2", "vmdk": "vmdk", "vhd": "vpc", "vhdx": "vhdx", "vdi": "vdi"
    ]
    package static let targets = ["raw", "qcow2", "vmdk", "vhd", "vhdx"]

    /// - Returns: `nil` when nothing is to be done: none is configured, it is what is wanted already, or it is no disk (an
    ///   ISO stays one, since guests boot it as such).
    package init?(_ image: Image, virtualSize: Int64?, settings: ImageSettings.Conversion) {
        guard let target = settings.outputFormat, let source = image.diskFormat, source != target,
            image.containerFormat == "bare", Self.drivers[source] != nil, Self.drivers[target] != nil
        else { return nil }
        self.source = source
        self.target = target
        self.virtualSize = virtualSize ?? 0
        limits = settings
        if self.virtualSize > settings.outputBytes {
            refusal = """
                its disk of \(self.virtualSize) bytes is larger than the \(settings.outputBytes) bytes that are converted
                """
        }
    }

    /// The arguments of `qemu-img`. Both formats are said, so nothing is guessed from content.
    package func arguments(source path: String, target output: String) -> [String] {
        let driver = Self.drivers[target] ?? target
        // Without it a VHD's size is rounded to what a geometry of 1980 can say.
        let options = target == "vhd" ? ["-o", "subformat=dynamic,force_size=on"] : []
        return ["convert", "-f", Self.drivers[source] ?? source, "-O", driver] + options + [path, output]
    }
}

/// A conversion did not succeed, for the person who asked.
package struct ConversionFailure: Error, Sendable, CustomStringConvertible {
    package var description: String
}

/// Converts disks; the part with effects.
package protocol ImageConverter: Sendable {
    /// - Parameters:
    ///   - source: A file that is only read.
    ///   - target: Where the result goes; made when missing.
    /// - Throws: ``ConversionFailure``, or ``BlobError`` where the disk is full.
    func convert(_ plan: ConversionPlan, source: String, target: String) async throws
}
