"""The routes of the network, compute and volume services, written as in `routes`."""

LISTED = "id,name,project_id,tenant_id,description,limit,marker,sort_key,sort_dir,page_reverse,fields,colour"
NETWORK_TAGS = "\n".join(
    f"GET PUT:net_tags DELETE /v2.0/{path}/{{{kind}}}/tags\nGET PUT DELETE /v2.0/{path}/{{{kind}}}/tags/{{tag}}"
    for path, kind in (
        ("networks", "network"), ("subnets", "subnet"), ("ports", "port"), ("routers", "router"),
        ("floatingips", "floatingip"), ("security-groups", "security_group"), ("subnetpools", "subnetpool"),
        ("address-groups", "address_group")))

NETWORK = f"""
GET /
GET /v2.0
GET /v2.0/extensions
GET /v2.0/extensions/{{tag}}
GET /v2.0/agents ?host,binary,agent_type,alive,id,limit,marker
GET /v2.0/agents/{{agent}}
GET /v2.0/availability_zones ?name,state,resource
GET /v2.0/network-ip-availabilities ?network_id,network_name,ip_version,project_id,tenant_id
GET /v2.0/network-ip-availabilities/{{network}}
GET /v2.0/quotas
GET /v2.0/quotas/project
GET /v2.0/quotas/tenant
GET PUT:net_quota DELETE /v2.0/quotas/{{any_project}}
GET /v2.0/quotas/{{any_project}}/default
GET /v2.0/quotas/{{any_project}}/details
GET /v2.0/quotas/{{any_project}}/details.json
GET POST:network>network /v2.0/networks \
?{LISTED},shared,router:external,admin_state_up,status,mtu,tags,not-tags-any,revision_number,provider:network_type
GET PUT:network_change DELETE /v2.0/networks/{{network}} ?fields
GET POST:subnet>subnet /v2.0/subnets ?{LISTED},network_id,cidr,ip_version,gateway_ip,enable_dhcp,subnetpool_id,tags-any
GET PUT:subnet_change DELETE /v2.0/subnets/{{subnet}} ?fields
GET POST:port>port /v2.0/ports \
?{LISTED},network_id,device_id,device_owner,mac_address,fixed_ips,status,binding:host_id,security_groups,ip_allocation
POST:ports>port /v2.0/ports
GET PUT:port_change DELETE /v2.0/ports/{{port}} ?fields
GET POST:security_group>security_group /v2.0/security-groups ?{LISTED},shared,stateful,tags
GET PUT:security_group_change DELETE /v2.0/security-groups/{{security_group}} ?fields
GET POST:security_group_rule>security_group_rule /v2.0/security-group-rules \
?{LISTED},security_group_id,direction,ethertype,protocol,port_range_min,remote_group_id,remote_ip_prefix
GET DELETE /v2.0/security-group-rules/{{security_group_rule}} ?fields
GET POST:router>router /v2.0/routers ?{LISTED},admin_state_up,status,ha,distributed,external_gateway_info
GET PUT:router_change DELETE /v2.0/routers/{{router}} ?fields
PUT:router_interface /v2.0/routers/{{router}}/add_router_interface
PUT:router_interface /v2.0/routers/{{router}}/remove_router_interface
PUT:extra_routes /v2.0/routers/{{router}}/add_extraroutes
PUT:extra_routes /v2.0/routers/{{router}}/remove_extraroutes
GET POST:floatingip>floatingip /v2.0/floatingips \
?{LISTED},floating_ip_address,fixed_ip_address,floating_network_id,port_id,router_id,status
GET PUT:floatingip_change DELETE /v2.0/floatingips/{{floatingip}} ?fields
GET POST:port_forwarding>port_forwarding /v2.0/floatingips/{{floatingip}}/port_forwardings ?{LISTED},protocol
GET PUT:port_forwarding_change DELETE /v2.0/floatingips/{{floatingip}}/port_forwardings/{{port_forwarding}} ?fields
GET POST:subnetpool>subnetpool /v2.0/subnetpools ?{LISTED},prefixes,ip_version,shared,is_default,address_scope_id
GET PUT:subnetpool_change DELETE /v2.0/subnetpools/{{subnetpool}} ?fields
PUT:net_prefixes /v2.0/subnetpools/{{subnetpool}}/add_prefixes
PUT:net_prefixes /v2.0/subnetpools/{{subnetpool}}/remove_prefixes
PUT:onboarding /v2.0/subnetpools/{{subnetpool}}/onboard_network_subnets
GET POST:address_scope>address_scope /v2.0/address-scopes ?{LISTED},ip_version,shared
GET PUT:address_scope_change DELETE /v2.0/address-scopes/{{address_scope}} ?fields
GET POST:address_group>address_group /v2.0/address-groups ?{LISTED},addresses
GET PUT:address_group_change DELETE /v2.0/address-groups/{{address_group}} ?fields
PUT:net_addresses /v2.0/address-groups/{{address_group}}/add_addresses
PUT:net_addresses /v2.0/address-groups/{{address_group}}/remove_addresses
GET POST:rbac_policy>rbac_policy /v2.0/rbac-policies ?{LISTED},object_id,object_type,target_tenant,action
GET PUT:rbac_change DELETE /v2.0/rbac-policies/{{rbac_policy}} ?fields
{NETWORK_TAGS}
"""

SERVERS = (
    "all_tenants,name,status,vm_state,task_state,host,node,image,flavor,ip,ip6,limit,marker,sort_key,sort_dir,tags,"
    "not-tags-any,changes-since,changes-before,project_id,user_id,deleted,soft_deleted,locked,uuid,reservation_id,"
    "availability_zone,config_drive,power_state,key_name,description,created_at,colour")

COMPUTE = f"""
GET /
GET /v2.1
GET /v2.1/extensions
GET /v2.1/extensions/{{tag}}
GET POST:server>server /v2.1/servers ?{SERVERS}
POST:server>server /v2.1/servers
GET /v2.1/servers/detail ?{SERVERS}
GET PUT:server_change DELETE /v2.1/servers/{{server}}
POST:server_power /v2.1/servers/{{server}}/action
POST:server_action /v2.1/servers/{{server}}/action
POST:server_action /v2.1/servers/{{server}}/action
POST:server_action /v2.1/servers/{{server}}/action
POST:remote_console /v2.1/servers/{{server}}/remote-consoles
GET /v2.1/servers/{{server}}/ips
GET /v2.1/servers/{{server}}/ips/{{tag}}
GET POST:nova_metadata PUT:nova_metadata /v2.1/servers/{{server}}/metadata
GET PUT:meta DELETE /v2.1/servers/{{server}}/metadata/{{key}}
GET PUT:net_tags DELETE /v2.1/servers/{{server}}/tags
GET PUT DELETE /v2.1/servers/{{server}}/tags/{{tag}}
GET /v2.1/servers/{{server}}/migrations
GET DELETE /v2.1/servers/{{server}}/migrations/{{number}}
POST:complete_migration /v2.1/servers/{{server}}/migrations/{{number}}/action
GET /v2.1/servers/{{server}}/os-instance-actions ?limit,marker,changes-since,changes-before
GET /v2.1/servers/{{server}}/os-instance-actions/{{tag}}
GET POST:interface /v2.1/servers/{{server}}/os-interface
GET DELETE /v2.1/servers/{{server}}/os-interface/{{port}}
GET /v2.1/servers/{{server}}/os-security-groups
GET DELETE /v2.1/servers/{{server}}/os-server-password
GET /v2.1/servers/{{server}}/os-virtual-interfaces
GET POST:volume_attachment /v2.1/servers/{{server}}/os-volume_attachments ?limit,offset
GET PUT:volume_attachment DELETE /v2.1/servers/{{server}}/os-volume_attachments/{{volume}}
GET /v2.1/servers/{{server}}/topology
GET POST:server_change /v2.1/servers/{{server}}/consoles
GET POST:flavor>flavor /v2.1/flavors ?limit,marker,sort_key,sort_dir,is_public,minRam,minDisk
GET /v2.1/flavors/detail ?limit,marker,sort_key,sort_dir,is_public,minRam,minDisk
GET PUT:flavor_change DELETE /v2.1/flavors/{{flavor}}
POST:flavor_access /v2.1/flavors/{{flavor}}/action
GET /v2.1/flavors/{{flavor}}/os-flavor-access
GET POST:extra_specs /v2.1/flavors/{{flavor}}/os-extra_specs
GET PUT:extra_spec DELETE /v2.1/flavors/{{flavor}}/os-extra_specs/{{key}}
GET POST:keypair>keypair /v2.1/os-keypairs ?user_id,limit,marker
GET DELETE /v2.1/os-keypairs/{{keypair}} ?user_id
GET POST:server_group>server_group /v2.1/os-server-groups ?limit,offset,all_projects
GET DELETE /v2.1/os-server-groups/{{server_group}}
GET POST:aggregate>aggregate /v2.1/os-aggregates
GET PUT:aggregate_change DELETE /v2.1/os-aggregates/{{aggregate}}
POST:aggregate_action /v2.1/os-aggregates/{{aggregate}}/action
POST:aggregate_images /v2.1/os-aggregates/{{aggregate}}/images
GET PUT:nova_quota DELETE /v2.1/os-quota-sets/{{any_project}} ?user_id
GET /v2.1/os-quota-sets/{{any_project}}/defaults
GET /v2.1/os-quota-sets/{{any_project}}/detail
GET /v2.1/limits ?tenant_id,reserved
GET /v2.1/os-availability-zone
GET /v2.1/os-availability-zone/detail
GET /v2.1/os-hypervisors ?limit,marker,hypervisor_hostname_pattern,with_servers
GET /v2.1/os-hypervisors/detail ?limit,marker,hypervisor_hostname_pattern,with_servers
GET /v2.1/os-hypervisors/statistics
GET /v2.1/os-hypervisors/{{hypervisor}} ?with_servers
GET /v2.1/os-hypervisors/{{hypervisor}}/uptime
GET /v2.1/os-hypervisors/{{hypervisor}}/search
GET /v2.1/os-hypervisors/{{hypervisor}}/servers
GET /v2.1/os-services ?host,binary
PUT:nova_service /v2.1/os-services/{{nova_service}}
GET /v2.1/os-hosts ?zone,service
GET PUT:nova_host /v2.1/os-hosts/{{host}}
GET /v2.1/os-hosts/{{host}}/startup
GET /v2.1/os-migrations ?host,status,source_compute,instance_uuid,migration_type,limit,marker,changes-since,user_id
GET /v2.1/os-simple-tenant-usage ?start,end,detailed,limit,marker
GET /v2.1/os-simple-tenant-usage/{{any_project}} ?start,end,limit,marker
POST:external_events /v2.1/os-server-external-events
POST:assisted_snapshot /v2.1/os-assisted-volume-snapshots
DELETE /v2.1/os-assisted-volume-snapshots/{{volume_snapshot}}
GET /v2.1/images ?limit,marker,name,status,server,type,minRam,changes-since
GET /v2.1/images/detail ?limit,marker,name,status,server,type,minRam,changes-since
GET DELETE /v2.1/images/{{image}}
GET POST:nova_metadata PUT:nova_metadata /v2.1/images/{{image}}/metadata
GET PUT:meta DELETE /v2.1/images/{{image}}/metadata/{{key}}
GET POST:proxy_floating_ip /v2.1/os-floating-ips
GET DELETE /v2.1/os-floating-ips/{{floatingip}}
GET /v2.1/os-floating-ip-pools
GET /v2.1/os-networks
GET /v2.1/os-networks/{{network}}
GET /v2.1/os-tenant-networks
GET /v2.1/os-tenant-networks/{{network}}
GET POST:proxy_group /v2.1/os-security-groups ?limit,offset,all_tenants
GET PUT:proxy_group DELETE /v2.1/os-security-groups/{{security_group}}
POST:proxy_rule /v2.1/os-security-group-rules
DELETE /v2.1/os-security-group-rules/{{security_group_rule}}
"""

VOLUMES = (
    "limit,marker,offset,sort,sort_key,sort_dir,all_tenants,name,display_name,status,metadata,bootable,project_id,"
    "created_at,updated_at,with_count,migration_status,group_id,availability_zone,glance_metadata,consumes_quota,name~,"
    "colour")
PAGED = "limit,marker,offset,sort,all_tenants,project_id,status,with_count,colour"


def absent(path):
    return (f"GET POST:volume_change /v3/{{own_project}}/{path}\nGET /v3/{{own_project}}/{path}/detail\n"
            f"GET PUT:volume_change DELETE /v3/{{own_project}}/{path}/{{tag}}")


BASE = "/v3/{own_project}"
TRANSFERS = "\n".join(
    f"GET POST:transfer>transfer {BASE}/{path}\nGET {BASE}/{path}/detail ?{PAGED}\n"
    f"GET DELETE {BASE}/{path}/{{transfer}}\nPOST:accept {BASE}/{path}/{{transfer}}/accept"
    for path in ("volume-transfers", "os-volume-transfer"))
ABSENT = "\n".join(map(absent, ("backups", "groups", "group_types", "group_snapshots", "consistencygroups")))

VOLUME = f"""
GET /
GET /v3
GET POST:volume>volume {BASE}/volumes ?{VOLUMES}
POST:volume>volume {BASE}/volumes
GET {BASE}/volumes/detail ?{VOLUMES}
GET {BASE}/volumes/summary ?{PAGED}
GET PUT:volume_change DELETE {BASE}/volumes/{{volume}} ?cascade,force
POST:volume_action {BASE}/volumes/{{volume}}/action
POST:volume_action {BASE}/volumes/{{volume}}/action
GET {BASE}/volumes/{{volume}}/encryption
GET {BASE}/volumes/{{volume}}/encryption/{{key}}
GET POST:nova_metadata PUT:nova_metadata {BASE}/volumes/{{volume}}/metadata
GET PUT:meta DELETE {BASE}/volumes/{{volume}}/metadata/{{key}}
GET POST:snapshot>volume_snapshot {BASE}/snapshots ?{VOLUMES},volume_id
GET {BASE}/snapshots/detail ?{VOLUMES},volume_id
GET PUT:snapshot_change DELETE {BASE}/snapshots/{{volume_snapshot}}
POST:snapshot_action {BASE}/snapshots/{{volume_snapshot}}/action
GET POST:nova_metadata PUT:nova_metadata {BASE}/snapshots/{{volume_snapshot}}/metadata
GET PUT:meta DELETE {BASE}/snapshots/{{volume_snapshot}}/metadata/{{key}}
GET POST:attachment>attachment {BASE}/attachments ?{PAGED},volume_id,instance_id
GET {BASE}/attachments/detail ?{PAGED},volume_id,instance_id
GET PUT:attachment_change DELETE {BASE}/attachments/{{attachment}}
POST:attachment_action {BASE}/attachments/{{attachment}}/action
GET POST:volume_type>volume_type {BASE}/types ?{PAGED},is_public,extra_specs,name
GET PUT:volume_type_change DELETE {BASE}/types/{{volume_type}}
GET {BASE}/types/default
POST:type_access {BASE}/types/{{volume_type}}/action
GET {BASE}/types/{{volume_type}}/os-volume-type-access
GET POST:extra_specs {BASE}/types/{{volume_type}}/extra_specs
GET PUT:extra_spec DELETE {BASE}/types/{{volume_type}}/extra_specs/{{key}}
GET POST:encryption {BASE}/types/{{volume_type}}/encryption
GET PUT:encryption DELETE {BASE}/types/{{volume_type}}/encryption/{{key}}
GET {BASE}/default-types
GET PUT:default_type DELETE {BASE}/default-types/{{any_project}}
GET POST:qos>qos {BASE}/qos-specs ?{PAGED},consumer,name
GET PUT:qos_change DELETE {BASE}/qos-specs/{{qos}} ?force
PUT:qos_keys {BASE}/qos-specs/{{qos}}/delete_keys
GET {BASE}/qos-specs/{{qos}}/associations
GET {BASE}/qos-specs/{{qos}}/associate ?vol_type_id
GET {BASE}/qos-specs/{{qos}}/disassociate ?vol_type_id
GET {BASE}/qos-specs/{{qos}}/disassociate_all
GET {BASE}/messages ?{PAGED},resource_uuid,event_id
GET DELETE {BASE}/messages/{{message}}
GET PUT:volume_quota DELETE {BASE}/os-quota-sets/{{any_project}} ?usage
GET {BASE}/os-quota-sets/{{any_project}}/defaults
GET PUT:volume_class_quota {BASE}/os-quota-class-sets/{{tag}}
GET {BASE}/limits ?project_id
GET {BASE}/os-availability-zone
GET {BASE}/extensions
GET {BASE}/extensions/{{tag}}
GET {BASE}/os-services ?host,binary
PUT:volume_service {BASE}/os-services/{{service_verb}}
GET {BASE}/scheduler-stats/get_pools ?detail
GET {BASE}/os-hosts
GET {BASE}/os-hosts/{{host}}
GET {BASE}/capabilities/{{host}}
GET {BASE}/clusters
GET {BASE}/clusters/detail
POST:volume_change {BASE}/workers/cleanup
GET {BASE}/resource_filters ?resource
GET POST:manage {BASE}/manageable_volumes ?host,{PAGED}
GET POST:manage {BASE}/manageable_snapshots ?host,{PAGED}
{TRANSFERS}
{ABSENT}
"""
