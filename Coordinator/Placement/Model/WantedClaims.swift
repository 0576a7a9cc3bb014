/// What one consumer is to have, instead of what it has.
package struct WantedClaims: Sendable, Hashable {
    /// What the caller believes of the consumer.
    package enum Expectation: Sendable, Hashable {
        case anything
        /// That it has nothing yet.
        case nothing
        case generation(Int)
    }

    package var consumer: String
    /// Without any the consumer is forgotten.
    package var claims: [Claim]
    package var project: String
    package var user: String
    /// `nil` keeps the one that it has.
    package var type: String?
    package var expected: Expectation

    package init(
        consumer: String, claims: [Claim], project: String, user: String, type: String? = nil,
        expected: Expectation = .anything
    ) {
        self.consumer = consumer
        self.claims = claims
        self.project = project
        self.user = user
        self.type = type
        self.expected = expected
    }

    /// Why that is not so.
    package func conflict(with held: Consumer?) -> String? {
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
