import CoordinatorPlatform

/// Tables of servers' devices and of the groups and aggregates that decide where servers may be.
enum DeviceSchema {
    /// - Parameter number: Of the slice's migrations; they are numbered without a gap.
    static func migration(_ number: Int) -> Migration {
        Migration(slice: "compute", number: number, name: "devices", sql: devices)
    }

    private static let devices = """
        CREATE TABLE server_devices (
            id INTEGER PRIMARY KEY,
            server_uuid TEXT NOT NULL,
            kind TEXT NOT NULL,
            device_uuid TEXT NOT NULL,
            tag TEXT,
            change TEXT,
            generation BIGINT NOT NULL,
            deadline BIGINT,
            action_id BIGINT,
            UNIQUE (server_uuid, kind, device_uuid)
        );
        CREATE INDEX server_devices_by_deadline ON server_devices (deadline);
        """
}
