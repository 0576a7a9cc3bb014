/// Writes Prometheus' text format 0.0.4.
struct ExpositionText {
    private(set) var text = ""

    mutating func append(_ family: MetricFamily) {
        header(family.name, family.help, family.kind)
        for (values, series) in family.snapshot() {
            let labels = Array(zip(family.labels, values))
            guard family.kind == .histogram else {
                line(family.name, labels, series.value)
                continue
            }
            var total: UInt64 = 0
            for (bound, count) in zip(family.buckets + [.infinity], series.counts) {
                total += count
                line(family.name + "_bucket", labels + [("le", Self.number(bound))], Double(total))
            }
            line(family.name + "_sum", labels, series.value)
            line(family.name + "_count", labels, Double(total))
        }
    }

    mutating func append(_ sample: MetricsRegistry.Sample) {
        header(sample.name, sample.help, sample.kind)
        line(sample.name, [], sample.value)
    }

    private mutating func header(_ name: String, _ help: String, _ kind: MetricFamily.Kind) {
        text += "# HELP \(name) \(Self.escape(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func line(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.0)=\"\(Self.escape($0.1, quotes: true))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(Self.number(value))\n"
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Whole numbers without the ".0"; all of them below 2^53 are exact.
        if value.magnitude < 9_007_199_254_740_992, value == value.rounded() { return String(Int64(value)) }
        return String(value)
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
