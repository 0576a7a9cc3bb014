import AgentNetlink

/// What the planners are shown of the host: plain values that the netlink layer reads and that tests make up. The planners
/// themselves reach no further.
public typealias ObservedLink = AgentNetlink.Link
public typealias ObservedAddress = AgentNetlink.InterfaceAddress
public typealias VXLANSettings = AgentNetlink.VXLANSettings
public typealias ForwardingEntry = AgentNetlink.ForwardingEntry
public typealias TokenBucket = AgentNetlink.TokenBucket
public typealias LinkQueues = AgentNetlink.LinkQueues
