import ProtocolModel

/// Consoles: the guest's end is opened first, so that whoever asked hears why it cannot be.
extension OperationRunner {
    func openConsole(
        _ operation: Operation, _ server: ServerID, _ kind: ConsoleKind, _ session: ConsoleID
    ) async -> OperationResult {
        await single(operation, .openConsole) { () throws(StatusError) in
            guard spec != nil else { throw Self.notHere }
            guard worker.driver.consoles.tryTake() else { throw Self.tooManyConsoles }
            do throws(StatusError) {
                let relay = try await connect(server, kind, session)
                let consoles = worker.driver.consoles
                worker.driver.core.start {
                    await relay.run()
                    consoles.give()
                }
                return []
            } catch {
                worker.driver.consoles.give()
                throw error
            }
        }
    }

    private func connect(
        _ server: ServerID, _ kind: ConsoleKind, _ session: ConsoleID
    ) async throws(StatusError) -> ConsoleRelay {
        let compute = worker.driver.compute
        let guest: any ByteChannel
        var before: [UInt8] = []
        switch kind {
        case .vnc: guest = try await compute.hypervisor.openConsole(.vnc, of: server)
        case .serial:
            guest = try await worker.driver.serialLines.join(server) { () throws(StatusError) in
                try await compute.hypervisor.openConsole(.serial, of: server)
            }
            // Read when the line is open already: what is said meanwhile is seen twice rather than not at all.
            before = (try? await compute.storage.consoleLog(of: server, maximumBytes: Self.scrollBackBytes)) ?? []
        }
        do {
            guard let coordinator = worker.driver.core.session.current else { throw CancellationError() }
            let viewer = try await coordinator.openConsole(session)
            return ConsoleRelay(guest: guest, viewer: viewer, before: before)
        } catch {
            guest.close()
            throw StatusError(
                code: .hostFailure, message: "The console could not be sent to the coordinator: try again.",
                detail: "\(error)")
        }
    }

    /// Of the console log, before what is new.
    private static let scrollBackBytes = 65_536

    private static let tooManyConsoles = StatusError(
        code: .hostFailure, message: "Too many consoles of this host are open: close one, then try again.",
        detail: "\(ServerKind.consolesAtOnce) at once")
}
