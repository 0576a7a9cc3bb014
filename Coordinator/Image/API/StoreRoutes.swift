import CoordinatorPlatform

/// What there is to import with and to: `/v2/info`. There is one store, the coordinator's disk.
extension ImageAPI {
    var storeRoutes: [Route] {
        [
            Route(.get, "/v2/info/import") { _ in
                .json([
                    "import-methods": [
                        "description": "Import methods available.", "type": "array",
                        "value": .array(service.importMethods.map(JSON.string))
                    ]
                ])
            }.open(because: "what the service can take is no secret, as in Glance"),
            Route(.get, "/v2/info/stores") { _ in .json(["stores": [.object(Self.store)]]) }
                .open(because: "the store's name alone, as in Glance"),
            Route(.get, "/v2/info/stores/detail", handler: storeDetail).asking("stores_info_detail"),
            Route(
                .delete, "/v2/stores/{store_id}/{image_id}", action: "image.location.delete", handler: deleteFromStore
            ).asking("delete_image_location", "get_image")
        ]
    }

    private static let store: [String: JSON] = [
        "id": JSON(ImageService.storeID), "default": "true", "description": "The coordinator's disk"
    ]

    private func storeDetail(_ call: APICall) async throws -> APIResponse {
        try ImageAccess(try call.permissions()).require("stores_info_detail")
        var detail = Self.store
        detail["type"] = "file"
        detail["weight"] = 0
        detail["properties"] = [
            "data_dir": JSON(service.blobs.directory), "chunk_size": 65_536, "thin_provisioning": false
        ]
        return .json(["stores": [.object(detail)]])
    }

    private func deleteFromStore(_ call: APICall) async throws -> APIResponse {
        let error = try await read(call) {
            try service.refuseDeletion(
                of: call.parameter("image_id"), from: call.parameter("store_id"), as: $0, in: $1)
        }
        throw error
    }

    /// What the answer to a new image says of imports.
    var createHeaders: [(name: String, value: String)] {
        [
            (name: "OpenStack-image-import-methods", value: service.importMethods.joined(separator: ",")),
            (name: "OpenStack-image-store-ids", value: ImageService.storeID)
        ]
    }
}
