/// Times as these APIs write them, from and to microseconds since 1970-01-01T00:00:00Z. Always UTC.
public enum Timestamp {
    /// `2026-11-21T05:29:00Z`: the compute, image and network services.
    public static func seconds(_ microseconds: Int64) -> String { text(microseconds, withMicros: false, zone: true) }
    /// `2026-11-21T05:29:00.000000Z`: the identity service.
    public static func micros(_ microseconds: Int64) -> String { text(microseconds, withMicros: true, zone: true) }
    /// `2026-11-21T05:29:00.000000`: parts of the compute service.
    public static func microsWithoutZone(_ microseconds: Int64) -> String {
        text(microseconds, withMicros: true, zone: false)
    }
    /// `2026-11-21T05:29:00`.
    public static func secondsWithoutZone(_ microseconds: Int64) -> String {
        text(microseconds, withMicros: false, zone: false)
    }

    /// `Sat, 21 Nov 2026 05:29:00 GMT` (RFC 9110 section 5.6.7).
    public static func http(_ microseconds: Int64) -> String {
        let parts = Parts(microseconds)
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var out = Array("\(weekdays[Int((parts.days % 7 + 7) % 7)]), ".utf8)
        append(parts.day, width: 2, to: &out)
        out.append(contentsOf: " \(months[Int(parts.month) - 1]) ".utf8)
        append(parts.year, width: 4, to: &out)
        out.append(UInt8(ascii: " "))
        appendClock(parts, to: &out)
        out.append(contentsOf: " GMT".utf8)
        return String(decoding: out, as: UTF8.self)
    }

    /// Reads `YYYY-MM-DD`, optionally with `T` or a blank, `HH:MM[:SS[.fraction]]` and `Z`, `+HH:MM` or `-HH:MM`.
    /// Without a zone it is UTC.
    public static func parse(_ text: some StringProtocol) -> Int64? {
        var reader = TimestampReader(bytes: Array(text.utf8))
        return reader.read()
    }

    /// Days since 1970-01-01 of a day in the proleptic Gregorian calendar.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Years are counted from March, so that the leap day is the last of its year, in eras of 400 years.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private struct Parts {
        var days: Int64, year: Int64, month: Int64, day: Int64, secondOfDay: Int64, micros: Int64

        init(_ microseconds: Int64) {
            let day = Self.floor(microseconds, 86_400_000_000)
            let rest = microseconds - day * 86_400_000_000
            days = day
            secondOfDay = rest / 1_000_000
            micros = rest % 1_000_000
            let shifted = day + 719_468
            let era = Self.floor(shifted, 146_097)
            let dayOfEra = shifted - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let month = (5 * dayOfYear + 2) / 153
            self.day = dayOfYear - (153 * month + 2) / 5 + 1
            self.month = month < 10 ? month + 3 : month - 9
            year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
        }

        private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
            value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
        }
    }

    private static func text(_ microseconds: Int64, withMicros: Bool, zone: Bool) -> String {
        let parts = Parts(microseconds)
        var out = [UInt8]()
        out.reserveCapacity(28)
        append(parts.year, width: 4, to: &out)
        out.append(UInt8(ascii: "-"))
        append(parts.month, width: 2, to: &out)
        out.append(UInt8(ascii: "-"))
        append(parts.day, width: 2, to: &out)
        out.append(UInt8(ascii: "T"))
        appendClock(parts, to: &out)
        if withMicros {
            out.append(UInt8(ascii: "."))
            append(parts.micros, width: 6, to: &out)
        }
        if zone { out.append(UInt8(ascii: "Z")) }
        return String(decoding: out, as: UTF8.self)
    }

    private static func appendClock(_ parts: Parts, to out: inout [UInt8]) {
        append(parts.secondOfDay / 3600, width: 2, to: &out)
        out.append(UInt8(ascii: ":"))
        append(parts.secondOfDay / 60 % 60, width: 2, to: &out)
        out.append(UInt8(ascii: ":"))
        append(parts.secondOfDay % 60, width: 2, to: &out)
    }

    private static func append(_ value: Int64, width: Int, to out: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            out.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}

/// Reads one time from left to right.
private struct TimestampReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func read() -> Int64? {
        guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2),
            (1...12).contains(month), (1...Self.length(of: month, year)).contains(day)
        else { return nil }
        var seconds = Timestamp.days(year: year, month: month, day: day) * 86_400
        var micros: Int64 = 0
        if take("T") || take(" ") {
            guard let hour = digits(2), take(":"), let minute = digits(2), hour < 24, minute < 60 else { return nil }
            seconds += hour * 3600 + minute * 60
            if take(":") {
                guard let second = digits(2), second < 60 else { return nil }
                seconds += second
                if take(".") {
                    guard let fraction = fraction() else { return nil }
                    micros = fraction
                }
            }
            guard let offset = zone() else { return nil }
            seconds -= offset
        }
        return position == bytes.count ? seconds * 1_000_000 + micros : nil
    }

    private static func length(of month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func digits(_ count: Int) -> Int64? {
        guard position + count <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[position..<position + count] {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        position += count
        return value
    }

    private mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while position < bytes.count, (48...57).contains(bytes[position]) {
            if count < 6 { value = value * 10 + Int64(bytes[position] - 48) }
            count += 1
            position += 1
        }
        guard count > 0 else { return nil }
        while count < 6 {
            value *= 10
            count += 1
        }
        return value
    }

    /// Seconds east of UTC.
    private mutating func zone() -> Int64? {
        if position == bytes.count || take("Z") { return 0 }
        let sign: Int64
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = digits(2), hours < 24 else { return nil }
        _ = take(":")
        let minutes = position == bytes.count ? 0 : digits(2)
        guard let minutes, minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
