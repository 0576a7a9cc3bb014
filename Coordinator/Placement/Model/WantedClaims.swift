/// What one consumer is to have, instead of what it has.
struct WantedClaims: Sendable, Hashable {
    /// What the caller believes of the consumer.
    enum Expectation: Sendable, Hashable {
        case anything
        /// That it has nothing yet.
        case nothing
        case generation(Int)
    }

    var consumer: String
    /// Without any the consumer is forgotten.
    var claims: [Claim]
    var project: String
    var user: String
    /// `nil` keeps the one that it has.
    var type: String?
    var expected = Expectation.anything

    /// Why that is not so.
    func conflict(with held: Consumer?) -> String? {
        switch (expected, held) {
        case (.anything, _), (.nothing, nil): nil
        case (.generation(let seen), let held?) where seen == held.generation: nil
        case (.generation(let seen), let held?):
            "consumer generation conflict - expected \(held.generation) but got \(seen)"
        case (.nothing, let held?): "consumer generation conflict - expected \(held.generation) but got None"
        case (.generation(let seen), nil): "consumer generation conflict - expected null but got \(seen)"
        }
    }
}
