import CoordinatorPlatform

extension APICall {
    /// - Parameter rule: Without the prefix.
    func authorizeCompute(_ rule: String, _ target: Policy.Target = Policy.Target()) throws {
        try authorize(ComputePolicy.prefix + rule, target)
    }
}

extension Route {
    /// The route with the rules that its handler asks, without the prefix.
    func askingCompute(_ rules: String...) -> Self {
        rules.reduce(self) { $0.asking(ComputePolicy.prefix + $1) }
    }
    /// The route behind a rule that is asked for it, without the prefix.
    func gatedCompute(by rule: String) -> Self { gated(by: ComputePolicy.prefix + rule) }
}
