import CoordinatorPlatform

extension Microversion {
    /// Of what is offered at all, every version up to this one changes what it should: behind it come shared file systems
    /// (2.97).
    static let computeMaximum = Microversion(2, 96)

    /// At least 2.`minor`.
    func has(_ minor: Int) -> Bool { self.minor >= minor }
}
