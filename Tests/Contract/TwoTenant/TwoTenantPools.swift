extension TwoTenantTable {
    /// See ``TwoTenantLine``.
    static let subnetPools = """
        GET /network/v2.0/subnetpools/{id} {id} subnet_pool foreign=404 gone=404 malformed=404
        PUT /network/v2.0/subnetpools/{id} {id} subnet_pool foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/subnetpools/{id} {id} subnet_pool foreign=404 gone=404 malformed=404
        POST /network/v2.0/subnetpools subnetpool.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/subnetpools subnetpool.tenant_id project foreign=400 gone=400 malformed=400
        GET /network/v2.0/address-scopes/{id} {id} address_scope foreign=404 gone=404 malformed=404
        PUT /network/v2.0/address-scopes/{id} {id} address_scope foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/address-scopes/{id} {id} address_scope foreign=404 gone=404 malformed=404
        POST /network/v2.0/address-scopes address_scope.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/address-scopes address_scope.tenant_id project foreign=400 gone=400 malformed=400
        GET /network/v2.0/subnetpools/{id}/tags {id} subnet_pool foreign=404 gone=404 malformed=404
        GET /network/v2.0/subnetpools/{id}/tags/{tag} {id} subnet_pool foreign=404 gone=404 malformed=404
        PUT /network/v2.0/subnetpools/{id}/tags {id} subnet_pool foreign=404 gone=404 malformed=404
        PUT /network/v2.0/subnetpools/{id}/tags/{tag} {id} subnet_pool foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/subnetpools/{id}/tags {id} subnet_pool foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/subnetpools/{id}/tags/{tag} {id} subnet_pool foreign=404 gone=404 malformed=404
        PUT /network/v2.0/subnetpools/{id}/add_prefixes {id} subnet_pool foreign=404 gone=404 malformed=404
        PUT /network/v2.0/subnetpools/{id}/remove_prefixes {id} subnet_pool foreign=404 gone=404 malformed=404
        PUT /network/v2.0/subnetpools/{id}/onboard_network_subnets {id} subnet_pool foreign=404 gone=404 malformed=404
        PUT /network/v2.0/subnetpools/{id}/onboard_network_subnets network_id network foreign=404 gone=404 malformed=400 seen=403
        POST /network/v2.0/subnetpools subnetpool.address_scope_id address_scope foreign=404 gone=404 malformed=400
        PUT /network/v2.0/subnetpools/{id} subnetpool.address_scope_id address_scope foreign=404 gone=404 malformed=400
        GET /network/v2.0/address-groups/{id} {id} address_group foreign=404 gone=404 malformed=404
        GET /network/v2.0/address-groups/{id}/tags {id} address_group foreign=404 gone=404 malformed=404
        GET /network/v2.0/address-groups/{id}/tags/{tag} {id} address_group foreign=404 gone=404 malformed=404
        PUT /network/v2.0/address-groups/{id} {id} address_group foreign=404 gone=404 malformed=404
        PUT /network/v2.0/address-groups/{id}/tags {id} address_group foreign=404 gone=404 malformed=404
        PUT /network/v2.0/address-groups/{id}/tags/{tag} {id} address_group foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/address-groups/{id} {id} address_group foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/address-groups/{id}/tags {id} address_group foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/address-groups/{id}/tags/{tag} {id} address_group foreign=404 gone=404 malformed=404
        PUT /network/v2.0/address-groups/{id}/add_addresses {id} address_group foreign=404 gone=404 malformed=404
        PUT /network/v2.0/address-groups/{id}/remove_addresses {id} address_group foreign=404 gone=404 malformed=404
        POST /network/v2.0/address-groups address_group.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/address-groups address_group.tenant_id project foreign=400 gone=400 malformed=400
        GET /network/v2.0/rbac-policies/{id} {id} rbac_policy foreign=404 gone=404 malformed=404
        PUT /network/v2.0/rbac-policies/{id} {id} rbac_policy foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/rbac-policies/{id} {id} rbac_policy foreign=404 gone=404 malformed=404
        POST /network/v2.0/rbac-policies rbac_policy.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/rbac-policies rbac_policy.tenant_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/rbac-policies rbac_policy.object_id network foreign=404 gone=404 malformed=400 seen=400
        """
}
