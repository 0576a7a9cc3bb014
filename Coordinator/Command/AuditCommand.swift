import ArgumentParser
import FoundationEssentials
import Glibc

/// `skerry audit`
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Prints the cloud's events as CADF, one JSON object a line.",
        discussion: "Events are changes, refused changes and failed log-ins (DMTF DSP0262).")

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "The first moment of interest: a time such as 2026-11-21T05:29:00Z, or how long ago: 30m, 12h, 7d.")
    var since: String?
    @Flag(help: "Keep waiting for new events. Without --since, begin with them.")
    var follow = false

    private struct Page: Decodable {
        var events: [JSONValue]
        var next: Int64
    }

    func run() async throws {
        var place = try start()
        while true {
            let answer = try await connection.client.call(.GET, "/skerry/v1/audit?\(place)")
            let page = try JSONDecoder().decode(Page.self, from: Data(answer))
            for event in page.events { print(try event.line()) }
            // Whoever reads a pipe is to see an event when it happens.
            fflush(nil)
            place = "after=\(page.next)"
            guard page.events.isEmpty else { continue }
            guard follow else { return }
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func start() throws -> String {
        guard let since else { return follow ? "after=newest" : "after=0" }
        guard let seconds = Self.duration(since) else {
            // The coordinator judges the time; what is not a time may hold anything.
            let allowed = Set("0123456789-:TZ.+")
            guard since.allSatisfy({ allowed.contains($0) }) else {
                throw ValidationError("--since takes a time such as 2026-11-21T05:29:00Z, or 30m, 12h, 7d.")
            }
            return "since=" + since.replacing("+", with: "%2B")
        }
        let moment = Date.now.timeIntervalSince1970 - Double(seconds)
        return "since=" + Moment.text(Int64(moment * 1_000_000))
    }

    /// Seconds of `30m`, `12h`, `7d`; `nil` for anything else.
    private static func duration(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let last = text.last, let unit = units[last], let number = Int64(text.dropLast()),
            (0...100_000_000).contains(number)
        else { return nil }
        return number * unit
    }
}

/// JSON that is only passed on.
enum JSONValue: Codable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? value.decode(Int64.self) {
            self = .int(number)
        } else if let number = try? value.decode(Double.self) {
            self = .double(number)
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if let list = try? value.decode([JSONValue].self) {
            self = .array(list)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let flag): try value.encode(flag)
        case .int(let number): try value.encode(number)
        case .double(let number): try value.encode(number)
        case .string(let text): try value.encode(text)
        case .array(let list): try value.encode(list)
        case .object(let members): try value.encode(members)
        }
    }

    /// One line of text, members sorted by name.
    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
