import CoordinatorPlatform

extension Microversion {
    /// The newest version whose promises are all kept: behind it come shared file systems (2.97).
    static let computeMaximum = Microversion(2, 96)

    /// At least 2.`minor`.
    func has(_ minor: Int) -> Bool { self.minor >= minor }
}
