import AgentCore
import CLibvirt
import ProtocolModel

/// A disk of a running guest as it is at one moment: a push backup, which leaves the guest's own chain of files alone.
extension LibvirtDriver {
    private static let poll = Duration.milliseconds(200)

    public func copyDisk(
        at path: String, of server: ServerID, to target: String, within limit: Duration
    ) async throws(StatusError) {
        try await begin(path, server, target)
        let watch = ContinuousClock.now
        while try await isCopying(server) {
            if !Task.isCancelled, ContinuousClock.now - watch < limit {
                try? await Task.sleep(for: Self.poll)
                continue
            }
            try await perform { driver, connection throws(StatusError) in
                if let domain = try driver.find(server, on: connection) { virDomainAbortJob(domain.pointer) }
            }
            throw StatusError(
                code: .timedOut, message: "The server's disk could not be copied in time: try again.",
                detail: "\(path): aborted after \(ContinuousClock.now - watch)")
        }
        try await checkEnd(of: server, path)
    }

    private func begin(_ path: String, _ server: ServerID, _ target: String) async throws(StatusError) {
        try await perform { driver, connection throws(StatusError) in
            guard let domain = try driver.find(server, on: connection),
                let document = try Self.document(of: domain.pointer),
                let device = DomainDevices.target(ofDiskAt: path, in: document)
            else {
                throw StatusError(
                    code: .hostFailure, message: "The server does not have its root disk: ask the operator.",
                    detail: "\(server) has no disk \(path)")
            }
            // What a guest has in memory is written down where an agent in it is asked; without one it is as after a power
            // cut, which file systems are made for.
            virDomainAgentSetResponseTimeout(domain.pointer, Self.guestAgentSeconds, 0)
            _ = virDomainFSFreeze(domain.pointer, nil, 0, 0)
            // Also where the freeze failed: it may have come to pass all the same, or been done by an earlier attempt.
            defer { virDomainFSThaw(domain.pointer, nil, 0, 0) }
            let flags = VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL.rawValue
            guard virDomainBackupBegin(domain.pointer, BackupXML.text(device: device, target: target), nil, flags) == 0
            else {
                throw LibvirtFailure.last().statusError(
                    doing: "copy the server's disk", call: "virDomainBackupBegin(\(server), \(device))")
            }
        }
    }

    private func isCopying(_ server: ServerID) async throws(StatusError) -> Bool {
        try await perform { driver, connection throws(StatusError) in
            guard let domain = try driver.find(server, on: connection) else { return false }
            var information = virDomainJobInfo()
            guard virDomainGetJobInfo(domain.pointer, &information) == 0 else { return false }
            return information.type == Int32(VIR_DOMAIN_JOB_BOUNDED.rawValue)
                || information.type == Int32(VIR_DOMAIN_JOB_UNBOUNDED.rawValue)
        }
    }

    /// How the job ended is kept until it is asked for, once.
    private func checkEnd(of server: ServerID, _ path: String) async throws(StatusError) {
        try await perform { driver, connection throws(StatusError) in
            guard let domain = try driver.find(server, on: connection) else { throw Self.notCopied(path, "no domain") }
            var kind: Int32 = 0
            var parameters: virTypedParameterPtr?
            var count: Int32 = 0
            guard
                virDomainGetJobStats(
                    domain.pointer, &kind, &parameters, &count, VIR_DOMAIN_JOB_STATS_COMPLETED.rawValue) == 0
            else { throw Self.notCopied(path, LibvirtFailure.last().message) }
            defer { virTypedParamsFree(parameters, count) }
            guard kind == Int32(VIR_DOMAIN_JOB_COMPLETED.rawValue) else { throw Self.notCopied(path, "job \(kind)") }
        }
    }

    private static func notCopied(_ path: String, _ reason: String) -> StatusError {
        StatusError(
            code: .hostFailure,
            message: "The server's disk could not be copied: it may have been stopped meanwhile. Try again.",
            detail: "\(path): \(reason)")
    }
}

/// The document for `virDomainBackupBegin`.
package enum BackupXML {
    package static func text(device: String, target: String) -> String {
        var xml = XMLText()
        xml.element("domainbackup", ["mode": "push"]) { xml in
            xml.element("disks") { xml in
                xml.element("disk", ["name": device, "backup": "yes", "type": "file"]) { xml in
                    xml.leaf("target", ["file": target])
                    xml.leaf("driver", ["type": "qcow2"])
                }
            }
        }
        return xml.text
    }
}

extension DomainDevices {
    /// libvirt's name for the disk that has a file for its source.
    package static func target(ofDiskAt path: String, in document: String) -> String? {
        let disk = CapabilitiesXML.elements("disk", in: document[...]).first { disk in
            CapabilitiesXML.attribute("file", of: CapabilitiesXML.element("source", in: disk.content)) == path
        }
        return disk.map {
            String(CapabilitiesXML.attribute("dev", of: CapabilitiesXML.element("target", in: $0.content)))
        }
    }
}
