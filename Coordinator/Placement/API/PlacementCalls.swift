import CoordinatorPlatform
import ProtocolModel

extension APICall {
    /// - Throws: ``APIError`` 404: a newer version has the path.
    func need(_ minor: Int) throws {
        guard microversion >= Microversion(1, minor) else {
            throw APIError.notFound("The resource could not be found.")
        }
    }

    func isAtLeast(_ minor: Int) -> Bool { microversion >= Microversion(1, minor) }
}

/// Reads JSON bodies in the words of the schemas that placement checks them with.
enum PlacementBody {
    static func invalid(_ what: String) -> APIError { .badRequest("JSON does not validate: \(what)") }

    static func object(_ value: JSON?, _ name: String) throws -> [String: JSON] {
        guard let members = value?.objectValue else { throw invalid("'\(name)' is not an object") }
        return members
    }

    static func only(_ allowed: Set<String>, _ members: [String: JSON]) throws {
        let unknown = members.keys.filter { !allowed.contains($0) }.sorted()
        guard unknown.isEmpty else {
            throw invalid(
                "Additional properties are not allowed (\(unknown.map { "'\($0)'" }.joined(separator: ", ")))")
        }
    }

    static func text(_ value: JSON?, _ name: String, limit: Int = 200) throws -> String {
        guard let text = value?.stringValue, (1...limit).contains(text.unicodeScalars.count) else {
            throw invalid("'\(name)' is not a string of 1 to \(limit) characters")
        }
        return text
    }

    static func number(_ value: JSON?, _ name: String, _ range: ClosedRange<Int64>) throws -> Int {
        guard let number = value?.intValue, range.contains(number) else {
            throw invalid("'\(name)' is not an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }

    static func uuid(_ value: JSON?, _ name: String) throws -> String {
        guard let text = value?.stringValue, let id = AnyID(text) else { throw invalid("'\(name)' is not a 'uuid'") }
        return id.text
    }

    /// `VCPU:1,MEMORY_MB:512`.
    static func resources(_ text: String) throws -> [String: Int] {
        var result: [String: Int] = [:]
        for item in text.split(separator: ",") {
            let parts = item.split(separator: ":")
            guard parts.count == 2, let amount = Int(parts[1]), amount > 0 else {
                throw APIError.badRequest(
                    "Badly formed resources parameter. Expected resources query string parameter in form: "
                        + "?resources=VCPU:2,MEMORY_MB:1024. Got: \(text).")
            }
            result[String(parts[0])] = amount
        }
        guard !result.isEmpty else { throw APIError.badRequest("Badly formed resources parameter: it is empty.") }
        return result
    }

    private static let int: ClosedRange<Int64> = 1...Int64(Int32.max)

    static func inventory(_ members: [String: JSON]) throws -> Inventory {
        try only(
            [
                "total", "reserved", "min_unit", "max_unit", "step_size", "allocation_ratio",
                "resource_provider_generation", "resource_class"
            ], members)
        var inventory = Inventory(total: try number(members["total"], "total", int))
        if let value = members["reserved"] { inventory.reserved = try number(value, "reserved", 0...Int64(Int32.max)) }
        if let value = members["min_unit"] { inventory.minUnit = try number(value, "min_unit", int) }
        if let value = members["max_unit"] { inventory.maxUnit = try number(value, "max_unit", int) }
        if let value = members["step_size"] { inventory.stepSize = try number(value, "step_size", int) }
        switch members["allocation_ratio"] {
        case nil: break
        case .double(let ratio) where ratio > 0 && ratio <= 1e6: inventory.allocationRatio = ratio
        case .int(let ratio) where ratio > 0 && ratio <= 1_000_000: inventory.allocationRatio = Double(ratio)
        default: throw invalid("'allocation_ratio' is not a number above 0")
        }
        return inventory
    }

    static func view(_ inventory: Inventory) -> [String: JSON] {
        [
            "total": JSON(inventory.total), "reserved": JSON(inventory.reserved), "min_unit": JSON(inventory.minUnit),
            "max_unit": JSON(inventory.maxUnit), "step_size": JSON(inventory.stepSize),
            "allocation_ratio": .double(inventory.allocationRatio)
        ]
    }
}
