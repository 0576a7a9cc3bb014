import CoordinatorPlatform
import ProtocolModel

extension APICall {
    /// - Throws: ``APIError``: a newer version has the path, or the method.
    func need(_ minor: Int, status: Int = 404) throws {
        guard isAtLeast(minor) else {
            throw APIError(
                status: status,
                message: status == 404
                    ? "The resource could not be found." : "The method specified is not allowed for this resource.")
        }
    }

    func isAtLeast(_ minor: Int) -> Bool { microversion >= Microversion(1, minor) }

    /// - Parameter modified: When what is told of changed; `nil` where only the present moment can be said.
    func answer(
        _ value: JSON, modified: Int64? = nil, status: Int = 200, headers: [(name: String, value: String)] = []
    ) -> APIResponse {
        .json(value, status: status, headers: headers + freshness(modified))
    }

    /// What keeps caches from answers, from the version on that says so.
    func freshness(_ modified: Int64? = nil) -> [(name: String, value: String)] {
        guard isAtLeast(15) else { return [] }
        return [
            (name: "Last-Modified", value: Timestamp.http(modified ?? now)), (name: "Cache-Control", value: "no-cache")
        ]
    }
}

extension Route {
    /// Errors with the codes by which clients tell them apart, from the version on that has them.
    func withErrorCodes() -> Route {
        var route = self
        let handler = handler
        route.handler = { call in
            do { return try await handler(call) } catch {
                var told: APIError
                switch error {
                case let error as APIError: told = error
                case StoreError.stale(let what):
                    told = .conflict(
                        "Another thread concurrently updated the data. Please retry your update (\(what))",
                        type: PlacementCode.concurrentUpdate)
                default: throw error
                }
                if told.type.isEmpty { told.type = PlacementCode.undefined }
                if !call.isAtLeast(23) { told.type = "" }
                throw told
            }
        }
        return route
    }
}

/// Reads JSON bodies in the words of the schemas that placement checks them with.
enum PlacementBody {
    static func invalid(_ what: String) -> APIError { .badRequest("JSON does not validate: \(what)") }

    static func object(_ value: JSON?, _ name: String) throws -> [String: JSON] {
        guard let members = value?.objectValue else { throw invalid("'\(name)' is not an object") }
        return members
    }

    static func only(_ allowed: Set<String>, _ members: [String: JSON]) throws {
        BodyTrace.note(allowed)
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

    /// The generation that the caller saw.
    static func generation(_ members: [String: JSON]) throws -> Int {
        try number(members["resource_provider_generation"], "resource_provider_generation", 0...Int64.max)
    }

    static func uuid(_ value: JSON?, _ name: String) throws -> String {
        guard let text = value?.stringValue, let id = AnyID(text) else { throw invalid("'\(name)' is not a 'uuid'") }
        return id.text
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

    static func inventories(_ value: JSON?) throws -> [String: Inventory] {
        try object(value, "inventories").mapValues { try inventory(try object($0, "inventory")) }
    }

    static func view(_ inventory: Inventory) -> [String: JSON] {
        [
            "total": JSON(inventory.total), "reserved": JSON(inventory.reserved), "min_unit": JSON(inventory.minUnit),
            "max_unit": JSON(inventory.maxUnit), "step_size": JSON(inventory.stepSize),
            "allocation_ratio": .double(inventory.allocationRatio)
        ]
    }
}
