import CoordinatorImage
import CoordinatorPlatform

/// Where an operator's property protections lie, and what they are written in.
struct PropertyProtectionsFile: Sendable, Equatable {
    var path: String
    var format = PropertyProtections.Format.roles

    /// - Throws: ``StartError`` for a file that cannot be read or is wrong, with every mistake in it: a coordinator must
    ///   not serve properties that the operator meant to be protected.
    func load() throws -> PropertyProtections {
        do throws(PropertyProtections.Failure) {
            return try PropertyProtections(parsing: try text(), format: format)
        } catch {
            throw refusal(error.problems)
        }
    }

    /// - Throws: ``StartError`` where the file names rules that there are not: those would be administrators' alone.
    func check(_ protections: PropertyProtections, against policies: PolicyBook) throws {
        let known = policies.policy.rules
        let missing = protections.rules.filter { known[$0] == nil }
        guard !missing.isEmpty else { return }
        throw refusal(
            missing.sorted().map { "There is no rule '\($0)': 'skerry policy list' shows the rules there are." })
    }

    private func text() throws(PropertyProtections.Failure) -> String {
        do { return try StateFiles.text(of: path) } catch { throw PropertyProtections.Failure(problems: ["\(error)"]) }
    }

    private func refusal(_ problems: [String]) -> StartError {
        StartError(
            "The property protections '\(path)' cannot be used:\n"
                + problems.map { "  - \($0)" }.joined(separator: "\n"))
    }
}
