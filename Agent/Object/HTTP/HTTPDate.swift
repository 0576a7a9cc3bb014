/// Moments in the spellings that requests and listings have.
package enum HTTPDate {
    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    ]

    private struct Civil {
        var year: Int, month: Int, day: Int, weekday: Int, second: Int

        /// Days to a date of the Gregorian calendar (Howard Hinnant's algorithm).
        init(_ seconds: Int64) {
            let days = Int((seconds >= 0 ? seconds : seconds - 86_399) / 86_400)
            second = Int(seconds) - days * 86_400
            weekday = ((days + 3) % 7 + 7) % 7
            let shifted = days + 719_468
            let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
            let dayOfEra = shifted - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shiftedMonth = (5 * dayOfYear + 2) / 153
            day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
            month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        }
    }

    private static func seconds(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) -> Int64? {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    /// `Wed, 15 Jan 2014 16:41:49 GMT`.
    package static func http(seconds: Int64) -> String {
        let date = Civil(seconds)
        let day = "\(days[date.weekday]), \(pad(date.day)) \(months[date.month - 1]) \(date.year)"
        return "\(day) \(clock(date.second)) GMT"
    }

    /// Of microseconds; a fraction of a second counts as a whole one, as in Swift.
    package static func lastModified(_ micros: Int64) -> String { http(seconds: (micros + 999_999) / 1_000_000) }

    /// `2014-01-15T16:41:49.390270`, of microseconds.
    package static func listing(_ micros: Int64) -> String {
        let date = Civil(micros / 1_000_000)
        let day = "\(date.year)-\(pad(date.month))-\(pad(date.day))"
        return "\(day)T\(clock(date.second)).\(pad(Int(micros % 1_000_000), 6))"
    }

    /// `1389804109.39027`, of microseconds.
    package static func timestamp(_ micros: Int64) -> String {
        "\(micros / 1_000_000).\(pad(Int(micros % 1_000_000) / 10, 5))"
    }

    private static func clock(_ second: Int) -> String {
        "\(pad(second / 3600)):\(pad(second / 60 % 60)):\(pad(second % 60))"
    }

    private static func pad(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Reads `Wed, 15 Jan 2014 16:41:49 GMT`.
    package static func parse(_ text: String) -> Int64? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "," })
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: String(words[2])) else {
            return nil
        }
        let clock = words[4].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, let day = Int(words[1]), let year = Int(words[3]) else { return nil }
        return seconds(year: year, month: month + 1, day: day, hour: clock[0], minute: clock[1], second: clock[2])
    }

    /// Reads `2014-01-15T16:41:49Z` and `2014-01-15`.
    package static func parseISO(_ text: String) -> Int64? {
        let halves = text.split(separator: "T", omittingEmptySubsequences: false)
        let date = halves[0].split(separator: "-").compactMap { Int($0) }
        guard date.count == 3, halves.count <= 2 else { return nil }
        var clock = [0, 0, 0]
        if halves.count == 2 {
            guard halves[1].hasSuffix("Z") else { return nil }
            clock = halves[1].dropLast().split(separator: ":").compactMap { Int($0) }
        }
        guard clock.count == 3 else { return nil }
        return seconds(
            year: date[0], month: date[1], day: date[2], hour: clock[0], minute: clock[1], second: clock[2])
    }
}
