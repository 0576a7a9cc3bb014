import AgentCore
import ProtocolModel

/// The disks in a domain's definition, as libvirt writes it down: where each volume is, which is known by its serial
/// number. Pure.
package struct VolumeDisks: Equatable {
    package struct Disk: Equatable {
        /// libvirt's name for it in the domain, `vdb`.
        package var target: String
        package var volume: VolumeID?
        /// Where the guest's writes go.
        package var path: String
        /// Files that are open for it: its own and those below.
        package var layers = 1
    }

    package var disks: [Disk] = []

    package init(domain xml: String) {
        for element in CapabilitiesXML.elements("disk", in: xml[...]) {
            let source = CapabilitiesXML.element("source", in: element.content)
            let file = CapabilitiesXML.attribute("file", of: source)
            let path = file.isEmpty ? CapabilitiesXML.attribute("dev", of: source) : file
            let target = CapabilitiesXML.attribute("dev", of: CapabilitiesXML.element("target", in: element.content))
            guard !target.isEmpty else { continue }
            let serial = CapabilitiesXML.element("serial", in: element.content)?.content
            // The last one says that nothing is below it.
            let below = element.content.ranges(of: "<backingStore ").count
            disks.append(
                Disk(
                    target: String(target), volume: serial.flatMap { VolumeID($0) }, path: Self.plain(path),
                    layers: 1 + below))
        }
    }

    package func disk(of volume: VolumeID) -> Disk? { disks.first { $0.volume == volume } }

    /// The document for `virDomainSnapshotCreateXML` that puts `overlay` above one disk, and leaves all others alone.
    package func snapshot(of volume: VolumeID, to overlay: String) -> String {
        var xml = XMLText()
        xml.element("domainsnapshot") { xml in
            xml.element("disks") { xml in
                for disk in disks {
                    guard disk.volume == volume else {
                        xml.leaf("disk", ["name": disk.target, "snapshot": "no"])
                        continue
                    }
                    xml.element("disk", ["name": disk.target, "snapshot": "external", "type": "file"]) { xml in
                        xml.leaf("driver", ["type": "qcow2"])
                        xml.leaf("source", ["file": overlay])
                    }
                }
            }
        }
        return xml.text
    }

    /// The definition in which the volume's disk is at `location`, whatever lies below that: libvirt writes down what lay
    /// below when a snapshot was taken, and would start the guest with that for ever.
    /// - Returns: `nil` when it is so already.
    package static func restoring(_ volume: VolumeID, to location: String, in xml: String) -> String? {
        let ours = CapabilitiesXML.elements("disk", in: xml[...]).first { element in
            CapabilitiesXML.element("serial", in: element.content).flatMap { VolumeID($0.content) } == volume
        }
        guard let disk = ours?.content, !disk.isEmpty else { return nil }
        var text = String(disk)
        // They are nested, one for each layer.
        if let first = text.firstRange(of: "<backingStore"), let last = text.ranges(of: "</backingStore>").last {
            text.removeSubrange(first.lowerBound..<last.upperBound)
        }
        if let old = CapabilitiesXML.element("source", in: text[...])?.attributes, !old.isEmpty {
            text = text.replacing(
                "<source" + old, with: "<source file='\(XMLText.escaped(location))'", maxReplacements: 1)
        }
        return text == disk ? nil : xml[..<disk.startIndex] + text + xml[disk.endIndex...]
    }

    private static func plain(_ text: Substring) -> String {
        var out = String(text)
        for (entity, character) in [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")
        ] { out = out.replacing(entity, with: character) }
        return out
    }
}
