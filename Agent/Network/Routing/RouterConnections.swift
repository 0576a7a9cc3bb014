import AgentNetlink
import ProtocolModel

extension RouterSpec {
    /// Whether the router would not translate the connection as it is any more: its floating IP went or stands for
    /// somebody else, the forwarded port does, or nobody leaves by the router's own address now. Pure.
    package func hasOutlived(_ connection: TranslatedConnection) -> Bool {
        if connection.isDestinationTranslated {
            let isFloating = floatingIPs.contains {
                $0.address == connection.destination && $0.fixedAddress == connection.replySource
            }
            let isForwarded = portForwardings.contains {
                $0.externalAddress == connection.destination && $0.internalAddress == connection.replySource
                    && $0.protocolNumber == connection.protocolNumber
                    && connection.destinationPort.map($0.externalPorts.contains) == true
            }
            if !isFloating, !isForwarded { return true }
        }
        guard connection.isSourceTranslated else { return false }
        let isFloating = floatingIPs.contains {
            $0.address == connection.replyDestination && $0.fixedAddress == connection.source
        }
        let isOwn =
            gateway?.address == connection.replyDestination
            && (gateway?.isSNATEnabled == true || connection.isDestinationTranslated)
        return !isFloating && !isOwn
    }
}
