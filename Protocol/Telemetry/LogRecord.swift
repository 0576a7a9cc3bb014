import Logging

/// How records are written.
public enum LogFormat: String, Sendable, CaseIterable {
    /// `2026-05-04T03:02:01.123Z info component message key=value`
    case text
    /// One JSON object a line.
    case json
}

/// One record as one line, its line feed included.
struct LogRecord {
    /// Microseconds since 1970-01-01T00:00:00Z.
    var time: Int64
    var level: Logger.Level
    /// The logger's label.
    var component: String
    var message: String
    /// Sorted by key.
    var fields: [(key: String, value: String)]

    func line(_ format: LogFormat) -> String {
        switch format {
        case .text: textLine
        case .json: jsonLine
        }
    }

    private var textLine: String {
        var out = "\(UTCTime.text(microseconds: time)) \(level.rawValue) \(component) \(Self.oneLine(message))"
        for (key, value) in fields { out += " \(key)=\(Self.quotedIfNeeded(value))" }
        return out + "\n"
    }

    private var jsonLine: String {
        var out = "{\"time\":\"\(UTCTime.text(microseconds: time))\",\"level\":\"\(level.rawValue)\""
        out += ",\"component\":\(Self.quoted(component)),\"message\":\(Self.quoted(message))"
        for (key, value) in fields {
            // A field must not hide one of the record's own.
            let name = ["time", "level", "component", "message"].contains(key) ? key + "_" : key
            out += ",\(Self.quoted(name)):\(Self.quoted(value))"
        }
        return out + "}\n"
    }

    /// A message in quotes only where it would break the line.
    private static func oneLine(_ text: String) -> String {
        text.utf8.contains { $0 < 0x20 || $0 == 0x7F } ? quoted(text) : text
    }

    private static func quotedIfNeeded(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
        return isPlain ? text : quoted(text)
    }

    /// A JSON string (RFC 8259 section 7).
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// RFC 3339 text in UTC.
enum UTCTime {
    /// With milliseconds: `2026-05-04T03:02:01.123Z`.
    static func text(microseconds: Int64) -> String {
        let milliseconds = Int64((Double(microseconds) / 1000).rounded(.down))
        let (days, ofDay) = floorDivide(milliseconds, 86_400_000)
        let (year, month, day) = civil(days)
        let seconds = ofDay / 1000
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2))"
            + ":\(pad(seconds % 60, 2)).\(pad(ofDay % 1000, 3))Z"
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, rest: Int64) {
        let rest = ((value % by) + by) % by
        return ((value - rest) / by, rest)
    }

    /// The Gregorian date of a day since 1970-01-01, in eras of 400 years that begin on the first of March.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
