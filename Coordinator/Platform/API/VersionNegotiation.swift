import HTTPTypes

extension HTTPField.Name {
    /// `OpenStack-API-Version`; the name is a valid token, so the fallback is never taken.
    static let openStackVersion = named("OpenStack-API-Version")
    static let requestID = named("X-Openstack-Request-Id")
    static let computeRequestID = named("X-Compute-Request-Id")
    static let authToken = named("X-Auth-Token")
    static let serviceToken = named("X-Service-Token")

    private static func named(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .server }
}

extension MicroversionPolicy {
    /// The version a request is to be served with.
    /// - Throws: ``APIError`` 400 for what is no version, 406 for one that is not offered.
    package func negotiate(_ headers: HTTPFields) throws(APIError) -> Microversion {
        guard let asked = asked(headers) else { return minimum }
        if asked.lowercased() == "latest" { return maximum }
        guard let version = Microversion(asked) else {
            if service == "placement" { throw .badRequest("invalid version string: \(asked)") }
            throw .badRequest("API Version String \(asked) is of invalid format. Must be of format MajorNum.MinorNum.")
        }
        guard version >= minimum, version <= maximum else {
            let message =
                service == "placement"
                ? "Unacceptable version header: \(asked)"
                : "Version \(asked) is not supported by the API. Minimum is \(minimum) and maximum is \(maximum)."
            throw APIError(status: 406, message: message)
        }
        return version
    }

    /// Among `compute 2.79, placement 1.2` the last word for this service; else the older header.
    private func asked(_ headers: HTTPFields) -> String? {
        for value in headers[values: .openStackVersion].reversed() {
            for part in value.split(separator: ",").reversed() {
                let words = part.split(separator: " ")
                if words.count == 2, words[0] == service { return String(words[1]) }
            }
        }
        guard let legacyHeader, let name = HTTPField.Name(legacyHeader) else { return nil }
        return headers[name]
    }

    /// Adds what tells clients and caches which version the answer is in.
    func describe(_ version: Microversion, in headers: inout HTTPFields) {
        headers[.openStackVersion] = "\(service) \(version)"
        headers.append(HTTPField(name: .vary, value: "OpenStack-API-Version"))
        guard let legacyHeader, let name = HTTPField.Name(legacyHeader) else { return }
        headers[name] = version.description
        headers.append(HTTPField(name: .vary, value: legacyHeader))
    }

    /// Placement says which versions there are beside its errors.
    func addRange(to body: JSON) -> JSON {
        guard service == "placement", case .object(var members) = body, case .array(var errors)? = members["errors"],
            case .object(var first)? = errors.first
        else { return body }
        first["max_version"] = JSON(maximum.description)
        first["min_version"] = JSON(minimum.description)
        errors[0] = .object(first)
        members["errors"] = .array(errors)
        return .object(members)
    }
}
