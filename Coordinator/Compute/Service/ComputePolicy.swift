import CoordinatorPlatform

/// Who may do what in the compute API, under Nova's names and with its secure defaults.
enum ComputePolicy {
    static let policy = Policy(
        rules: Dictionary(
            uniqueKeysWithValues: [
                (readers, Policy.Rule.projectReader), (members, .projectMember), (managers, .projectManager),
                (admins, .admin)
            ]
            .flatMap { names, rule in names.map { (prefix + $0, rule) } }
                + owners.map { (prefix + $0, .owner) } + everybodys.map { (prefix + $0, .anybody) } + [
                    (requestedDestination, .admin), (cacheImages, .admin), (topology, .projectReader),
                    (hostTopology, .admin)
                ]))

    static let prefix = "os_compute_api:"
    /// The rules without the prefix.
    static let requestedDestination = "compute:servers:create:requested_destination"
    static let cacheImages = "compute:aggregates:images"
    static let topology = "compute:server:topology:index"
    static let hostTopology = "compute:server:topology:host:index"

    private static let readers = [
        "servers:index", "servers:detail", "servers:show", "server-metadata:index", "server-metadata:show",
        "os-server-tags:index", "os-server-tags:show", "ips:index", "ips:show", "os-attach-interfaces:list",
        "os-attach-interfaces:show", "os-volumes-attachments:index", "os-volumes-attachments:show",
        "os-instance-actions:list",
        "os-instance-actions:show", "os-availability-zone:list", "os-quota-sets:show", "os-quota-sets:detail",
        "os-simple-tenant-usage:show", "os-server-groups:index", "os-server-groups:show",
        "os-flavor-extra-specs:index", "os-flavor-extra-specs:show", "os-security-groups:get",
        "os-server-password:show", "os-security-groups:show", "os-security-groups:list", "os-floating-ips:list",
        "os-floating-ips:show",
        "os-tenant-networks:list", "os-tenant-networks:show", "os-networks:list", "os-networks:show"
    ]
    private static let members = [
        "servers:create", "servers:create:attach_volume", "servers:update", "servers:delete", "servers:start",
        "servers:stop", "servers:reboot",
        "os-pause-server:pause", "os-pause-server:unpause", "os-suspend-server:suspend", "os-suspend-server:resume",
        "os-lock-server:lock", "os-lock-server:unlock", "server-metadata:create", "server-metadata:update_all",
        "server-metadata:update", "server-metadata:delete", "os-server-tags:update", "os-server-tags:update_all",
        "os-server-tags:delete", "os-server-tags:delete_all", "os-console-output", "os-remote-consoles",
        "os-attach-interfaces:create", "os-attach-interfaces:delete", "os-server-groups:create",
        "os-server-groups:delete", "os-security-groups:create", "os-security-groups:update",
        "os-security-groups:delete", "os-security-groups:rule:create", "os-security-groups:rule:delete",
        "os-security-groups:add", "os-security-groups:remove", "os-multinic:add", "os-multinic:remove",
        "os-volumes-attachments:create", "os-volumes-attachments:update", "os-volumes-attachments:delete",
        "servers:rebuild", "servers:rebuild:trusted_certs", "servers:resize", "servers:confirm_resize",
        "servers:revert_resize", "os-rescue", "os-unrescue", "os-deferred-delete:restore", "os-deferred-delete:force",
        "os-admin-password", "servers:create_image", "os-create-backup", "os-shelve:shelve", "os-shelve:unshelve",
        "servers:trigger_crash_dump", "os-floating-ips:create", "os-floating-ips:delete", "os-floating-ips:add",
        "os-floating-ips:remove", "os-server-password:clear"
    ]
    private static let managers = [
        "os-migrations:index", "servers:migrations:index", "servers:migrations:delete",
        "servers:migrations:force_complete", "os-migrate-server:migrate", "os-migrate-server:migrate_live"
    ]
    private static let admins = [
        "servers:index:get_all_tenants", "servers:detail:get_all_tenants", "servers:create:forced_host",
        "os-lock-server:unlock:unlock_override", "os-admin-actions:reset_state",
        "os-flavor-manage:create", "os-flavor-manage:update", "os-flavor-manage:delete", "os-flavor-access",
        "os-flavor-access:add_tenant_access", "os-flavor-access:remove_tenant_access",
        "os-flavor-extra-specs:create", "os-flavor-extra-specs:update", "os-flavor-extra-specs:delete",
        "os-hypervisors:list", "os-hypervisors:list-detail", "os-hypervisors:statistics", "os-hypervisors:show",
        "os-hypervisors:uptime", "os-hypervisors:search", "os-hypervisors:servers", "os-services:list",
        "os-services:update", "os-availability-zone:detail", "os-quota-sets:update", "os-quota-sets:delete",
        "limits:other_project", "os-simple-tenant-usage:list", "os-aggregates:index", "os-aggregates:show",
        "os-server-groups:index:all_projects", "os-aggregates:create", "os-aggregates:update",
        "os-aggregates:delete", "os-aggregates:add_host", "os-aggregates:remove_host", "os-aggregates:set_metadata",
        "os-migrations:index:all_projects", "os-migrations:index:host", "servers:migrations:show", "os-evacuate",
        "os-shelve:shelve_offload", "os-shelve:unshelve_to_host",
        "os-migrate-server:migrate:host", "os-migrate-server:migrate_live:host",
        "os-admin-actions:inject_network_info",
        "os-server-external-events:create", "os-assisted-volume-snapshots:create",
        "os-assisted-volume-snapshots:delete", "os-hosts:list", "os-hosts:show", "os-hosts:update", "os-hosts:start",
        "os-hosts:shutdown", "os-hosts:reboot", "os-baremetal-nodes:list", "os-baremetal-nodes:show",
        "os-volumes-attachments:swap", "os-server-diagnostics", "os-quota-class-sets:show",
        "os-quota-class-sets:update",
        "os-instance-usage-audit-log:list", "os-instance-usage-audit-log:show", "os-console-auth-tokens"
    ]
    private static let owners = ["os-keypairs:index", "os-keypairs:show", "os-keypairs:create", "os-keypairs:delete"]

    private static let everybodys = ["limits", "os-quota-sets:defaults", "extensions", "os-floating-ip-pools"]

    static func target(_ server: ServerRecord) -> Policy.Target {
        Policy.Target(project: server.project, user: server.user)
    }
}
