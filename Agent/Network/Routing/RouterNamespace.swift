import ProtocolModel

/// The namespace that a router is. Pure.
public enum RouterNamespace {
    private static let prefix = "skerry-r-"

    public static func name(_ router: RouterID) -> String { prefix + router.text }

    /// Written once, when the namespace is made. Forwarding is not among them: it comes when the rules are there.
    static let settings = [
        ("ipv4/ip_forward", "0"), ("ipv6/conf/all/forwarding", "0"),
        // No interface takes an address or a route that it was not given, or waits to see whether others have it.
        ("ipv6/conf/default/accept_ra", "0"), ("ipv6/conf/default/autoconf", "0"),
        ("ipv6/conf/default/accept_dad", "0"),
        // Answers come back another way than questions went, where a tenant's routes say so.
        ("ipv4/conf/all/rp_filter", "0"), ("ipv4/conf/default/rp_filter", "0"),
        // An address is answered for on its own link only.
        ("ipv4/conf/all/arp_ignore", "1"), ("ipv4/conf/all/arp_announce", "2"),
        // A guest that reaches another by its floating IP is not to be told of a shorter way: there is none.
        ("ipv4/conf/all/send_redirects", "0"), ("ipv4/conf/default/send_redirects", "0")
    ]
}
