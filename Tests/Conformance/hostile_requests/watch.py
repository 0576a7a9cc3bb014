"""What a refused request must leave alone: the database and the folder of images."""
import os
import pathlib
import sqlite3

# The event log holds the refusals themselves.
LOGS = {"events", "event_cursors"}

# What is on its way from one state to another, by what it is.
ON_HOSTS = {
    "server": "SELECT uuid, vm_state, task_state FROM servers WHERE task_state IS NOT NULL AND deleted_at IS NULL",
    # A paused guest lets no device go: that ends with its time, or goes on when the guest does.
    "device": """
        SELECT server_uuid, kind, change FROM server_devices JOIN servers ON uuid = server_uuid
        WHERE change IS NOT NULL AND vm_state != 'paused'""",
    "volume": "SELECT uuid, status, task FROM blockstorage_volumes WHERE task IS NOT NULL AND deleted_at IS NULL",
    "snapshot": "SELECT uuid, status, task FROM blockstorage_snapshots WHERE task IS NOT NULL AND deleted_at IS NULL",
    "plan": "SELECT uuid, plan_revision, acknowledged_revision FROM nodes WHERE plan_revision != acknowledged_revision",
    "touch": "SELECT resource, kind FROM plan_touches",
    "job": "SELECT job_id, kind, step, reason FROM jobs WHERE stuck = 0",
}
# Rows that must go with what they are of.
STANDING = {
    "plan_entries": "SELECT kind || ' ' || resource FROM plan_entries",
    "placement_inventories": """
        SELECT uuid || ' ' || resource_class || ' ' || used FROM placement_inventories
        JOIN placement_providers ON placement_providers.id = provider_id""",
    "placement_consumers": "SELECT uuid FROM placement_consumers",
    "placement_group_members": "SELECT consumer_uuid FROM placement_group_members",
    "network_networks": "SELECT uuid FROM network_networks",
    "network_ports": "SELECT uuid FROM network_ports",
    "network_allocations": "SELECT address FROM network_allocations",
    "network_port_forwardings": "SELECT uuid FROM network_port_forwardings",
    "network_address_group_prefixes": "SELECT prefix FROM network_address_group_prefixes",
    "network_rbac": "SELECT uuid FROM network_rbac",
    "blockstorage_attachments": "SELECT uuid FROM blockstorage_attachments",
    "blockstorage_transfers": "SELECT uuid FROM blockstorage_transfers",
    "server_devices": "SELECT server_uuid FROM server_devices",
    "server_group_members": "SELECT server_uuid FROM server_group_members",
    "compute_aggregate_hosts": "SELECT id FROM compute_aggregate_hosts",
}


class Watch:
    def __init__(self, state):
        self.path = pathlib.Path(state) / "skerry.db"
        self.images = pathlib.Path(state) / "images"
        self.database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)
        self.database.text_factory = bytes
        self.columns = {}
        self.read_schema()

    def read_schema(self):
        names = [row[0].decode() for row in self.database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]
        for name in names:
            if name not in LOGS:
                columns = [row[1].decode() for row in self.database.execute(f'PRAGMA table_info("{name}")')]
                self.columns[name] = columns

    def version(self):
        """Moves with every commit of another connection."""
        return self.database.execute("PRAGMA data_version").fetchone()[0]

    def tables(self):
        """All rows of all tables but the logs, in one view of the database."""
        self.database.execute("BEGIN")
        try:
            return {name: self.database.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()
                    for name in self.columns}
        finally:
            self.database.execute("COMMIT")

    def files(self):
        """Paths and sizes below the folder of images."""
        found = {}
        for folder, _, names in os.walk(self.images):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    found[os.path.relpath(path, self.images)] = os.stat(path).st_size
                except FileNotFoundError:
                    pass
        return found

    def held(self):
        """A set of lines: the files, and the rows of data that is on its way in or kept for an import."""
        parts = self.database.execute("SELECT image, kind, file, size, complete FROM image_parts").fetchall()
        return {f"file {name} of {size} bytes" for name, size in self.files().items()} | {
            f"row of image_parts {row}" for row in parts}

    def strays(self):
        """Lines for files that no row names, and for parts of images that are not there."""
        # The files first: a row is made before its file, and goes before it.
        names = set(self.files())
        wanted = {row[0].decode() for row in self.database.execute(
            "SELECT sha512 FROM images WHERE sha512 IS NOT NULL UNION SELECT file FROM image_parts")}
        lost = self.database.execute(
            "SELECT file FROM image_parts WHERE image NOT IN (SELECT uuid FROM images) ORDER BY file").fetchall()
        return [f"file {name} is nobody's" for name in sorted(names - wanted)] + [
            f"row of image_parts {row[0].decode()} has no image" for row in lost]

    def under_way(self):
        """Lines for images and tasks on their way from one state to another, and for what waits for its removal."""
        images = self.database.execute(
            "SELECT uuid, status FROM images WHERE status IN ('importing', 'saving', 'pending_delete')").fetchall()
        tasks = self.database.execute(
            "SELECT uuid, status FROM image_tasks WHERE status IN ('pending', 'processing')").fetchall()
        lines = [f"{kind} {key.decode()} is {status.decode()}"
                 for kind, rows in (("image", images), ("task", tasks)) for key, status in rows]
        return lines + self.on_hosts() + self.strays()

    def on_hosts(self):
        """Lines for what a host has yet to do, and for what it is doing."""
        lines = []
        for what, query in ON_HOSTS.items():
            lines += [f"{what} {row[0]!r} is under way: {row[1:]}" for row in self.database.execute(query)]
        return lines

    def standing(self):
        """A set of (table, id) of what is left when all that was made is deleted."""
        return {(table, row[0]) for table, query in STANDING.items() for row in self.database.execute(query)}

    def differences(self, old, new, exempt=()):
        """Lines that say what is not the same; `exempt` are pairs of table and column that may differ, `*` for all."""
        lines = []
        for name, rows in new.items():
            if rows == old[name] or (name, "*") in exempt:
                continue
            kept = [index for index, column in enumerate(self.columns[name]) if (name, column) not in exempt]
            before = {tuple(row[index] for index in kept) for row in old[name]}
            after = {tuple(row[index] for index in kept) for row in rows}
            lines += [f"{name}: gone {self.shown(name, kept, row)}" for row in before - after]
            lines += [f"{name}: new {self.shown(name, kept, row)}" for row in after - before]
        return lines

    def shown(self, name, kept, row):
        return {self.columns[name][index]: value[:80] if isinstance(value, bytes) else value
                for index, value in zip(kept, row)}


def anonymous_kib(pid):
    """Memory of the process that is not backed by a file."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1])
    raise LookupError("no Anonymous in smaps_rollup")
