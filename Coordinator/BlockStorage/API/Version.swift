import CoordinatorPlatform

extension Microversion {
    /// Of what is offered at all, every version up to this one changes what it should.
    static let volumeMaximum = Microversion(3, 70)

    /// At least 3.`minor`.
    func has(_ minor: Int) -> Bool { self.minor >= minor }
}
