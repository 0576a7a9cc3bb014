import AgentCore
import ProtocolModel

/// The devices in a domain's document (`virDomainGetXMLDesc`) that come and go, by the names that the hypervisor has for
/// them. The document is libvirt's own, and what tenants wrote in it is escaped.
package struct DomainDevices: Equatable, Sendable {
    private static let aliasPrefix = "ua-"

    /// libvirt's name for each device; one of a domain that does not run may have none.
    package private(set) var aliases: [GuestDevice: String] = [:]
    package private(set) var devices = GuestDevices()

    /// The alias that an interface is defined with: libvirt keeps those that begin like this.
    static func alias(of port: PortID) -> String { aliasPrefix + port.text }

    package init(xml: String) {
        for disk in CapabilitiesXML.elements("disk", in: xml[...]) { add(disk: disk.content) }
        for interface in CapabilitiesXML.elements("interface", in: xml[...]) { add(interface: interface.content) }
    }

    private mutating func add(disk: Substring) {
        if let serial = CapabilitiesXML.element("serial", in: disk)?.content, let volume = VolumeID(serial) {
            devices.volumes.insert(volume)
            aliases[.volume(volume)] = Self.alias(in: disk)
        }
        let file = CapabilitiesXML.attribute("file", of: CapabilitiesXML.element("source", in: disk))
        let parts = file.split(separator: "/").last?.split(separator: ".") ?? []
        if parts.count == 3, parts[0] == "rescue" { devices.rescueVersion = Int(parts[1]) }
    }

    private mutating func add(interface: Substring) {
        let alias = Self.alias(in: interface)
        if let alias, alias.hasPrefix(Self.aliasPrefix), let port = PortID(alias.dropFirst(Self.aliasPrefix.count)) {
            devices.interfaces.insert(port)
            aliases[.interface(port)] = alias
            return
        }
        let tap = CapabilitiesXML.attribute("dev", of: CapabilitiesXML.element("target", in: interface))
        if let tap = try? InterfaceName(String(tap)) {
            devices.namelessTaps.insert(tap)
            namelessAliases[tap] = alias
        }
    }

    private var namelessAliases: [InterfaceName: String] = [:]

    /// libvirt's name for a device, `nil` when the domain has not got it.
    func alias(of device: GuestDevice) -> String? {
        if case .interface(let port) = device { return aliases[device] ?? namelessAliases[.tap(port)] }
        return aliases[device]
    }

    func has(_ device: GuestDevice) -> Bool {
        switch device {
        case .interface(let port): devices.interfaces.contains(port) || devices.namelessTaps.contains(.tap(port))
        case .volume(let volume): devices.volumes.contains(volume)
        }
    }

    private static func alias(in device: Substring) -> String? {
        CapabilitiesXML.element("alias", in: device).map { String(CapabilitiesXML.attribute("name", of: $0)) }
    }
}
