extension TwoTenantTable {
    /// See ``TwoTenantLine``.
    static let network = """
        GET /network/v2.0/networks/{id} {id} network foreign=404 gone=404 malformed=404 seen=200
        PUT /network/v2.0/networks/{id} {id} network foreign=404 gone=404 malformed=404 seen=403
        DELETE /network/v2.0/networks/{id} {id} network foreign=404 gone=404 malformed=404 seen=403
        POST /network/v2.0/networks network.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/networks network.tenant_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/networks network.provider:physical_network text foreign=403
        POST /network/v2.0/networks network.provider:segmentation_id text foreign=400
        GET /network/v2.0/subnets/{id} {id} subnet foreign=404 gone=404 malformed=404 seen=200
        PUT /network/v2.0/subnets/{id} {id} subnet foreign=404 gone=404 malformed=404 seen=403
        DELETE /network/v2.0/subnets/{id} {id} subnet foreign=404 gone=404 malformed=404 seen=403
        POST /network/v2.0/subnets subnet.network_id network foreign=404 gone=404 malformed=400 seen=403
        POST /network/v2.0/subnets subnet.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/subnets subnet.tenant_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/subnets subnet.subnetpool_id subnet_pool foreign=404 gone=404 malformed=400
        POST /network/v2.0/subnets subnet.gateway_ip - # an address within the caller's own network
        PUT /network/v2.0/subnets/{id} subnet.gateway_ip - # an address within the caller's own network
        GET /network/v2.0/ports/{id} {id} port foreign=404 gone=404 malformed=404
        PUT /network/v2.0/ports/{id} {id} port foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/ports/{id} {id} port foreign=404 gone=404 malformed=404
        POST /network/v2.0/ports port.network_id network foreign=404 gone=404 malformed=400 seen=201
        POST /network/v2.0/ports port.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/ports port.tenant_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/ports port.device_id device foreign=409 gone=201 malformed=201
        POST /network/v2.0/ports port.device_owner text foreign=201
        POST /network/v2.0/ports port.binding:host_id text foreign=403
        POST /network/v2.0/ports port.mac_address - # an address within the caller's own network
        POST /network/v2.0/ports port.security_groups.0 security_group foreign=404 gone=404 malformed=400
        POST /network/v2.0/ports port.fixed_ips.0.subnet_id subnet foreign=400 gone=404 malformed=400 seen=400
        POST /network/v2.0/ports port.fixed_ips.0.ip_address shared_address foreign=400 gone=400 malformed=400
        POST /network/v2.0/ports port.allowed_address_pairs.0.ip_address shared_address foreign=201 malformed=400
        PUT /network/v2.0/ports/{id} port.device_id device foreign=409 gone=200 malformed=200
        PUT /network/v2.0/ports/{id} port.device_owner text foreign=200
        PUT /network/v2.0/ports/{id} port.binding:host_id text foreign=403
        PUT /network/v2.0/ports/{id} port.mac_address - # administrators change it
        PUT /network/v2.0/ports/{id} port.security_groups.0 security_group foreign=404 gone=404 malformed=400
        PUT /network/v2.0/ports/{id} port.fixed_ips.0.subnet_id subnet foreign=400 gone=404 malformed=400 seen=400
        PUT /network/v2.0/ports/{id} port.fixed_ips.0.ip_address shared_address foreign=400 gone=400 malformed=400
        PUT /network/v2.0/ports/{id} port.allowed_address_pairs.0.ip_address shared_address foreign=200 malformed=400
        GET /network/v2.0/security-groups/{id} {id} security_group foreign=404 gone=404 malformed=404
        PUT /network/v2.0/security-groups/{id} {id} security_group foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/security-groups/{id} {id} security_group foreign=404 gone=404 malformed=404
        POST /network/v2.0/security-groups security_group.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/security-groups security_group.tenant_id project foreign=400 gone=400 malformed=400
        GET /network/v2.0/security-group-rules/{id} {id} security_group_rule foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/security-group-rules/{id} {id} security_group_rule foreign=404 gone=404 malformed=404
        POST /network/v2.0/security-group-rules security_group_rule.security_group_id security_group foreign=404 gone=404
        POST /network/v2.0/security-group-rules security_group_rule.remote_group_id security_group foreign=404 gone=404
        POST /network/v2.0/security-group-rules security_group_rule.remote_address_group_id address_group foreign=404 gone=404 malformed=404
        POST /network/v2.0/security-group-rules security_group_rule.remote_ip_prefix - # addresses are nobody's here
        POST /network/v2.0/security-group-rules security_group_rule.project_id project foreign=400 gone=400
        POST /network/v2.0/security-group-rules security_group_rule.tenant_id project foreign=400 gone=400
        GET /network/v2.0/agents/{id} {id} port foreign=404 gone=404 malformed=404
        GET /network/v2.0/network-ip-availabilities/{id} {id} network foreign=404 gone=404 malformed=404 seen=404
        GET /network/v2.0/networks/{id}/tags {id} network foreign=404 gone=404 malformed=404 seen=200
        PUT /network/v2.0/networks/{id}/tags {id} network foreign=404 gone=404 malformed=404 seen=403
        DELETE /network/v2.0/networks/{id}/tags {id} network foreign=404 gone=404 malformed=404 seen=403
        GET /network/v2.0/networks/{id}/tags/{tag} {id} network foreign=404 gone=404 malformed=404 seen=404
        PUT /network/v2.0/networks/{id}/tags/{tag} {id} network foreign=404 gone=404 malformed=404 seen=403
        DELETE /network/v2.0/networks/{id}/tags/{tag} {id} network foreign=404 gone=404 malformed=404 seen=403
        GET /network/v2.0/ports/{id}/tags {id} port foreign=404 gone=404 malformed=404
        PUT /network/v2.0/ports/{id}/tags {id} port foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/ports/{id}/tags {id} port foreign=404 gone=404 malformed=404
        GET /network/v2.0/ports/{id}/tags/{tag} {id} port foreign=404 gone=404 malformed=404
        PUT /network/v2.0/ports/{id}/tags/{tag} {id} port foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/ports/{id}/tags/{tag} {id} port foreign=404 gone=404 malformed=404
        GET /network/v2.0/quotas/{project} {project} project foreign=403 gone=403
        PUT /network/v2.0/quotas/{project} {project} project foreign=403 gone=403
        DELETE /network/v2.0/quotas/{project} {project} project foreign=403 gone=403
        GET /network/v2.0/quotas/{project}/default {project} project foreign=403 gone=403
        GET /network/v2.0/quotas/{project}/details {project} project foreign=403 gone=403
        GET /network/v2.0/quotas/{project}/details.json {project} project foreign=403 gone=403
        GET /network/v2.0/security-groups/{id}/tags {id} security_group foreign=404 gone=404 malformed=404
        PUT /network/v2.0/security-groups/{id}/tags {id} security_group foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/security-groups/{id}/tags {id} security_group foreign=404 gone=404 malformed=404
        GET /network/v2.0/security-groups/{id}/tags/{tag} {id} security_group foreign=404 gone=404 malformed=404
        PUT /network/v2.0/security-groups/{id}/tags/{tag} {id} security_group foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/security-groups/{id}/tags/{tag} {id} security_group foreign=404 gone=404 malformed=404
        GET /network/v2.0/subnets/{id}/tags {id} subnet foreign=404 gone=404 malformed=404 seen=200
        PUT /network/v2.0/subnets/{id}/tags {id} subnet foreign=404 gone=404 malformed=404 seen=403
        DELETE /network/v2.0/subnets/{id}/tags {id} subnet foreign=404 gone=404 malformed=404 seen=403
        GET /network/v2.0/subnets/{id}/tags/{tag} {id} subnet foreign=404 gone=404 malformed=404 seen=404
        PUT /network/v2.0/subnets/{id}/tags/{tag} {id} subnet foreign=404 gone=404 malformed=404 seen=403
        DELETE /network/v2.0/subnets/{id}/tags/{tag} {id} subnet foreign=404 gone=404 malformed=404 seen=403
        """
}
