extension TwoTenantTable {
    /// See ``TwoTenantLine``.
    static let routers = """
        GET /network/v2.0/routers/{id} {id} router foreign=404 gone=404 malformed=404
        PUT /network/v2.0/routers/{id} {id} router foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/routers/{id} {id} router foreign=404 gone=404 malformed=404
        GET /network/v2.0/routers/{id}/tags {id} router foreign=404 gone=404 malformed=404
        PUT /network/v2.0/routers/{id}/tags {id} router foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/routers/{id}/tags {id} router foreign=404 gone=404 malformed=404
        GET /network/v2.0/routers/{id}/tags/{tag} {id} router foreign=404 gone=404 malformed=404
        PUT /network/v2.0/routers/{id}/tags/{tag} {id} router foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/routers/{id}/tags/{tag} {id} router foreign=404 gone=404 malformed=404
        GET /network/v2.0/floatingips/{id} {id} floating_ip foreign=404 gone=404 malformed=404
        PUT /network/v2.0/floatingips/{id} {id} floating_ip foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/floatingips/{id} {id} floating_ip foreign=404 gone=404 malformed=404
        GET /network/v2.0/floatingips/{id}/tags {id} floating_ip foreign=404 gone=404 malformed=404
        PUT /network/v2.0/floatingips/{id}/tags {id} floating_ip foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/floatingips/{id}/tags {id} floating_ip foreign=404 gone=404 malformed=404
        GET /network/v2.0/floatingips/{id}/tags/{tag} {id} floating_ip foreign=404 gone=404 malformed=404
        PUT /network/v2.0/floatingips/{id}/tags/{tag} {id} floating_ip foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/floatingips/{id}/tags/{tag} {id} floating_ip foreign=404 gone=404 malformed=404
        PUT /network/v2.0/routers/{id}/add_router_interface {id} router foreign=404 gone=404 malformed=404
        PUT /network/v2.0/routers/{id}/remove_router_interface {id} router foreign=404 gone=404 malformed=404
        PUT /network/v2.0/routers/{id}/add_extraroutes {id} router foreign=404 gone=404 malformed=404
        PUT /network/v2.0/routers/{id}/remove_extraroutes {id} router foreign=404 gone=404 malformed=404
        POST /network/v2.0/routers router.external_gateway_info.network_id network foreign=404 gone=404 malformed=400 seen=400
        POST /network/v2.0/routers router.external_gateway_info.external_fixed_ips.0.subnet_id subnet foreign=403 gone=403 malformed=400 seen=403
        POST /network/v2.0/routers router.external_gateway_info.external_fixed_ips.0.ip_address shared_address foreign=403 malformed=400
        PUT /network/v2.0/routers/{id} router.external_gateway_info.network_id network foreign=404 gone=404 malformed=400 seen=400
        PUT /network/v2.0/routers/{id} router.external_gateway_info.external_fixed_ips.0.subnet_id subnet foreign=403 gone=403 malformed=400 seen=403
        PUT /network/v2.0/routers/{id} router.external_gateway_info.external_fixed_ips.0.ip_address shared_address foreign=403 malformed=400
        POST /network/v2.0/routers router.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/routers router.tenant_id project foreign=400 gone=400 malformed=400
        PUT /network/v2.0/routers/{id}/add_router_interface subnet_id subnet foreign=404 gone=404 malformed=400 seen=400
        PUT /network/v2.0/routers/{id}/add_router_interface port_id port foreign=404 gone=404 malformed=400
        PUT /network/v2.0/routers/{id}/remove_router_interface subnet_id subnet foreign=404 gone=404 malformed=400 seen=404
        PUT /network/v2.0/routers/{id}/remove_router_interface port_id port foreign=404 gone=404 malformed=400
        POST /network/v2.0/floatingips floatingip.floating_network_id network foreign=404 gone=404 malformed=400 seen=400
        POST /network/v2.0/floatingips floatingip.project_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/floatingips floatingip.tenant_id project foreign=400 gone=400 malformed=400
        POST /network/v2.0/floatingips floatingip.port_id port foreign=404 gone=404 malformed=400
        POST /network/v2.0/floatingips floatingip.fixed_ip_address shared_address foreign=400 malformed=400
        PUT /network/v2.0/floatingips/{id} floatingip.port_id port foreign=404 gone=404 malformed=400
        PUT /network/v2.0/floatingips/{id} floatingip.fixed_ip_address shared_address foreign=400 malformed=400
        POST /network/v2.0/floatingips floatingip.floating_ip_address shared_address foreign=403 malformed=400
        POST /network/v2.0/floatingips floatingip.subnet_id subnet foreign=400 gone=404 malformed=400 seen=400
        GET /network/v2.0/floatingips/{id}/port_forwardings {id} floating_ip foreign=404 gone=404 malformed=404
        POST /network/v2.0/floatingips/{id}/port_forwardings {id} floating_ip foreign=404 gone=404 malformed=404
        GET /network/v2.0/floatingips/{id}/port_forwardings/{forwarding} {id} floating_ip foreign=404 gone=404 malformed=404
        GET /network/v2.0/floatingips/{id}/port_forwardings/{forwarding} {forwarding} floating_ip foreign=404 gone=404 malformed=404
        PUT /network/v2.0/floatingips/{id}/port_forwardings/{forwarding} {id} floating_ip foreign=404 gone=404 malformed=404
        PUT /network/v2.0/floatingips/{id}/port_forwardings/{forwarding} {forwarding} floating_ip foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/floatingips/{id}/port_forwardings/{forwarding} {id} floating_ip foreign=404 gone=404 malformed=404
        DELETE /network/v2.0/floatingips/{id}/port_forwardings/{forwarding} {forwarding} floating_ip foreign=404 gone=404 malformed=404
        POST /network/v2.0/floatingips/{id}/port_forwardings port_forwarding.internal_port_id port foreign=404 gone=404 malformed=400
        POST /network/v2.0/floatingips/{id}/port_forwardings port_forwarding.internal_ip_address - # an address of the port that the same body names
        PUT /network/v2.0/floatingips/{id}/port_forwardings/{forwarding} port_forwarding.internal_port_id - # none of the caller's own is there to be changed
        PUT /network/v2.0/floatingips/{id}/port_forwardings/{forwarding} port_forwarding.internal_ip_address - # none of the caller's own is there to be changed
        """
}
