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
            disks.append(
                Disk(target: String(target), volume: serial.flatMap { VolumeID($0) }, path: Self.plain(path)))
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

    /// The definition with another source for a disk that has `path` now; `nil` when none has.
    package static func redefining(_ xml: String, from path: String, to location: String) -> String? {
        let (old, new) = ("file='\(XMLText.escaped(path))'", "file='\(XMLText.escaped(location))'")
        return xml.firstRange(of: old).map { xml.replacingCharacters($0, with: new) }
    }

    private static func plain(_ text: Substring) -> String {
        var out = String(text)
        for (entity, character) in [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")
        ] { out = out.replacing(entity, with: character) }
        return out
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
