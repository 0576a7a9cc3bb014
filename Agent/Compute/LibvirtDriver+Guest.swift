import AgentCore
import CLibvirt
import ProtocolModel

/// What is done with a running guest that leaves it as it is.
extension LibvirtDriver {
    public func setPassword(
        _ password: String, of user: String, on server: ServerID
    ) async throws(StatusError) {
        try await withRunning(server, "change the server's password") { domain, call throws(StatusError) in
            // By default libvirt waits for the guest's agent for ever, and a guest may keep it waiting.
            virDomainAgentSetResponseTimeout(domain, Self.guestAgentSeconds, 0)
            guard virDomainSetUserPassword(domain, user, password, 0) < 0 else { return }
            let failure = LibvirtFailure.last()
            guard failure.isWithoutGuestAgent else {
                throw failure.statusError(doing: "change the server's password", call: call)
            }
            throw StatusError(
                code: .unsupported, message: "QEMU guest agent is not enabled", detail: "\(call): \(failure.message)")
        }
    }

    /// How long a guest's agent may take to answer.
    static let guestAgentSeconds: Int32 = 20

    public func injectNMI(_ server: ServerID) async throws(StatusError) {
        try await withRunning(server, "interrupt the server") { domain, call throws(StatusError) in
            guard virDomainInjectNMI(domain, 0) < 0 else { return }
            throw LibvirtFailure.last().statusError(doing: "interrupt the server", call: call)
        }
    }

    public func diagnose(_ server: ServerID) async throws(StatusError) -> GuestDiagnostics {
        let virtType = settings.virtType.rawValue
        return try await withRunning(server, "look at the server") { domain, call throws(StatusError) in
            let wanted =
                VIR_DOMAIN_STATS_STATE.rawValue | VIR_DOMAIN_STATS_VCPU.rawValue | VIR_DOMAIN_STATS_BALLOON.rawValue
                | VIR_DOMAIN_STATS_INTERFACE.rawValue | VIR_DOMAIN_STATS_BLOCK.rawValue
            var domains: [OpaquePointer?] = [domain, nil]
            var records: UnsafeMutablePointer<virDomainStatsRecordPtr?>?
            guard virDomainListGetStats(&domains, wanted, &records, 0) == 1, let record = records?[0]?.pointee else {
                throw LibvirtFailure.last().statusError(doing: "look at the server", call: call)
            }
            defer { virDomainStatsRecordListFree(records) }
            return record.diagnostics(virtType: virtType)
        }
    }

    /// - Parameter doing: As in "start the server".
    func withRunning<Value: Sendable>(
        _ server: ServerID, _ doing: String,
        _ body: @escaping @Sendable (OpaquePointer, String) throws(StatusError) -> Value
    ) async throws(StatusError) -> Value {
        try await perform { driver, connection throws(StatusError) in
            guard let domain = try driver.find(server, on: connection), virDomainIsActive(domain.pointer) == 1 else {
                throw StatusError(
                    code: .conflict, message: "The server does not run: start it first.",
                    detail: "\(doing): \(server) is not active")
            }
            return try body(domain.pointer, "\(doing) (\(server))")
        }
    }
}

extension LibvirtFailure {
    /// There is no channel to an agent in the guest, or nobody answers there.
    fileprivate var isWithoutGuestAgent: Bool {
        code == VIR_ERR_AGENT_UNRESPONSIVE.rawValue || message.contains("guest agent is not")
    }
}

extension virDomainStatsRecord {
    fileprivate func diagnostics(virtType: String) -> GuestDiagnostics {
        var state: Int32 = 0
        virTypedParamsGetInt(params, nparams, "state.state", &state)
        return GuestDiagnostics(
            power: DomainState(state: state, reason: 0).power, virtType: virtType,
            processorTimes: (0..<count("vcpu.maximum")).map { natural("vcpu.\($0).time") },
            maximumMemoryMiB: Int(natural("balloon.maximum") / 1024),
            usedMemoryMiB: Int(natural("balloon.current") / 1024),
            disks: (0..<count("block.count")).map { index in
                GuestDiagnostics.Disk(
                    readBytes: natural("block.\(index).rd.bytes"), readRequests: natural("block.\(index).rd.reqs"),
                    writeBytes: natural("block.\(index).wr.bytes"), writeRequests: natural("block.\(index).wr.reqs"))
            },
            interfaces: (0..<count("net.count")).map { index in
                GuestDiagnostics.Interface(
                    tap: text("net.\(index).name"), received: traffic("net.\(index).rx"),
                    sent: traffic("net.\(index).tx"))
            })
    }

    private func traffic(_ name: String) -> GuestDiagnostics.Traffic {
        GuestDiagnostics.Traffic(
            octets: natural(name + ".bytes"), packets: natural(name + ".pkts"), errors: natural(name + ".errs"),
            drops: natural(name + ".drop"))
    }

    private func count(_ name: String) -> Int {
        var value: UInt32 = 0
        virTypedParamsGetUInt(params, nparams, name, &value)
        // What a guest has is bounded by what we give it.
        return Int(min(value, 1_024))
    }

    private func natural(_ name: String) -> Int64 {
        var value: UInt64 = 0
        virTypedParamsGetULLong(params, nparams, name, &value)
        return Int64(clamping: value)
    }

    private func text(_ name: String) -> String {
        var value: UnsafePointer<CChar>?
        guard virTypedParamsGetString(params, nparams, name, &value) == 1, let value else { return "" }
        return String(cString: value)
    }
}
