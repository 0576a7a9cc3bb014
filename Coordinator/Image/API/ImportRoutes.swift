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
        let body = try await call.json()
        let request = try importRequest(
            try Self.schema.read(body, wording: Self.wording), body, store: call.headers[.imageStore])
        try await write(call) {
            try service.beginImport(
                request, of: call.parameter("image_id"), as: $0, requestID: call.requestID, at: call.now, in: $1)
        }
        return .empty(202)
    }

    private struct Draft: Sendable {
        var method = Method()
        var stores: [String] = []
        var isForAllStores = false
        var mustSucceedEverywhere = false
    }

    private struct Method: Sendable {
        var name = JSON.null
        var uri = JSON.null
    }

    private static let schema = BodySchema(
        blank: Draft(), unknown: .ignored,
        [
            .required("method", \.method, method.format()), .given("stores", \.stores, .list(of: .text(), most: 64)),
            .given("all_stores_must_succeed", \.mustSucceedEverywhere, .flag),
            .given("all_stores", \.isForAllStores, .flag)
        ])

    private static let method = BodySchema(
        blank: Method(), unknown: .ignored, [.required("name", \.name, .any), .given("uri", \.uri, .any)])

    private static let wording = GlanceBody.wording { failure in
        switch (failure.reason, failure.path.first) {
        case (.missing(let name), _): "Import request requires a '\(name)' field."
        case (_, "method"?): "Import request requires a 'name' field."
        case (_, "stores"?): "'stores' must be a list of names"
        case (_, let name): "'\(name ?? "")' must be boolean value only"
        }
    }

    private func importRequest(_ draft: Draft, _ body: JSON, store header: String?) throws -> ImportRequest {
        let name = draft.method.name
        guard let text = name.stringValue, service.importMethods.contains(text) else {
            throw APIError.badRequest("Unknown import method name '\(name.stringValue ?? name.text)'.")
        }
        guard !draft.isForAllStores || (draft.stores.isEmpty && header == nil) else {
            throw APIError.badRequest(
                "All_stores parameter can't be used with x-image-meta-store header or stores parameter")
        }
        guard draft.stores.isEmpty || header == nil else {
            throw APIError.badRequest("Stores parameter and x-image-meta-store header can't be both specified")
        }
        for name in draft.stores + (header.map { [$0] } ?? []) where name != ImageService.storeID {
            throw APIError.conflict("Unknown scheme '\(name.prefix(80))' found in URI")
        }
        return ImportRequest(
            method: try method(text, uri: draft.method.uri), isForAllStores: draft.isForAllStores, body: body)
    }

    private func method(_ name: String, uri: JSON) throws -> ImportRequest.Method {
        switch name {
        case "copy-image": return .copyImage
        case "web-download":
            guard let uri = uri.stringValue else {
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
}
