import CYAML

/// Reads one YAML document with libyaml's parser.
public enum YAMLParser {
    /// - Returns: `nil` for a text without content.
    public static func parse(_ text: String) throws(YAMLError) -> YAMLNode? {
        let stream = try EventStream(text)
        var composer = Composer(stream: stream)
        return try composer.document()
    }
}

/// Why a text is no YAML document, with the line where that shows.
public struct YAMLError: Error, Sendable, Equatable, CustomStringConvertible {
    public var line: Int
    public var problem: String

    public var description: String { "line \(line): \(problem)" }
}

/// What the parser finds, one after the other.
private final class EventStream {
    enum Kind {
        case streamEnd, documentStart, alias, scalar(isPlain: Bool), sequenceStart, mappingStart, end
    }

    struct Event {
        var kind: Kind
        /// A scalar's text.
        var text = ""
        /// What an alias refers to, or others refer to this value by.
        var anchor: String?
        /// From 1.
        var line: Int
    }

    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    /// The parser reads from it as long as it lives.
    private let input: UnsafeMutableBufferPointer<UInt8>

    init(_ text: String) throws(YAMLError) {
        let bytes = Array(text.utf8)
        input = .allocate(capacity: bytes.count)
        _ = input.initialize(from: bytes)
        guard yaml_parser_initialize(parser) == 1 else { throw YAMLError(line: 1, problem: "out of memory") }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    func next() throws(YAMLError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure }
        defer { yaml_event_delete(&event) }
        let line = Int(event.start_mark.line) + 1
        switch event.type {
        case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: return try next()
        case YAML_STREAM_END_EVENT: return Event(kind: .streamEnd, line: line)
        case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, line: line)
        case YAML_ALIAS_EVENT: return Event(kind: .alias, anchor: Self.text(event.data.alias.anchor), line: line)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
            return Event(
                kind: .scalar(isPlain: isPlain), text: String(decoding: bytes, as: UTF8.self),
                anchor: Self.text(scalar.anchor), line: line)
        case YAML_SEQUENCE_START_EVENT:
            return Event(kind: .sequenceStart, anchor: Self.text(event.data.sequence_start.anchor), line: line)
        case YAML_MAPPING_START_EVENT:
            return Event(kind: .mappingStart, anchor: Self.text(event.data.mapping_start.anchor), line: line)
        default: return Event(kind: .end, line: line)
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private var failure: YAMLError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "out of memory"
        return YAMLError(line: Int(parser.pointee.problem_mark.line) + 1, problem: problem)
    }
}

private struct Composer {
    let stream: EventStream
    private var anchors: [String: YAMLNode] = [:]
    private var depth = 0
    /// The recursion is as deep as the text nests.
    private static let deepest = 100

    init(stream: EventStream) { self.stream = stream }

    mutating func document() throws(YAMLError) -> YAMLNode? {
        guard case .documentStart = try stream.next().kind else { return nil }
        let root = try node(try stream.next())
        let after = try stream.next()
        guard case .streamEnd = after.kind else {
            throw YAMLError(line: after.line, problem: "a second document begins here; the file may have one")
        }
        return root
    }

    private mutating func node(_ event: EventStream.Event) throws(YAMLError) -> YAMLNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else {
            throw YAMLError(line: event.line, problem: "it nests deeper than \(Self.deepest) levels")
        }
        let content: YAMLNode.Content
        switch event.kind {
        case .alias:
            guard let name = event.anchor, let node = anchors[name] else {
                throw YAMLError(line: event.line, problem: "nothing is called '\(event.anchor ?? "")' above")
            }
            return node
        case .scalar(let isPlain): content = .scalar(event.text, isPlain: isPlain)
        case .sequenceStart: content = .sequence(try sequence())
        case .mappingStart: content = .mapping(try mapping())
        case .streamEnd, .documentStart, .end:
            throw YAMLError(line: event.line, problem: "a value is missing")
        }
        let node = YAMLNode(content, line: event.line)
        if let name = event.anchor { anchors[name] = node }
        return node
    }

    private mutating func sequence() throws(YAMLError) -> [YAMLNode] {
        var nodes: [YAMLNode] = []
        while true {
            let event = try stream.next()
            if case .end = event.kind { return nodes }
            nodes.append(try node(event))
        }
    }

    private mutating func mapping() throws(YAMLError) -> [(key: YAMLNode, value: YAMLNode)] {
        var pairs: [(key: YAMLNode, value: YAMLNode)] = []
        var names: Set<String> = []
        while true {
            let event = try stream.next()
            if case .end = event.kind { return pairs }
            let key = try node(event)
            if let name = key.string, !names.insert(name).inserted {
                throw YAMLError(line: key.line, problem: "'\(name)' stands there twice")
            }
            pairs.append((key, try node(try stream.next())))
        }
    }
}
