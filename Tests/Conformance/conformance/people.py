"""What scenarios start with: users besides the administrator, files, and values by name."""
import json

# Name -> (password, project).
MEMBERS = {"member": ("Conformance-1", "workshop"), "changer": ("Conformance-2", "workshop"),
           "neighbour": ("Conformance-3", "next-door")}


# For arguments that name a file.
FILES = {
    "filters.json": {"interface": "public"}, "filters2.json": {"interface": "internal"},
    "policy.json": {"admin": "role:admin"}, "policy2.json": {"admin": "role:other"},
    "mapping.json": [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "UserName"}]}]}


def make(client, stand):
    """Makes all that, and gives the values."""
    for name, content in FILES.items():
        (stand.folder / name).write_text(json.dumps(content))
    roles = {role["name"]: role["id"] for role in client.call("GET", "/identity/v3/roles")["roles"]}
    values = {"member_role": roles["member"], "reader_role": roles["reader"], "folder": stand.folder,
              "web": stand.web.url, "web_folder": stand.web.folder, "image": stand.facts.seeds["image"],
              "admin_user": client.me["user"]["id"], "admin_project": client.me["project"]["id"]}
    for name, (password, project) in MEMBERS.items():
        key = project.replace("-", "_")
        if key not in values:
            values[key] = client.call("POST", "/identity/v3/projects", {"project": {
                "name": project, "domain_id": "default"}})["project"]["id"]
        values[name] = client.call("POST", "/identity/v3/users", {"user": {
            "name": name, "password": password, "domain_id": "default"}})["user"]["id"]
        client.call("PUT", f"/identity/v3/projects/{values[key]}/users/{values[name]}/roles/{roles['member']}")
    return values


def environment(cloud, name):
    if name == "admin":
        return cloud.environment()
    if name == "system":
        whole = cloud.environment()
        del whole["OS_PROJECT_NAME"], whole["OS_PROJECT_DOMAIN_NAME"]
        return {**whole, "OS_SYSTEM_SCOPE": "all"}
    password, project = MEMBERS[name]
    return cloud.environment(name, password, project)
