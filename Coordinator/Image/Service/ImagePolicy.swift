import CoordinatorPlatform

/// Who may do what, named and decided as in Glance's secure defaults (its policies, `enforce_new_defaults`).
enum ImagePolicy {
    static let policy = Policy(
        rules: imageRules.merging(metadefRules) { first, _ in first },
        attributes: ["owner", "member_id", "visibility"])

    private static let member = "role:member and project_id:%(project_id)s"
    private static let reader = "role:reader and project_id:%(project_id)s"
    private static let visible = """
        (project_id:%(project_id)s or project_id:%(member_id)s or 'community':%(visibility)s or 'public':%(visibility)s \
        or 'shared':%(visibility)s)
        """

    private static func admin(or text: String) -> Policy.Rule {
        Policy.Rule(stringLiteral: "rule:admin_required or (\(text))")
    }

    private static let imageRules: [String: Policy.Rule] = [
        "add_image": admin(or: "\(member) and project_id:%(owner)s"),
        "delete_image": admin(or: member),
        "get_image": admin(or: "role:reader and \(visible)"),
        "get_images": admin(or: reader),
        "modify_image": admin(or: member),
        "publicize_image": .admin,
        "communitize_image": admin(or: member),
        "download_image": admin(or: "role:member and \(visible)"),
        "upload_image": admin(or: member),
        "delete_image_location": .admin,
        "set_image_location": admin(or: member),
        "add_member": admin(or: member),
        "delete_member": admin(or: member),
        "get_member": admin(or: "role:reader and (project_id:%(project_id)s or project_id:%(member_id)s)"),
        "get_members": admin(or: "role:reader and (project_id:%(project_id)s or project_id:%(member_id)s)"),
        "modify_member": admin(or: "role:member and project_id:%(member_id)s"),
        "deactivate": admin(or: member),
        "reactivate": admin(or: member),
        "copy_image": .admin,
        "tasks_api_access": .admin,
        "stores_info_detail": "rule:admin_required or role:service"
    ]

    private static let metadefRules: [String: Policy.Rule] = {
        let read = admin(or: "role:reader and (project_id:%(project_id)s or 'public':%(visibility)s)")
        var rules: [String: Policy.Rule] = ["get_metadef_namespaces": admin(or: reader)]
        for name in [
            "get_metadef_namespace", "get_metadef_object", "get_metadef_objects", "list_metadef_resource_types",
            "get_metadef_resource_type", "get_metadef_property", "get_metadef_properties", "get_metadef_tag",
            "get_metadef_tags"
        ] {
            rules[name] = read
        }
        for name in [
            "modify_metadef_namespace", "add_metadef_namespace", "delete_metadef_namespace", "modify_metadef_object",
            "add_metadef_object", "delete_metadef_object", "add_metadef_resource_type_association",
            "remove_metadef_resource_type_association", "modify_metadef_property", "add_metadef_property",
            "remove_metadef_property", "modify_metadef_tag", "add_metadef_tag", "add_metadef_tags",
            "delete_metadef_tag", "delete_metadef_tags"
        ] {
            rules[name] = .admin
        }
        return rules
    }()
}

extension ImagePolicy {
    /// What is above every rule: an image that one cannot see does not exist. No file of rules changes this.
    /// - Parameter isMember: Whether the image is shared with the caller's project.
    static func canSee(_ image: Image, caller: Caller, isMember: Bool) -> Bool {
        if caller.isAdmin || image.owner == nil { return true }
        switch image.visibility {
        case .public, .community: return true
        case .private: return image.owner == caller.project
        case .shared: return isMember || image.owner == caller.project
        }
    }
}

/// The image service's refusals.
enum ImageError {
    static func noImage(_ id: String) -> APIError { .notFound("No image found with ID \(id)") }
    static func damaged(_ id: String) -> APIError {
        APIError(
            status: 410,
            message: """
                The data of image \(id) is damaged on the coordinator's disk and cannot be used: upload the same content \
                again, to this cloud as any image, or use another image.
                """)
    }
    static func notAllowed(_ rule: String) -> APIError {
        .forbidden("You are not authorized to complete \(rule) action.")
    }
    /// A limit of the service, in the words of its exceptions.
    static func tooMany(_ what: String, attempted: Int, maximum: Int) -> APIError {
        APIError(
            status: 413,
            message: """
                The limit has been exceeded on the number of allowed image \(what). Attempted: \(attempted), \
                Maximum: \(maximum)
                """)
    }
}
