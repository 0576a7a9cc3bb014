/// Whether data is what its image says it is, by Glance's rules (`require_image_format_match`). Pure.
package enum ImageAcceptance {
    /// Why data is not taken, for the person who sent it.
    package struct Refusal: Error, Equatable, CustomStringConvertible {
        package var description: String
    }

    /// Formats that content can be recognised as; data of any other declared format is taken as it is.
    static let inspectable: Set<String> = ["raw", "qcow2", "vhd", "vhdx", "vmdk", "vdi", "iso", "gpt", "qed", "luks"]

    /// - Parameters:
    ///   - diskFormat: What the image says.
    ///   - containerFormat: Only bare data is compared with the disk format; what is unsafe is refused in any container.
    /// - Returns: The size a guest sees, bytes; `nil` where nothing is known of it.
    package static func virtualSize(
        of finding: DiskFormatInspector.Finding, diskFormat: String, containerFormat: String, sizeBytes: Int64
    ) throws(Refusal) -> Int64? {
        if let reason = finding.refusal {
            throw Refusal(description: "Image failed safety checks: \(reason)")
        }
        guard containerFormat == "bare" else { return finding.format == diskFormat ? finding.virtualSize : nil }
        if finding.format == diskFormat { return finding.virtualSize }
        // Raw data may be anything; a guest sees exactly these bytes.
        if diskFormat == "raw" { return sizeBytes }
        if !inspectable.contains(diskFormat), ["raw", "gpt"].contains(finding.format) { return nil }
        throw Refusal(
            description: "Image disk_format \(diskFormat) does not match stream data \(finding.format)")
    }
}
