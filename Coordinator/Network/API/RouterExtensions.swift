/// What the API can do with routers and floating IPs, as neutron-lib names it.
extension APIExtension {
    static let announced =
        (all + routing + pools + addressGroups + sharing + qos + dhcpOptions).sorted { $0.alias < $1.alias }

    private static let routing = [
        APIExtension(
            "router", "Neutron L3 Router",
            "Router abstraction for basic L3 forwarding between L2 Neutron networks and access to external networks via a "
                + "NAT gateway.", "2012-07-20T10:00:00-00:00"),
        APIExtension(
            "ext-gw-mode", "Neutron L3 Configurable external gateway mode",
            "Extension of the router abstraction for specifying whether SNAT should occur on the external gateway",
            "2013-03-28T10:00:00-00:00"),
        APIExtension(
            "extraroute", "Neutron Extra Route", "Extra routes configuration for L3 router",
            "2013-02-01T10:00:00-00:00"),
        APIExtension(
            "extraroute-atomic", "Atomically add/remove extra routes",
            "Edit extra routes of a router on server side by atomically adding/removing extra routes",
            "2019-07-10T00:00:00+00:00"),
        APIExtension(
            "router_availability_zone", "Router Availability Zone", "Availability zone support for router.",
            "2015-01-01T10:00:00-00:00"),
        APIExtension(
            "fip-port-details", "Floating IP Port Details Extension",
            "Add port_details attribute to Floating IP resource", "2018-04-09T10:00:00-00:00"),
        APIExtension(
            "floatingip-autodelete-internal", "Autodelete floating IPs of internal networks",
            "Autodelete unused floating IPs of networks being turned to router:external=False",
            "2019-01-24T00:00:00-00:00"),
        APIExtension(
            "floating-ip-port-forwarding", "Floating IP Port Forwarding",
            "Allow port forwarding from floating IP port to an internal port", "2018-01-19T10:00:00-00:00"),
        APIExtension(
            "floating-ip-port-forwarding-description", "Floating IP Port Forwarding new attribute description",
            "Add a description field to Port Forwarding rules", "2019-11-01T10:00:00-00:00"),
        APIExtension(
            "expose-port-forwarding-in-fip", "Expose Floating IP port forwardings",
            "Expose port forwarding fields in floating IP response", "2018-06-28T16:00:00-00:00")
    ]
}
