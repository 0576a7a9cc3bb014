import CLibvirt
import ProtocolModel

/// What libvirt said last, on this thread.
package struct LibvirtFailure: Error, Equatable {
    var code: UInt32
    var message: String

    package init(code: UInt32, message: String) {
        self.code = code
        self.message = message
    }

    /// Must be called on the thread of the call that failed, before any other call.
    static func last() -> Self {
        guard let error = virGetLastError() else { return Self(code: 0, message: "no reason given") }
        let message = error.pointee.message.map { String(cString: $0) } ?? "no reason given"
        return Self(code: UInt32(bitPattern: error.pointee.code), message: message)
    }

    var isMissingDomain: Bool { code == VIR_ERR_NO_DOMAIN.rawValue }

    /// - Parameter doing: What was being done, as in "start the server".
    package func statusError(doing: String, call: String) -> StatusError {
        let (code, reason) = classified
        return StatusError(
            code: code, message: "The host's hypervisor could not \(doing): \(reason)",
            detail: "\(call): libvirt error \(self.code): \(message)")
    }

    /// The message for tenants never quotes libvirt, whose texts name paths of the host.
    private var classified: (StatusError.Code, String) {
        if message.contains("No space left on device") {
            return (.noSpace, "its disk is full. Ask the operator, or use another host.")
        }
        if code == VIR_ERR_NO_MEMORY.rawValue || message.contains("Cannot allocate memory")
            || message.contains("cannot set up guest memory")
        {
            return (.noMemory, "it is out of memory. Try a smaller flavor or another host.")
        }
        if message.contains("No more available PCI slots") {
            return (.conflict, "the server has no free slot. Stop and start it, or detach another device first.")
        }
        switch code {
        case VIR_ERR_CONFIG_UNSUPPORTED.rawValue, VIR_ERR_NO_SUPPORT.rawValue, VIR_ERR_INVALID_ARG.rawValue,
            VIR_ERR_XML_ERROR.rawValue:
            return (.unsupported, "it lacks a device or machine type that the image or flavor asks for.")
        case VIR_ERR_OPERATION_TIMEOUT.rawValue, VIR_ERR_AGENT_UNRESPONSIVE.rawValue:
            return (.timedOut, "it did not answer in time. It is tried again.")
        case VIR_ERR_DOM_EXIST.rawValue: return (.conflict, "a domain that is not ours has its name. Ask the operator.")
        case VIR_ERR_OPERATION_FAILED.rawValue where message.contains("already exists with uuid"):
            return (.conflict, "a domain that is not ours has its name. Ask the operator.")
        default: return (.hostFailure, "the agent's log on the host says why. Ask the operator.")
        }
    }
}
