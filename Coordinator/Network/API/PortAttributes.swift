import CoordinatorPlatform
import ProtocolModel

/// The attributes of a port that have a structure of their own.
enum PortAttributes {
    static func fixedIPs(_ attributes: Attributes) throws -> [FixedIPRequest]? {
        guard attributes.given("fixed_ips") != nil else { return nil }
        return try attributes.list("fixed_ips")?.map { item in
            guard let members = item.objectValue else {
                throw Attributes.invalid("fixed_ips", "Invalid data format for fixed IP: '\(item.text)'")
            }
            let unknown = Set(members.keys).subtracting(["subnet_id", "ip_address"])
            guard unknown.isEmpty else {
                throw Attributes.invalid(
                    "fixed_ips", "Invalid data format for fixed IP: '\(item.text)'")
            }
            var request = FixedIPRequest()
            if let value = members["subnet_id"], !value.isNull {
                guard let text = value.stringValue, let subnet = SubnetID(text) else {
                    throw Attributes.invalid("fixed_ips", "'\(value.stringValue ?? value.text)' is not a valid UUID")
                }
                request.subnet = subnet
            }
            if let value = members["ip_address"], !value.isNull {
                request.address = try Attributes.address(value, "fixed_ips")
            }
            return request
        }
    }

    static func groups(_ attributes: Attributes) throws -> [SecurityGroupID]? {
        guard attributes.has("security_groups") else { return nil }
        return try attributes.list("security_groups")?.map { item in
            guard let text = item.stringValue, let id = SecurityGroupID(text) else {
                throw Attributes.invalid("security_groups", "'\(item.stringValue ?? item.text)' is not a valid UUID")
            }
            return id
        }
    }

    static func pairs(_ attributes: Attributes) throws -> [PortRecord.Pair]? {
        guard let items = try attributes.list("allowed_address_pairs") else { return nil }
        guard items.count <= 10 else {
            throw APIError.badRequest(
                "The number of allowed address pair exceeds the maximum 10.", type: "AllowedAddressPairExhausted")
        }
        var result: [PortRecord.Pair] = []
        for item in items {
            let pair = try pair(item)
            if result.contains(pair) {
                throw APIError.badRequest(
                    "Request contains duplicate address pair: mac_address \(pair.mac?.description ?? "None") ip_address "
                        + "\(pair.address).", type: "DuplicateAddressPairInRequest")
            }
            result.append(pair)
        }
        return result
    }

    private static func pair(_ item: JSON) throws -> PortRecord.Pair {
        guard let members = item.objectValue, let value = members["ip_address"] else {
            throw APIError.badRequest(
                "AllowedAddressPair must contain ip_address", type: "AllowedAddressPairsMissingIP")
        }
        guard Set(members.keys).isSubset(of: ["ip_address", "mac_address"]) else {
            throw Attributes.invalid("allowed_address_pairs", "'\(item.text)' has unknown members")
        }
        guard let text = value.stringValue, IPPrefix(text) != nil else {
            throw Attributes.invalid(
                "allowed_address_pairs", "'\(value.stringValue ?? value.text)' is not a valid IP address")
        }
        guard let given = members["mac_address"], !given.isNull else { return PortRecord.Pair(address: text, mac: nil) }
        guard let macText = given.stringValue, let mac = MACAddress(macText) else {
            throw Attributes.invalid(
                "allowed_address_pairs", "'\(given.stringValue ?? given.text)' is not a valid MAC address")
        }
        return PortRecord.Pair(address: text, mac: mac)
    }

    static func vnicType(_ attributes: Attributes) throws -> String? {
        guard let type = attributes.given("binding:vnic_type") == nil ? nil : try attributes.text("binding:vnic_type")
        else { return nil }
        guard type == "normal" else {
            throw Attributes.invalid("binding:vnic_type", "'\(type)' is not in ['normal']")
        }
        return type
    }

    /// There is no driver to read a profile: only an empty one is true.
    static func checkProfile(_ attributes: Attributes) throws {
        guard let profile = attributes.given("binding:profile") else { return }
        guard profile.objectValue?.isEmpty ?? false else {
            throw Attributes.invalid("binding:profile", "'\(profile.text)' is not supported, it must be empty")
        }
    }
}
