"""Pages of the image list in clouds of 100, 10,000 and 100,000 images, first and last, for an administrator and a member.

The images are written to the database while the coordinator is stopped: copies of one that the API made, in the
coordinator's own tables. The baseline is the same page out of the smallest cloud that has one; another is Python reading
as many rows from the same file and encoding them.
"""
import json
import sqlite3
import time
import uuid

from cloud import Cloud
from wrk import load

COUNTS = (100, 10_000, 100_000)
SIZES = (50, 1_000)
# Images of others that are shared with the member's project. What it costs to show them grows with their number.
MEMBERSHIPS = 100


def measure():
    bases = {}
    for count in COUNTS:
        with Cloud() as cloud:
            member, last = fill(cloud, count)
            for size in SIZES:
                # The member sees more than a half.
                if size * 2 > count:
                    continue
                if count == COUNTS[-1]:
                    alone = python(cloud, size)
                    yield {"what": f"{size} of {count}, sqlite3 and json of Python (baseline)", "cpu_ms": alone * 1000}
                for viewer, token in (("admin", cloud.admin.token), ("member", member)):
                    for place, marker in (("first", ""), ("last", "&marker=" + last[viewer][size])):
                        path = f"/image/v2/images?limit={size}{marker}"
                        require(cloud, path, token, size, place)
                        result = load(cloud, path, token, connections=4)
                        base = bases.setdefault((size, viewer), (count, result["cpu_ms"]))
                        row = {"what": f"{size} of {count}, {viewer}, {place} page", **result,
                               f"ratio_cpu_to_first_of_{base[0]}": result["cpu_ms"] / base[1]}
                        if count == COUNTS[-1]:
                            row["ratio_cpu_to_python"] = result["cpu_ms"] / alone / 1000
                        yield row


def require(cloud, path, token, size, place):
    """The page is what it is said to be."""
    client = cloud.client(token)
    body = client.call("GET", path)
    got, after = len(body["images"]), body.get("next")
    if got != size:
        raise RuntimeError(f"{path}: {got} images instead of {size}")
    if place == "last" and client.call("GET", after.replace("/v2", "/image/v2", 1))["images"]:
        raise RuntimeError(f"{path} is not the last page")


def fill(cloud, count):
    """Of ten images five are the member's project's, one is public, one shared, and three are private to others.
    - Returns: The member's token, and of each viewer the image before the last page of each size."""
    admin = cloud.admin
    roles = {r["name"]: r["id"] for r in admin.call("GET", "/identity/v3/roles")["roles"]}
    project = admin.call("POST", "/identity/v3/projects", {"project": {"name": "bench"}})["project"]["id"]
    user = admin.call("POST", "/identity/v3/users", {"user": {"name": "bench", "password": cloud.password}})["user"]["id"]
    admin.call("PUT", f"/identity/v3/projects/{project}/users/{user}/roles/{roles['member']}")
    fields = {"name": "template", "disk_format": "raw", "container_format": "bare", "tags": ["one", "two"],
              "os_distro": "debian", "os_version": "12", "hw_disk_bus": "virtio", "architecture": "x86_64"}
    template = admin.call("POST", "/image/v2/images", fields)["id"]
    admin.call("PUT", f"/image/v2/images/{template}/file", b"\0" * 4096)
    cloud.stop_coordinator()
    with sqlite3.connect(cloud.database) as database:
        seen = write(database, template, project, count)
    database.close()
    cloud.start_coordinator()
    cloud.admin = cloud.log_in()
    member = cloud.log_in("bench", "bench").token
    # Newest first is the order of the list.
    return member, {viewer: {size: ids[size] for size in SIZES if size < len(ids)} for viewer, ids in seen.items()}


def write(database, template, project, count):
    """Replaces the template by so many copies.
    - Returns: The ids that each viewer sees, oldest first."""
    names = [row[1] for row in database.execute("PRAGMA table_info(images)") if row[1] != "id"]
    row = dict(zip(names, database.execute(f"SELECT {', '.join(names)} FROM images WHERE uuid = ?", [template]).fetchone()))
    tags = database.execute("SELECT tag FROM image_tags WHERE image = ?", [template]).fetchall()
    properties = database.execute("SELECT name, value FROM image_properties WHERE image = ?", [template]).fetchall()
    long = str(uuid.UUID(project))
    seen = {"admin": [], "member": []}
    images, members = [], []
    for number in range(count):
        # Others' images belong to many projects.
        owner, visibility = str(uuid.UUID(int=(number % 97 + 1) << 64)), "private"
        kind = number % 10
        if kind < 5:
            owner = long
        elif kind == 5:
            visibility = "public"
        elif kind == 6:
            visibility = "shared"
        image = str(uuid.uuid4())
        stamp = row["created_at"] - (count - number) * 1_000_000
        images.append({**row, "uuid": image, "owner": owner, "visibility": visibility, "name": f"bench-{number:06}",
                       "created_at": stamp, "updated_at": stamp})
        seen["admin"].append(image)
        is_member = kind == 6 and len(members) < MEMBERSHIPS
        if is_member:
            members.append((image, project, stamp))
        if kind < 6 or is_member:
            seen["member"].append(image)
    for table in ("images", "image_tags", "image_properties"):
        database.execute(f"DELETE FROM {table} WHERE {'uuid' if table == 'images' else 'image'} = ?", [template])
    database.executemany(
        f"INSERT INTO images ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})", images)
    database.executemany("INSERT INTO image_tags (image, tag) VALUES (?, ?)",
                         [(i["uuid"], tag) for i in images for tag, in tags])
    database.executemany("INSERT INTO image_properties (image, name, value) VALUES (?, ?, ?)",
                         [(i["uuid"], name, value) for i in images for name, value in properties])
    database.executemany("INSERT INTO image_members (image, member, status, created_at, updated_at) "
                         "VALUES (?, ?, 'accepted', ?, ?)", [(i, p, stamp, stamp) for i, p, stamp in members])
    return seen


def python(cloud, size):
    """Seconds of one core for the same in Python: rows, tags and properties read, joined and encoded."""
    database = sqlite3.connect(f"file:{cloud.database}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    rounds, start = 10, time.process_time()
    for _ in range(rounds):
        page = {r["uuid"]: {**dict(r), "tags": []} for r in database.execute(
            "SELECT * FROM images WHERE hidden = 0 ORDER BY created_at DESC, uuid DESC LIMIT ?", [size])}
        marks = ", ".join("?" * len(page))
        for image, tag in database.execute(f"SELECT image, tag FROM image_tags WHERE image IN ({marks})", list(page)):
            page[image]["tags"].append(tag)
        for image, name, value in database.execute(
                f"SELECT image, name, value FROM image_properties WHERE image IN ({marks})", list(page)):
            page[image][name] = value
        json.dumps({"images": list(page.values())})
    spent = time.process_time() - start
    database.close()
    return spent / rounds
