/// What this store can, told to everybody: only what is true.
enum SwiftInfo {
    static let version = "2.35.0"

    static var response: ObjectResponse {
        let swift = JSONText.object([
            ("version", .text(version)), ("max_file_size", .number(SwiftLimits.fileSize)),
            ("max_meta_name_length", .number(Int64(SwiftLimits.metaName))),
            ("max_meta_value_length", .number(Int64(SwiftLimits.metaValue))),
            ("max_meta_count", .number(Int64(SwiftLimits.metaCount))),
            ("max_meta_overall_size", .number(Int64(SwiftLimits.metaOverall))),
            ("max_object_name_length", .number(Int64(SwiftLimits.objectName))),
            ("max_container_name_length", .number(Int64(SwiftLimits.containerName))),
            ("max_account_name_length", .number(Int64(SwiftLimits.accountName))),
            ("account_listing_limit", .number(Int64(SwiftLimits.listing))),
            ("container_listing_limit", .number(Int64(SwiftLimits.listing))), ("allow_account_management", .flag(true)),
            ("account_autocreate", .flag(true)), ("valid_api_versions", .raw("[\"v1\", \"v1.0\"]")),
            ("policies", .raw("[{\"name\": \"Policy-0\", \"aliases\": \"Policy-0\", \"default\": true}]")),
            ("strict_cors_mode", .flag(true))
        ])
        let slo = JSONText.object([
            ("max_manifest_segments", .number(Int64(SwiftLimits.manifestSegments))),
            ("max_manifest_size", .number(Int64(SwiftLimits.manifestSize))), ("min_segment_size", .number(1))
        ])
        let upload = JSONText.object([
            ("max_containers_per_extraction", .number(Int64(SwiftLimits.archiveFiles))),
            ("max_failed_extractions", .number(Int64(SwiftLimits.archiveFiles)))
        ])
        let deletion = JSONText.object([
            ("max_deletes_per_request", .number(Int64(SwiftLimits.bulkDeletes))),
            ("max_failed_deletes", .number(Int64(SwiftLimits.bulkDeletes)))
        ])
        let signed = JSONText.object([
            ("methods", .raw("[\"GET\", \"HEAD\", \"PUT\", \"POST\", \"DELETE\"]")),
            ("incoming_allow_headers", .raw("[]")), ("incoming_remove_headers", .raw("[]")),
            ("outgoing_allow_headers", .raw("[]")), ("outgoing_remove_headers", .raw("[]")),
            ("allowed_digests", .raw("[\"sha256\", \"sha512\"]"))
        ])
        let all = JSONText.object([
            ("swift", .raw(swift)), ("slo", .raw(slo)),
            ("dlo", .raw("{\"max_segments\": \(SwiftLimits.dynamicSegments)}")),
            ("bulk_upload", .raw(upload)), ("bulk_delete", .raw(deletion)), ("tempurl", .raw(signed)),
            ("account_quotas", .raw("{}")), ("container_quotas", .raw("{}")), ("staticweb", .raw("{}")),
            ("versioned_writes", .raw("{\"allowed_flags\": [\"x-versions-location\", \"x-history-location\"]}")),
            ("crossdomain", .raw("{}")), ("keystoneauth", .raw("{}"))
        ])
        return ObjectResponse(200, text: all, type: "application/json; charset=UTF-8")
    }

    /// For Flash and Silverlight: no page of another origin may come in this way.
    static var crossDomain: ObjectResponse {
        let text = """
            <?xml version="1.0"?>
            <!DOCTYPE cross-domain-policy SYSTEM "http://www.adobe.com/xml/dtds/cross-domain-policy.dtd" >
            <cross-domain-policy>
            </cross-domain-policy>
            """
        return ObjectResponse(200, text: text, type: "application/xml")
    }
}
