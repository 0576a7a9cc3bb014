/// A regular expression in the common subset (literals, `.`, classes, groups, `|`, `*`, `+`, `?`, `^`, `$`, `\`),
/// searched for anywhere in a text, letters in either case. All ways are tried side by side, so the time is bounded by
/// pattern times text whatever a user sends.
public struct NamePattern: Sendable {
    /// Longer patterns are refused, in characters.
    static let limit = 1000
    /// Steps of a pattern that take a character or choose a way: what one character of a text costs at most.
    private static let stepLimit = 512

    private indirect enum Node {
        case empty, any, start, end
        case character(Character)
        case set([ClosedRange<Character>], negated: Bool)
        case sequence([Node])
        case either([Node])
        case many(Node, min: Int, once: Bool)
    }

    private enum Step: Sendable {
        case any, start, end, match
        case character(Character)
        case set([ClosedRange<Character>], negated: Bool)
        case jump(Int)
        case split(Int, Int)
    }

    private let program: [Step]

    /// - Returns: `nil` for an empty, over-long or malformed pattern.
    public init?(_ pattern: String) {
        guard !pattern.isEmpty, pattern.count <= Self.limit else { return nil }
        var parser = Parser(characters: Array(pattern))
        guard let node = parser.parseEither(depth: 0), parser.isAtEnd else { return nil }
        var program: [Step] = []
        Self.compile(node, into: &program)
        program.append(.match)
        guard program.count <= Self.stepLimit else { return nil }
        self.program = program
    }

    public func isFound(in text: String) -> Bool {
        let characters = Array(text.lowercased())
        var current = Places(count: program.count)
        var next = current
        for position in 0...characters.count {
            // A match may begin anywhere.
            add(0, to: &current, position: position, count: characters.count)
            if current.contains(program.count - 1) { return true }
            guard position < characters.count else { break }
            next.clear()
            for index in current.members where takes(characters[position], at: index) {
                add(index + 1, to: &next, position: position + 1, count: characters.count)
            }
            swap(&current, &next)
        }
        return false
    }

    /// Places in the program, each once.
    private struct Places {
        private(set) var members: [Int] = []
        private var marks: [Bool]

        init(count: Int) { marks = Array(repeating: false, count: count) }

        func contains(_ place: Int) -> Bool { marks[place] }

        mutating func insert(_ place: Int) -> Bool {
            guard !marks[place] else { return false }
            marks[place] = true
            members.append(place)
            return true
        }

        mutating func clear() {
            for place in members { marks[place] = false }
            members.removeAll(keepingCapacity: true)
        }
    }

    private func takes(_ character: Character, at index: Int) -> Bool {
        switch program[index] {
        case .any: true
        case .character(let wanted): wanted == character
        case .set(let ranges, let negated): ranges.contains { $0.contains(character) } != negated
        default: false
        }
    }

    private func add(_ index: Int, to set: inout Places, position: Int, count: Int) {
        var open = [index]
        while let index = open.popLast() {
            guard set.insert(index) else { continue }
            switch program[index] {
            case .jump(let target): open.append(target)
            case .split(let first, let second): open += [second, first]
            case .start: if position == 0 { open.append(index + 1) }
            case .end: if position == count { open.append(index + 1) }
            default: break
            }
        }
    }

    private static func compile(_ node: Node, into program: inout [Step]) {
        switch node {
        case .empty: break
        case .any: program.append(.any)
        case .start: program.append(.start)
        case .end: program.append(.end)
        case .character(let character): program.append(.character(character))
        case .set(let ranges, let negated): program.append(.set(ranges, negated: negated))
        case .sequence(let nodes): for node in nodes { compile(node, into: &program) }
        case .either(let nodes): compileEither(nodes, into: &program)
        case .many(let node, let min, let once):
            guard min == 0 else {
                // Once, and back to the beginning as often as one likes: the node is never compiled twice.
                let first = program.count
                compile(node, into: &program)
                program.append(.split(first, program.count + 1))
                return
            }
            let split = program.count
            program.append(.match)
            compile(node, into: &program)
            if !once { program.append(.jump(split)) }
            program[split] = .split(split + 1, program.count)
        }
    }

    private static func compileEither(_ nodes: [Node], into program: inout [Step]) {
        var jumps: [Int] = []
        for (index, node) in nodes.enumerated() {
            guard index < nodes.count - 1 else {
                compile(node, into: &program)
                break
            }
            let split = program.count
            program.append(.match)
            compile(node, into: &program)
            jumps.append(program.count)
            program.append(.match)
            program[split] = .split(split + 1, program.count)
        }
        for jump in jumps { program[jump] = .jump(program.count) }
    }

    private struct Parser {
        let characters: [Character]
        var position = 0

        init(characters: [Character]) { self.characters = characters }

        var isAtEnd: Bool { position == characters.count }

        private var next: Character? { isAtEnd ? nil : characters[position] }

        mutating func parseEither(depth: Int) -> Node? {
            guard depth < 20 else { return nil }
            var nodes: [Node] = []
            repeat {
                guard let node = parseSequence(depth: depth) else { return nil }
                nodes.append(node)
            } while take("|")
            return nodes.count == 1 ? nodes[0] : .either(nodes)
        }

        private mutating func take(_ character: Character) -> Bool {
            guard next == character else { return false }
            position += 1
            return true
        }

        private mutating func parseSequence(depth: Int) -> Node? {
            var nodes: [Node] = []
            while let character = next, character != "|", character != ")" {
                position += 1
                guard var node = parseOne(character, depth: depth) else { return nil }
                while let sign = next, sign == "*" || sign == "+" || sign == "?" {
                    position += 1
                    // A doubled sign (lazy, possessive) changes what is caught, not whether something is found.
                    if case .many = node { continue }
                    node = .many(node, min: sign == "+" ? 1 : 0, once: sign == "?")
                }
                nodes.append(node)
            }
            return nodes.isEmpty ? .empty : .sequence(nodes)
        }

        private mutating func parseOne(_ character: Character, depth: Int) -> Node? {
            switch character {
            case ".": return .any
            case "^": return .start
            case "$": return .end
            case "*", "+", "?": return nil
            case "(":
                if next == "?" {
                    position += 1
                    guard take(":") else { return nil }
                }
                guard let node = parseEither(depth: depth + 1), take(")") else { return nil }
                return node
            case "[": return parseSet()
            case "\\":
                guard let escaped = next else { return nil }
                position += 1
                return Self.escape(escaped)
            default: return Self.letter(character)
            }
        }

        /// A character whose lower case is several stands for all of them, one after another.
        private static func letter(_ character: Character) -> Node {
            let lower = Array(character.lowercased())
            return lower.count == 1 ? .character(lower[0]) : .sequence(lower.map { .character($0) })
        }

        /// The lower case where it is one character.
        private static func lower(_ character: Character) -> Character {
            let lower = character.lowercased()
            return lower.count == 1 ? Character(lower) : character
        }

        private static func escape(_ character: Character) -> Node {
            let word: [ClosedRange<Character>] = ["a"..."z", "0"..."9", "_"..."_"]
            switch character {
            case "d": return .set(["0"..."9"], negated: false)
            case "D": return .set(["0"..."9"], negated: true)
            case "w": return .set(word, negated: false)
            case "W": return .set(word, negated: true)
            case "s": return .set([" "..." ", "\t"..."\t"], negated: false)
            case "S": return .set([" "..." ", "\t"..."\t"], negated: true)
            default: return letter(character)
            }
        }

        private mutating func parseSet() -> Node? {
            let negated = take("^")
            var ranges: [ClosedRange<Character>] = []
            while let character = next, character != "]" || ranges.isEmpty {
                position += 1
                var low = character
                if low == "\\", let escaped = next {
                    position += 1
                    if case .set(let more, false) = Self.escape(escaped) {
                        ranges += more
                        continue
                    }
                    low = escaped
                }
                low = Self.lower(low)
                guard next == "-", position + 1 < characters.count, characters[position + 1] != "]" else {
                    ranges.append(low...low)
                    continue
                }
                let high = Self.lower(characters[position + 1])
                guard low <= high else { return nil }
                ranges.append(low...high)
                position += 2
            }
            return take("]") && !ranges.isEmpty ? .set(ranges, negated: negated) : nil
        }
    }
}
