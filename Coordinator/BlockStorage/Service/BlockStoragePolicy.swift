import CoordinatorPlatform
import ProtocolModel

/// Who may do what in the volume API, under Cinder's names and with its defaults.
public enum BlockStoragePolicy {
    static let policy = Policy(
        rules: Dictionary(
            uniqueKeysWithValues: [(readers, Policy.Rule.projectReader), (members, .projectMember), (admins, .admin)]
                .flatMap { names, rule in names.map { ($0, rule) } }))

    private static let readers = [
        "volume:get", "volume:get_all", "volume:get_snapshot", "volume:get_all_snapshots",
        "volume:get_volume_metadata", "volume:get_snapshot_metadata", "volume_extension:volume_image_metadata:show",
        "volume_extension:volume_tenant_attribute", "volume_extension:extended_snapshot_attributes",
        "volume_extension:volume_encryption_metadata", "volume_extension:type_get", "volume_extension:type_get_all",
        "volume_extension:access_types_extra_specs", "volume_extension:types_extra_specs:index",
        "volume_extension:types_extra_specs:show", "volume_extension:quotas:show", "limits_extension:used_limits",
        "volume:attachment_get", "volume:attachment_get_all", "volume:get_transfer", "volume:get_all_transfers",
        "message:get", "message:get_all", "backup:get_all", "group:get_all", "group:get_all_group_snapshots",
        "group:access_group_types"
    ]
    private static let members = [
        "volume:create", "volume:create_from_image", "volume:update", "volume:delete", "volume:extend",
        "volume:extend_attached_volume", "volume:revert_to_snapshot", "volume:retype", "volume:update_readonly_flag",
        "volume:create_snapshot", "snapshot_extension:snapshot_actions:update_snapshot_status",
        "volume:update_snapshot", "volume:delete_snapshot",
        "volume:create_volume_metadata", "volume:update_volume_metadata", "volume:delete_volume_metadata",
        "volume:update_snapshot_metadata", "volume:delete_snapshot_metadata",
        "volume_extension:volume_image_metadata:set", "volume_extension:volume_image_metadata:remove",
        "volume_extension:volume_actions:upload_image", "volume_extension:volume_actions:initialize_connection",
        "volume_extension:volume_actions:terminate_connection", "volume_extension:volume_actions:roll_detaching",
        "volume_extension:volume_actions:reserve", "volume_extension:volume_actions:unreserve",
        "volume_extension:volume_actions:begin_detaching", "volume_extension:volume_actions:attach",
        "volume_extension:volume_actions:detach", "volume:attachment_create", "volume:attachment_update",
        "volume:attachment_delete", "volume:attachment_complete", "volume:multiattach_bootable_volume",
        "volume:multiattach", "volume_extension:volume_type_access", "volume:create_transfer",
        "volume:accept_transfer", "volume:delete_transfer", "message:delete",
        "volume:reimage", "backup:create", "group:create", "group:create_group_snapshot"
    ]
    private static let admins = [
        "volume:force_delete", "volume_extension:volume_actions:upload_public",
        "volume_extension:volume_host_attribute",
        "volume_extension:volume_mig_status_attribute", "volume_extension:volume_admin_actions:reset_status",
        "volume_extension:volume_admin_actions:force_delete", "volume_extension:volume_admin_actions:force_detach",
        "volume_extension:snapshot_admin_actions:reset_status",
        "volume_extension:snapshot_admin_actions:force_delete", "volume_extension:type_create",
        "volume_extension:type_update", "volume_extension:type_delete", "volume_extension:access_types_qos_specs_id",
        "volume_extension:types_extra_specs:create", "volume_extension:types_extra_specs:update",
        "volume_extension:types_extra_specs:delete", "volume_extension:types_extra_specs:read_sensitive",
        "volume_extension:volume_type_access:addProjectAccess",
        "volume_extension:volume_type_access:removeProjectAccess",
        "volume_extension:volume_type_access:get_all_for_type", "volume_extension:quotas:update",
        "volume_extension:quotas:delete", "volume_extension:services:index", "volume_extension:services:update",
        "scheduler_extension:scheduler_stats:get_pools", "volume_extension:default_set_or_update",
        "volume_extension:default_get", "volume_extension:default_get_all", "volume_extension:default_unset",
        "volume_extension:volume_type_encryption:create", "volume_extension:volume_type_encryption:get",
        "volume_extension:volume_type_encryption:update", "volume_extension:volume_type_encryption:delete",
        "volume_extension:qos_specs_manage:get_all", "volume_extension:qos_specs_manage:get",
        "volume_extension:qos_specs_manage:create", "volume_extension:qos_specs_manage:update",
        "volume_extension:qos_specs_manage:delete", "volume:extend_volume_completion",
        "volume_extension:volume_unmanage", "volume_extension:volume_admin_actions:migrate_volume",
        "volume_extension:volume_admin_actions:migrate_volume_completion", "group:group_types_manage",
        "volume_extension:volume_manage", "volume_extension:list_manageable",
        "snapshot_extension:snapshot_manage", "snapshot_extension:list_manageable", "volume_extension:hosts",
        "volume_extension:capabilities", "clusters:get_all", "clusters:get", "workers:cleanup",
        "volume_extension:quota_classes:get", "volume_extension:quota_classes:update"
    ]
}
