import ProtocolModel

/// Reads what the agent reports from libvirt's capabilities documents. The documents are libvirt's own: well-formed,
/// without comments or CDATA, and never from guests.
package enum CapabilitiesXML {
    /// - Parameter capabilities: What `virConnectGetCapabilities` gives.
    /// - Parameter version: What `virConnectGetVersion` gives.
    package static func report(
        capabilities: String, domainCapabilities: String, version: Int, virtType: HypervisorSettings.VirtType
    ) -> HypervisorReport {
        let host = element("host", in: capabilities[...])?.content ?? ""
        let cpu = element("cpu", in: host)?.content ?? ""
        let topology = element("topology", in: cpu)
        let guest = elements("guest", in: capabilities[...]).map(\.content).first {
            element("os_type", in: $0)?.content == "hvm" && attribute("name", of: element("arch", in: $0)) == "x86_64"
        }
        let architecture = guest.flatMap { element("arch", in: $0) }?.content ?? ""
        let machines = Set(elements("machine", in: architecture).map { String($0.content) })
        let firmware = elements("enum", in: domainCapabilities[...]).first { attribute("name", of: $0) == "firmware" }
        return HypervisorReport(
            type: "QEMU", version: version, virtType: virtType.rawValue,
            cpuModel: String(element("model", in: cpu)?.content ?? ""),
            cpuVendor: String(element("vendor", in: cpu)?.content ?? ""),
            cpuArchitecture: String(element("arch", in: cpu)?.content ?? ""),
            cpuFeatures: elements("feature", in: cpu).map { String(attribute("name", of: $0)) }.sorted(),
            cpuSockets: Int(attribute("sockets", of: topology)) ?? 1,
            cpuCores: Int(attribute("cores", of: topology)) ?? 1,
            cpuThreads: Int(attribute("threads", of: topology)) ?? 1,
            machineTypes: machines.sorted(),
            hasUEFI: elements("value", in: firmware?.content ?? "").contains { $0.content == "efi" })
    }

    struct Element {
        var attributes: Substring
        var content: Substring
    }

    static func element(_ name: String, in text: Substring) -> Element? { elements(name, in: text, limit: 1).first }

    /// All elements of the name, in order; an element inside a namesake is not looked for.
    static func elements(_ name: String, in text: Substring, limit: Int = .max) -> [Element] {
        var found: [Element] = []
        var rest = text
        while found.count < limit, let start = rest.firstRange(of: "<" + name) {
            rest = rest[start.upperBound...]
            guard let next = rest.first, next == ">" || next == "/" || next.isWhitespace else { continue }
            guard let end = rest.firstIndex(of: ">") else { break }
            var attributes = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if attributes.last == "/" {
                attributes.removeLast()
                found.append(Element(attributes: attributes, content: ""))
                continue
            }
            guard let close = rest.firstRange(of: "</" + name + ">") else { break }
            found.append(Element(attributes: attributes, content: rest[..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        return found
    }

    static func attribute(_ name: String, of element: Element?) -> Substring {
        guard let attributes = element?.attributes, let start = attributes.firstRange(of: " " + name + "='") else {
            return ""
        }
        let rest = attributes[start.upperBound...]
        return rest.firstIndex(of: "'").map { rest[..<$0] } ?? ""
    }
}
