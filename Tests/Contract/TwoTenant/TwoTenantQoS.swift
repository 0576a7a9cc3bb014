extension TwoTenantTable {
    /// See ``TwoTenantLine``.
    static let qos = """
        GET /network/v2.0/qos/policies/{id} {id} qos_policy foreign=404 gone=404 malformed=404
        PUT /network/v2.0/qos/policies/{id} {id} qos_policy foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/qos/policies/{id} {id} qos_policy foreign=404 gone=404 malformed=404
        POST /network/v2.0/qos/policies policy.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/qos/policies policy.tenant_id project foreign=400 gone=400 malformed=400
        GET /network/v2.0/qos/policies/{id}/bandwidth_limit_rules {id} qos_policy foreign=404 gone=404 malformed=404
        POST /network/v2.0/qos/policies/{id}/bandwidth_limit_rules {id} qos_policy foreign=404 gone=404 malformed=404
        GET /network/v2.0/qos/policies/{id}/bandwidth_limit_rules/{rule} {id} qos_policy foreign=404 gone=404 malformed=404
        GET /network/v2.0/qos/policies/{id}/bandwidth_limit_rules/{rule} {rule} qos_rule foreign=404 gone=404 malformed=404
        GET /network/v2.0/qos/alias_bandwidth_limit_rules/{rule} {rule} qos_rule foreign=404 gone=404 malformed=404
        PUT /network/v2.0/qos/policies/{id}/bandwidth_limit_rules/{rule} {id} qos_policy foreign=404 gone=404 malformed=404
        PUT /network/v2.0/qos/policies/{id}/bandwidth_limit_rules/{rule} {rule} qos_rule foreign=403 gone=403 malformed=403
        PUT /network/v2.0/qos/alias_bandwidth_limit_rules/{rule} {rule} qos_rule foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/qos/policies/{id}/bandwidth_limit_rules/{rule} {id} qos_policy foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/qos/policies/{id}/bandwidth_limit_rules/{rule} {rule} qos_rule foreign=403 gone=403 malformed=403
        DELETE /network/v2.0/qos/alias_bandwidth_limit_rules/{rule} {rule} qos_rule foreign=404 gone=404 malformed=404
        GET /network/v2.0/qos/policies/{id}/dscp_marking_rules {id} qos_policy foreign=404 gone=404 malformed=404
        POST /network/v2.0/qos/policies/{id}/dscp_marking_rules {id} qos_policy foreign=404 gone=404 malformed=404
        GET /network/v2.0/qos/policies/{id}/dscp_marking_rules/{rule} {id} qos_policy foreign=404 gone=404 malformed=404
        GET /network/v2.0/qos/policies/{id}/dscp_marking_rules/{rule} {rule} qos_mark foreign=404 gone=404 malformed=404
        GET /network/v2.0/qos/alias_dscp_marking_rules/{rule} {rule} qos_mark foreign=404 gone=404 malformed=404
        PUT /network/v2.0/qos/policies/{id}/dscp_marking_rules/{rule} {id} qos_policy foreign=404 gone=404 malformed=404
        PUT /network/v2.0/qos/policies/{id}/dscp_marking_rules/{rule} {rule} qos_mark foreign=403 gone=403 malformed=403
        PUT /network/v2.0/qos/alias_dscp_marking_rules/{rule} {rule} qos_mark foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/qos/policies/{id}/dscp_marking_rules/{rule} {id} qos_policy foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/qos/policies/{id}/dscp_marking_rules/{rule} {rule} qos_mark foreign=403 gone=403 malformed=403
        DELETE /network/v2.0/qos/alias_dscp_marking_rules/{rule} {rule} qos_mark foreign=404 gone=404 malformed=404
        GET /network/v2.0/policies/{id}/tags {id} qos_policy foreign=404 gone=404 malformed=404
        GET /network/v2.0/policies/{id}/tags/{tag} {id} qos_policy foreign=404 gone=404 malformed=404
        PUT /network/v2.0/policies/{id}/tags {id} qos_policy foreign=404 gone=404 malformed=404
        PUT /network/v2.0/policies/{id}/tags/{tag} {id} qos_policy foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/policies/{id}/tags {id} qos_policy foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/policies/{id}/tags/{tag} {id} qos_policy foreign=404 gone=404 malformed=404
        POST /network/v2.0/networks network.qos_policy_id qos_policy foreign=404 gone=404 malformed=400
        PUT /network/v2.0/networks/{id} network.qos_policy_id qos_policy foreign=404 gone=404 malformed=400
        POST /network/v2.0/ports port.qos_policy_id qos_policy foreign=404 gone=404 malformed=400
        PUT /network/v2.0/ports/{id} port.qos_policy_id qos_policy foreign=404 gone=404 malformed=400
        """
}
