extension TwoTenantTable {
    /// See ``TwoTenantLine``.
    static let compute = """
        GET /compute/v2.1/servers/{server_id} {server_id} server foreign=404 gone=404 malformed=404
        PUT /compute/v2.1/servers/{server_id} {server_id} server foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/servers/{server_id} {server_id} server foreign=404 gone=404 malformed=404
        POST /compute/v2.1/servers/{server_id}/action {server_id} server foreign=404 gone=404 malformed=404
        POST /compute/v2.1/servers server.imageRef image foreign=400 gone=400 malformed=400 seen=202
        POST /compute/v2.1/servers server.flavorRef flavor foreign=400 gone=400 malformed=400 seen=202
        POST /compute/v2.1/servers server.key_name keypair foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers server.networks.0.uuid network foreign=400 gone=400 malformed=400 seen=202
        POST /compute/v2.1/servers server.networks.0.port port foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers server.networks.0.fixed_ip shared_address foreign=400 malformed=400
        GET /compute/v2.1/flavors/{flavor_id} {flavor_id} flavor foreign=404 gone=404 malformed=404 seen=200
        PUT /compute/v2.1/flavors/{flavor_id} {flavor_id} flavor foreign=403 gone=403 malformed=403 seen=403
        DELETE /compute/v2.1/flavors/{flavor_id} {flavor_id} flavor foreign=403 gone=403 malformed=403 seen=403
        POST /compute/v2.1/flavors/{flavor_id}/action {flavor_id} flavor foreign=403 gone=403 malformed=403 seen=403
        GET /compute/v2.1/flavors/{flavor_id}/os-extra_specs {flavor_id} flavor foreign=404 gone=404 malformed=404 seen=200
        POST /compute/v2.1/flavors/{flavor_id}/os-extra_specs {flavor_id} flavor foreign=403 gone=403 malformed=403 seen=403
        GET /compute/v2.1/flavors/{flavor_id}/os-extra_specs/{key} {flavor_id} flavor foreign=404 gone=404 malformed=404 seen=404
        PUT /compute/v2.1/flavors/{flavor_id}/os-extra_specs/{key} {flavor_id} flavor foreign=403 gone=403 malformed=403 seen=403
        DELETE /compute/v2.1/flavors/{flavor_id}/os-extra_specs/{key} {flavor_id} flavor foreign=403 gone=403 malformed=403 seen=403
        GET /compute/v2.1/flavors/{flavor_id}/os-flavor-access {flavor_id} flavor foreign=403 gone=403 malformed=403 seen=403
        GET /compute/v2.1/os-aggregates/{id} {id} server foreign=403 gone=403 malformed=403
        PUT /compute/v2.1/os-aggregates/{id} {id} server foreign=403 gone=403 malformed=403
        DELETE /compute/v2.1/os-aggregates/{id} {id} server foreign=403 gone=403 malformed=403
        POST /compute/v2.1/os-aggregates/{id}/action {id} server foreign=403 gone=403 malformed=403
        POST /compute/v2.1/os-aggregates/{id}/images {id} server foreign=403 gone=403 malformed=403
        POST /compute/v2.1/os-aggregates/{id}/action add_host.host text foreign=403
        GET /compute/v2.1/os-security-groups/{id} {id} security_group foreign=404 gone=404 malformed=404 # from 2.36 on
        PUT /compute/v2.1/os-security-groups/{id} {id} security_group foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/os-security-groups/{id} {id} security_group foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/os-security-group-rules/{id} {id} security_group_rule foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/os-security-groups {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/os-hypervisors/{id} {id} server foreign=403 gone=403 malformed=403
        GET /compute/v2.1/os-hypervisors/{id}/search {id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/os-hypervisors/{id}/servers {id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/os-hypervisors/{id}/uptime {id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/os-keypairs/{name} {name} keypair foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/os-keypairs/{name} {name} keypair foreign=404 gone=404 malformed=404
        GET /compute/v2.1/os-quota-sets/{project_id} {project_id} project foreign=403 gone=403
        PUT /compute/v2.1/os-quota-sets/{project_id} {project_id} project foreign=403 gone=403
        DELETE /compute/v2.1/os-quota-sets/{project_id} {project_id} project foreign=403 gone=403
        GET /compute/v2.1/os-quota-sets/{project_id}/defaults {project_id} project foreign=200 gone=200
        GET /compute/v2.1/os-quota-sets/{project_id}/detail {project_id} project foreign=403 gone=403
        GET /compute/v2.1/os-server-groups/{id} {id} server_group foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/os-server-groups/{id} {id} server_group foreign=404 gone=404 malformed=404
        PUT /compute/v2.1/os-services/{id} {id} server foreign=403 gone=403 malformed=403
        GET /compute/v2.1/os-simple-tenant-usage/{project_id} {project_id} project foreign=403 gone=403
        GET /compute/v2.1/servers/{id}/tags {id} server foreign=404 gone=404 malformed=404
        PUT /compute/v2.1/servers/{id}/tags {id} server foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/servers/{id}/tags {id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{id}/tags/{tag} {id} server foreign=404 gone=404 malformed=404
        PUT /compute/v2.1/servers/{id}/tags/{tag} {id} server foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/servers/{id}/tags/{tag} {id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/ips {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/ips/{network} {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/metadata {server_id} server foreign=404 gone=404 malformed=404
        POST /compute/v2.1/servers/{server_id}/metadata {server_id} server foreign=404 gone=404 malformed=404
        PUT /compute/v2.1/servers/{server_id}/metadata {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/metadata/{key} {server_id} server foreign=404 gone=404 malformed=404
        PUT /compute/v2.1/servers/{server_id}/metadata/{key} {server_id} server foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/servers/{server_id}/metadata/{key} {server_id} server foreign=404 gone=404 malformed=404
        POST /compute/v2.1/servers/{server_id}/action rebuild.imageRef image foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers/{server_id}/action rebuild.key_name keypair foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers/{server_id}/action rescue.rescue_image_ref image foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers/{server_id}/action resize.flavorRef flavor foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers/{server_id}/action evacuate.host text foreign=403
        POST /compute/v2.1/servers/{server_id}/action unshelve.host text foreign=409
        POST /compute/v2.1/servers/{server_id}/action unshelve.availability_zone text foreign=409
        POST /compute/v2.1/servers/{server_id}/action migrate.host text foreign=403
        POST /compute/v2.1/servers/{server_id}/action os-migrateLive.host text foreign=403
        GET /compute/v2.1/servers/{server_id}/migrations/{id} {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/migrations/{id} {id} text foreign=403
        DELETE /compute/v2.1/servers/{server_id}/migrations/{id} {server_id} server foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/servers/{server_id}/migrations/{id} {id} text foreign=403
        POST /compute/v2.1/servers/{server_id}/migrations/{id}/action {server_id} server foreign=404 gone=404 malformed=404
        POST /compute/v2.1/servers/{server_id}/migrations/{id}/action {id} text foreign=403
        GET /compute/v2.1/servers/{server_id}/migrations {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/os-instance-actions {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/os-instance-actions/{request_id} {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/os-interface {server_id} server foreign=404 gone=404 malformed=404
        POST /compute/v2.1/servers/{server_id}/os-interface {server_id} server foreign=404 gone=404 malformed=404
        POST /compute/v2.1/servers/{server_id}/os-interface interfaceAttachment.port_id port foreign=404 gone=404 malformed=400
        POST /compute/v2.1/servers/{server_id}/os-interface interfaceAttachment.net_id network foreign=404 gone=404 malformed=400
        POST /compute/v2.1/servers/{server_id}/os-interface interfaceAttachment.fixed_ips.0.ip_address shared_address foreign=400 malformed=400
        DELETE /compute/v2.1/servers/{server_id}/os-interface/{port_id} {server_id} server foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/servers/{server_id}/os-interface/{port_id} {port_id} port foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/os-interface/{port_id} {port_id} port foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/os-interface/{port_id} {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/os-volume_attachments {server_id} server foreign=404 gone=404 malformed=404
        POST /compute/v2.1/servers/{server_id}/os-volume_attachments {server_id} server foreign=404 gone=404 malformed=404
        POST /compute/v2.1/servers/{server_id}/os-volume_attachments volumeAttachment.volumeId volume foreign=404 gone=404 malformed=400
        GET /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} {volume_id} volume foreign=404 gone=404 malformed=404
        PUT /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} {server_id} server foreign=404 gone=404 malformed=404
        PUT /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} {volume_id} volume foreign=403 gone=403 malformed=403
        PUT /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} volumeAttachment.id volume foreign=403 gone=403 malformed=400
        DELETE /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} {server_id} server foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} {volume_id} volume foreign=404 gone=404 malformed=404
        POST /compute/v2.1/servers/{server_id}/remote-consoles {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/os-console-auth-tokens/{token} {token} - # a secret: whoever has it may use it, and only administrators look it up
        POST /compute/v2.1/flavors/{flavor_id}/action addTenantAccess.tenant project foreign=403 gone=403
        POST /compute/v2.1/os-keypairs keypair.user_id user foreign=403 gone=403 malformed=400
        POST /compute/v2.1/servers server.security_groups.0.name security_group foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers server.availability_zone text foreign=400
        POST /compute/v2.1/servers server.host text foreign=403
        POST /compute/v2.1/servers server.hypervisor_hostname text foreign=403
        POST /compute/v2.1/servers os:scheduler_hints.group server_group foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers OS-SCH-HNT:scheduler_hints.group server_group foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers os:scheduler_hints.same_host server foreign=202 gone=202 malformed=400
        POST /compute/v2.1/servers os:scheduler_hints.different_host server foreign=202 gone=202 malformed=400
        POST /compute/v2.1/servers server.block_device_mapping_v2.0.uuid image foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers server.block_device_mapping.0.volume_id image foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers server.block_device_mapping_v2.0.image_id image foreign=400 gone=400 malformed=400
        POST /compute/v2.1/servers server.block_device_mapping_v2.0.snapshot_id image foreign=400 gone=400 malformed=400
        GET /compute/v2.1/servers/{server_id}/diagnostics {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/os-volumes/{volume_id} {volume_id} volume foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/os-volumes/{volume_id} {volume_id} volume foreign=404 gone=404 malformed=404
        POST /compute/v2.1/os-volumes volume.snapshot_id volume_snapshot foreign=404 gone=404 malformed=400
        POST /compute/v2.1/os-volumes volume.availability_zone - # zones are for everybody
        GET /compute/v2.1/os-snapshots/{snapshot_id} {snapshot_id} volume_snapshot foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/os-snapshots/{snapshot_id} {snapshot_id} volume_snapshot foreign=404 gone=404 malformed=404
        POST /compute/v2.1/os-snapshots snapshot.volume_id volume foreign=404 gone=404 malformed=400
        GET /compute/v2.1/servers ?project_id project foreign=200 gone=200
        GET /compute/v2.1/servers ?user_id user foreign=200 gone=200
        GET /compute/v2.1/servers/detail ?project_id project foreign=200 gone=200
        GET /compute/v2.1/servers/detail ?tenant_id project foreign=200 gone=200
        GET /compute/v2.1/servers/detail ?uuid server foreign=200 gone=200
        GET /compute/v2.1/os-keypairs ?user_id user foreign=403 gone=403
        GET /compute/v2.1/os-keypairs/{name} ?user_id user foreign=403 gone=403
        DELETE /compute/v2.1/os-keypairs/{name} ?user_id user foreign=403 gone=403
        GET /compute/v2.1/limits ?tenant_id project foreign=403 gone=403
        POST /compute/v2.1/servers server.return_reservation_id - # a flag, whatever it is called
        """

    /// What old versions have of other services, and what nobody has any more.
    static let computeProxies = """
        GET /compute/v2.1/images/{id} {id} image foreign=404 gone=404 malformed=404 seen=404 # from 2.36 on
        DELETE /compute/v2.1/images/{id} {id} image foreign=404 gone=404 malformed=404
        GET /compute/v2.1/images/{id}/metadata {id} image foreign=404 gone=404 malformed=404
        POST /compute/v2.1/images/{id}/metadata {id} image foreign=404 gone=404 malformed=404
        PUT /compute/v2.1/images/{id}/metadata {id} image foreign=404 gone=404 malformed=404
        GET /compute/v2.1/images/{id}/metadata/{key} {id} image foreign=404 gone=404 malformed=404
        PUT /compute/v2.1/images/{id}/metadata/{key} {id} image foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/images/{id}/metadata/{key} {id} image foreign=404 gone=404 malformed=404
        GET /compute/v2.1/os-floating-ips/{id} {id} floating_ip foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/os-floating-ips/{id} {id} floating_ip foreign=404 gone=404 malformed=404
        GET /compute/v2.1/os-tenant-networks/{id} {id} network foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/os-tenant-networks/{id} {id} network foreign=410 gone=410
        GET /compute/v2.1/os-networks/{id} {id} network foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/os-networks/{id} {id} network foreign=410 gone=410
        POST /compute/v2.1/os-networks/{id}/action {id} network foreign=410 gone=410
        PUT /compute/v2.1/os-agents/{id} {id} server foreign=410
        DELETE /compute/v2.1/os-agents/{id} {id} server foreign=410
        GET /compute/v2.1/os-certificates/{id} {id} server foreign=410
        GET /compute/v2.1/os-cells/{id} {id} server foreign=410
        PUT /compute/v2.1/os-cells/{id} {id} server foreign=410
        DELETE /compute/v2.1/os-cells/{id} {id} server foreign=410
        GET /compute/v2.1/os-cells/{id}/capacities {id} server foreign=410
        GET /compute/v2.1/os-fping/{id} {id} server foreign=410
        GET /compute/v2.1/os-fixed-ips/{id} {id} server foreign=410
        POST /compute/v2.1/os-fixed-ips/{id}/action {id} server foreign=410
        PUT /compute/v2.1/os-floating-ip-dns/{id} {id} server foreign=410
        DELETE /compute/v2.1/os-floating-ip-dns/{id} {id} server foreign=410
        GET /compute/v2.1/os-floating-ip-dns/{id}/entries/{entry} {id} server foreign=410
        GET /compute/v2.1/os-floating-ip-dns/{id}/entries/{entry} {entry} server foreign=410
        PUT /compute/v2.1/os-floating-ip-dns/{id}/entries/{entry} {id} server foreign=410
        PUT /compute/v2.1/os-floating-ip-dns/{id}/entries/{entry} {entry} server foreign=410
        DELETE /compute/v2.1/os-floating-ip-dns/{id}/entries/{entry} {id} server foreign=410
        DELETE /compute/v2.1/os-floating-ip-dns/{id}/entries/{entry} {entry} server foreign=410
        GET /compute/v2.1/os-floating-ips-bulk/{id} {id} server foreign=410
        PUT /compute/v2.1/os-floating-ips-bulk/{id} {id} server foreign=410
        GET /compute/v2.1/os-security-group-default-rules/{id} {id} server foreign=410
        DELETE /compute/v2.1/os-security-group-default-rules/{id} {id} server foreign=410
        GET /compute/v2.1/servers/{server_id}/consoles {server_id} server foreign=410
        POST /compute/v2.1/servers/{server_id}/consoles {server_id} server foreign=410
        GET /compute/v2.1/servers/{server_id}/consoles/{id} {server_id} server foreign=410
        GET /compute/v2.1/servers/{server_id}/consoles/{id} {id} server foreign=410
        DELETE /compute/v2.1/servers/{server_id}/consoles/{id} {server_id} server foreign=410
        DELETE /compute/v2.1/servers/{server_id}/consoles/{id} {id} server foreign=410
        GET /compute/v2.1/servers/{server_id}/os-virtual-interfaces {server_id} server foreign=410
        GET /compute/v2.1/servers/{server_id}/os-server-password {server_id} server foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/servers/{server_id}/os-server-password {server_id} server foreign=404 gone=404 malformed=404
        GET /compute/v2.1/servers/{server_id}/topology {server_id} server foreign=404 gone=404 malformed=404
        DELETE /compute/v2.1/os-assisted-volume-snapshots/{id} {id} server foreign=403 gone=403 malformed=403
        GET /compute/v2.1/os-hosts/{name} {name} text foreign=403
        PUT /compute/v2.1/os-hosts/{name} {name} text foreign=403
        GET /compute/v2.1/os-hosts/{name}/startup {name} text foreign=403
        GET /compute/v2.1/os-hosts/{name}/shutdown {name} text foreign=403
        GET /compute/v2.1/os-hosts/{name}/reboot {name} text foreign=403
        GET /compute/v2.1/os-baremetal-nodes/{id} {id} server foreign=403
        """
}
