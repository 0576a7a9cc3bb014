import FoundationEssentials
import NIOHTTP1

/// Putting and deleting static large objects.
extension SwiftCall {
    private struct Given: Decodable {
        var path: String
        var etag: String?
        var size: Int64?
        var range: String?

        private enum CodingKeys: String, CodingKey {
            case path, etag, range
            case size = "size_bytes"
        }
    }

    func putManifest(_ name: ObjectName, mayReplace: Bool) async throws -> ObjectResponse {
        let bytes = try await request.body.collect(limit: SwiftLimits.manifestSize)
        guard let given = try? JSONDecoder().decode([Given].self, from: Data(bytes)) else {
            throw SwiftRefusal(400, "Manifest must be valid JSON.\n")
        }
        guard !given.isEmpty else { throw SwiftRefusal(400, "Manifest requires at least one segment.\n") }
        guard given.count <= SwiftLimits.manifestSegments else {
            throw SwiftRefusal(413, "Number of segments must be <= \(SwiftLimits.manifestSegments)")
        }
        var segments: [ManifestSegment] = []
        var errors: [String] = []
        for item in given {
            do throws(SegmentProblem) {
                segments.append(try await segment(item, account: name.container.account, of: name))
            } catch { errors.append("\(item.path), \(error.text)") }
        }
        guard errors.isEmpty else {
            throw SwiftRefusal(400, "Errors:\n" + errors.map { $0 + "\n" }.joined())
        }
        return try await put(segments, name, mayReplace: mayReplace)
    }

    private struct SegmentProblem: Error { let text: String }

    private func segment(
        _ given: Given, account: String, of manifest: ObjectName
    ) async throws(SegmentProblem) -> ManifestSegment {
        var segment = ManifestSegment(
            name: given.path.hasPrefix("/") ? given.path : "/" + given.path, hash: "", bytes: 0, contentType: "",
            lastModified: "", range: given.range)
        guard let target = segment.target else { throw SegmentProblem(text: "Invalid path") }
        let name = ObjectName(account: account, container: target.container, name: target.object)
        guard name != manifest else { throw SegmentProblem(text: "manifest cannot refer to itself") }
        guard await mayRead(name.container) else { throw SegmentProblem(text: "403 Forbidden") }
        guard let found = try? await object(name) else { throw SegmentProblem(text: "404 Not Found") }
        let isNested = found.isStaticManifest
        segment.hash = isNested ? found.attributes.metadata[MetadataRules.sloETag] ?? found.etag : found.etag
        segment.bytes = found.listedSize
        segment.contentType = found.attributes.contentType
        segment.lastModified = HTTPDate.listing(found.attributes.changed)
        segment.isManifest = isNested ? true : nil
        if let etag = given.etag?.replacing("\"", with: ""), etag != segment.hash {
            throw SegmentProblem(text: "Etag Mismatch")
        }
        if let size = given.size, size != segment.bytes { throw SegmentProblem(text: "Size Mismatch") }
        if let range = given.range {
            guard RangeHeader.parse("bytes=" + range, size: segment.bytes)?.count == 1 else {
                throw SegmentProblem(text: "Unsatisfiable Range")
            }
        }
        guard !segment.extent.isEmpty else {
            throw SegmentProblem(text: "Too small; each segment must be at least 1 byte.")
        }
        return segment
    }

    private func put(
        _ segments: [ManifestSegment], _ name: ObjectName, mayReplace: Bool
    ) async throws -> ObjectResponse {
        var hash = ETagHash()
        for segment in segments {
            hash.update(Array((segment.hash + (segment.range.map { ":\($0);" } ?? "")).utf8))
        }
        let etag = hash.finish()
        if let asked = request.header("etag")?.replacing("\"", with: ""), asked != etag { throw SwiftRefusal(422) }
        var attributes = try attributes(of: name, sent: headers)
        attributes.metadata["x-object-manifest"] = nil
        attributes.metadata[MetadataRules.isSLO] = "True"
        attributes.metadata[MetadataRules.sloETag] = etag
        attributes.metadata[MetadataRules.sloSize] = String(try total(of: segments))
        guard let container = try await container(name.container) else { throw SwiftRefusal(404) }
        let limits = try await limits(container, of: name.container.account)
        let upload = store.upload()
        do {
            try await upload.write(try JSONEncoder().encode(segments))
            let content = try await upload.finish()
            var response = try await put(
                name, NewObject(content: content, attributes: attributes, limits: limits, mayReplace: mayReplace))
            response.headers.replaceOrAdd(name: "Etag", value: "\"\(etag)\"")
            return response
        } catch {
            await upload.discard()
            throw error
        }
    }

    /// Manifests of manifests name the same octets again and again: more of them than any number holds, at last.
    private func total(of segments: [ManifestSegment]) throws -> Int64 {
        var size: Int64 = 0
        for segment in segments {
            let (sum, overflows) = size.addingReportingOverflow(Int64(segment.extent.count))
            guard !overflows, sum <= SwiftLimits.manifestTotal else {
                throw SwiftRefusal(400, "The object would have more than \(SwiftLimits.manifestTotal) octets.")
            }
            size = sum
        }
        return size
    }

    /// The manifest, and the segments that it names where the caller may remove them.
    func deleteManifest(_ name: ObjectName) async throws -> ObjectResponse {
        guard let record = try await object(name) else { throw SwiftRefusal(404) }
        guard record.isStaticManifest || record.isComposed else {
            throw SwiftRefusal(400, "Not an SLO manifest")
        }
        var report = BulkReport(isDeletion: true)
        var budget = SegmentBudget()
        // The parts of a composed one are its own and go with it.
        if record.isStaticManifest {
            try await deleteSegments(record, account: name.container.account, &report, depth: 1, &budget)
        }
        await delete(name, &report)
        return report.response(try ListingFormat(request))
    }

    private func deleteSegments(
        _ record: ObjectRecord, account: String, _ report: inout BulkReport, depth: Int,
        _ budget: inout SegmentBudget
    ) async throws {
        guard depth <= 10 else { throw SwiftRefusal(409, "Max recursion depth exceeded") }
        for segment in try await manifest(record) {
            try budget.spend(1)
            guard let target = segment.target else { continue }
            let name = ObjectName(account: account, container: target.container, name: target.object)
            if segment.isManifest == true, let nested = try await object(name), nested.isStaticManifest {
                try await deleteSegments(nested, account: account, &report, depth: depth + 1, &budget)
            }
            await delete(name, &report)
        }
    }

    /// One of many: what goes wrong is noted.
    func delete(_ name: ObjectName, _ report: inout BulkReport) async {
        do {
            try await authorizeObject(.write, in: name.container)
            // Where the container keeps versions, one of many is kept as one alone is.
            if try await deleteVersion(name) == nil, try await store.remove(name, seen: nil) == nil {
                throw StoreFailure.noSuchObject
            }
            report.done += 1
        } catch {
            report.note(error, "\(name.container.name)/\(name.name)")
        }
    }
}
