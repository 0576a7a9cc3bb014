import CoordinatorPlatform

/// `POST /v2/images/{id}/import` ("Interoperable image import").
extension ImageAPI {
    var importRoutes: [Route] {
        [
            Route(.post, "/v2/images/{image_id}/import", action: "image.image.import", handler: importImage)
                .asking("modify_image", "copy_image", "get_image")
        ]
    }

    private func importImage(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let request = try importRequest(try await call.json(), call)
        let id = call.parameter("image_id")
        try await call.write { [service] in
            try service.beginImport(request, of: id, as: access, call: call, in: $0)
        }
        return .empty(202)
    }

    private func importRequest(_ body: JSON, _ call: APICall) throws -> ImportRequest {
        guard let method = body["method"] else {
            throw APIError.badRequest("Import request requires a 'method' field.")
        }
        guard let name = method["name"] else { throw APIError.badRequest("Import request requires a 'name' field.") }
        guard let text = name.stringValue, service.importMethods.contains(text) else {
            throw APIError.badRequest("Unknown import method name '\(name.stringValue ?? name.text)'.")
        }
        for field in ["all_stores_must_succeed", "all_stores"] {
            guard body[field]?.boolValue != nil || body[field] == nil else {
                throw APIError.badRequest("'\(field)' must be boolean value only")
            }
        }
        let isForAll = body["all_stores"]?.boolValue ?? false
        try requireStores(body, isForAll: isForAll, header: call.headers[.imageStore])
        return ImportRequest(method: try self.method(text, method), isForAllStores: isForAll, body: body)
    }

    private func method(_ name: String, _ body: JSON) throws -> ImportRequest.Method {
        switch name {
        case "copy-image": return .copyImage
        case "web-download":
            guard let uri = body["uri"]?.stringValue else {
                throw APIError.badRequest("Import request requires a 'uri' field for the 'web-download' method.")
            }
            do {
                return .webDownload(try WebAddress(uri, allowed: service.settings.webDownload))
            } catch {
                throw APIError.badRequest("\(error)")
            }
        default: return .glanceDirect
        }
    }

    private func requireStores(_ body: JSON, isForAll: Bool, header: String?) throws {
        guard body["stores"] == nil || body["stores"]?.arrayValue?.allSatisfy({ $0.stringValue != nil }) == true else {
            throw APIError.badRequest("'stores' must be a list of names")
        }
        let names = body["stores"]?.arrayValue?.compactMap(\.stringValue) ?? []
        guard !isForAll || (names.isEmpty && header == nil) else {
            throw APIError.badRequest(
                "All_stores parameter can't be used with x-image-meta-store header or stores parameter")
        }
        guard names.isEmpty || header == nil else {
            throw APIError.badRequest("Stores parameter and x-image-meta-store header can't be both specified")
        }
        for name in names + (header.map { [$0] } ?? []) where name != Self.storeID {
            throw APIError.conflict("Unknown scheme '\(name.prefix(80))' found in URI")
        }
    }
}
