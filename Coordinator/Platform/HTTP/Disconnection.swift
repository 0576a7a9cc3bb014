import NIOCore
import NIOHTTP1
import NIOSSL

/// How the end of a connection in the middle of a request shows itself.
public enum Disconnection {
    /// Whether the client went away (or we are stopping) before its request was whole: no fault of ours, and what came
    /// until then is as it was sent.
    public static func explains(_ error: any Error) -> Bool {
        switch error {
        case is CancellationError, is ChannelError, is IOError: true
        // A peer that is killed ends the stream without TLS's goodbye; one that says goodbye leaves HTTP unfinished.
        case NIOSSLError.uncleanShutdown, HTTPParserError.invalidEOFState: true
        default: false
        }
    }
}
