/// The release that both daemons are built from.
public enum Release {
    public static let version = "0.1.0"
}
