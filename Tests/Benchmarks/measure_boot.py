"""A real boot: what of create-to-running is ours; the baseline is virsh define and start of the same domain.

The domain is a copy of the one that Skerry made, under another name, with a clone of its disk and taps of its own, so
both start the same QEMU with the same devices. Neither shares the machine with a guest that boots: the other's is paused
or gone.
"""
import datetime
import os
import pathlib
import re
import statistics
import subprocess
import time
import urllib.parse
import uuid

from cloud import Client

ROUNDS = 15
REST = 1.0


def measure():
    virsh("uri")  # Before there is a server to leave behind.
    cloud = Running()
    ours, baseline, outside = [], [], []
    for _ in range(ROUNDS):
        time.sleep(REST)
        start = time.monotonic()
        server = cloud.call("POST", "/compute/v2.1/servers", {"server": cloud.body})["server"]["id"]
        while True:
            shown = cloud.call("GET", f"/compute/v2.1/servers/{server}")["server"]
            if shown["status"] != "BUILD":
                break
            time.sleep(0.01)  # More often would take the processor from QEMU.
        if shown["status"] != "ACTIVE":
            raise RuntimeError(f"the server is {shown['status']}: {shown.get('fault')}")
        ours.append(time.monotonic() - start)
        outside.append(ours[-1] - cloud.in_hypervisor(server))
        domain = shown["OS-EXT-SRV-ATTR:instance_name"]
        virsh("suspend", domain)
        time.sleep(REST)
        baseline.append(copy_and_start(domain))
        cloud.call("DELETE", f"/compute/v2.1/servers/{server}")
        while cloud.call("GET", "/compute/v2.1/servers?name=bench-boot")["servers"]:
            time.sleep(0.05)
    base, total = statistics.median(baseline), statistics.median(ours)
    yield {"what": "virsh define and start (baseline)", "median_ms": base * 1000}
    yield {"what": "create to ACTIVE", "median_ms": total * 1000, "ratio_to_baseline": total / base}
    yield {"what": "our own part", "median_ms": statistics.median(o - b for o, b in zip(ours, baseline)) * 1000}
    yield {"what": "outside libvirt's calls", "median_ms": statistics.median(outside) * 1000}


def virsh(*arguments):
    uri = os.environ["SKERRY_LIBVIRT_URI"]
    return subprocess.run(["virsh", "-q", "-c", uri, *arguments], check=True, capture_output=True, text=True).stdout


def copy_and_start(name):
    """Seconds that libvirt alone takes for the same domain."""
    xml = virsh("dumpxml", "--inactive", name)
    copy = f"bench-{uuid.uuid4().hex[:8]}"
    xml = re.sub(r"<name>.*?</name>", f"<name>{copy}</name>", xml, count=1)
    xml = re.sub(r"<uuid>.*?</uuid>", f"<uuid>{uuid.uuid4()}</uuid>", xml, count=1)
    xml = re.sub(r"<entry name='uuid'>.*?</entry>", "", xml)
    xml = re.sub(r"<metadata>.*?</metadata>", "", xml, flags=re.S)
    made, taps = [], []
    for path in re.findall(r"<source file='([^']+)'", xml):
        clone = f"{path}.{copy}"
        subprocess.run(["cp", path, clone], check=True)
        made.append(clone)
        xml = xml.replace(f"'{path}'", f"'{clone}'")
    xml = re.sub(r"<log file='[^']*'[^>]*/>", "", xml)
    for number, tap in enumerate(re.findall(r"<target dev='(tap[^']+)'", xml)):
        taps.append(f"bt{copy[6:]}{number}")
        subprocess.run(["ip", "tuntap", "add", taps[-1], "mode", "tap"], check=True)
        xml = xml.replace(tap, taps[-1])
    definition = pathlib.Path(f"/tmp/{copy}.xml")
    definition.write_text(xml)
    try:
        start = time.monotonic()
        virsh("define", str(definition))
        virsh("start", copy)
        return time.monotonic() - start
    finally:
        for command in ("destroy", "undefine"):
            subprocess.run(["virsh", "-q", "-c", os.environ["SKERRY_LIBVIRT_URI"], command, copy], capture_output=True)
        for tap in taps:
            subprocess.run(["ip", "link", "delete", tap], capture_output=True)
        for path in [*made, definition]:
            pathlib.Path(path).unlink(missing_ok=True)


class Running(Client):
    """A cloud that packaging/quickstart made, through the clouds.yaml that it wrote."""

    def __init__(self):
        text = pathlib.Path(os.environ["OS_CLIENT_CONFIG_FILE"]).read_text()
        field = lambda name: re.search(rf"^\s+{name}:\s*['\"]?([^'\"\n]+)", text, re.M)[1]
        url = urllib.parse.urlsplit(field("auth_url"))
        super().__init__(url.port, field("cacert"), host=url.hostname, keep=True)
        self.log_in(field("username"), field("password"), field("project_name"))
        image = next(i for i in self.call("GET", "/image/v2/images")["images"] if i["name"] == "skerry-test")
        flavor = next(f for f in self.call("GET", "/compute/v2.1/flavors")["flavors"] if f["name"] == "m1.nano")
        network = self.call("GET", "/network/v2.0/networks?router:external=true")["networks"][0]
        self.body = {"name": "bench-boot", "imageRef": image["id"], "flavorRef": flavor["id"],
                     "networks": [{"uuid": network["id"]}]}

    def in_hypervisor(self, server):
        """Seconds of the server's creation that its host spent in the hypervisor."""
        actions = f"/compute/v2.1/servers/{server}/os-instance-actions"
        create = next(a for a in self.call("GET", actions)["instanceActions"] if a["action"] == "create")
        events = self.call("GET", f"{actions}/{create['request_id']}")["instanceAction"]["events"]
        return sum(
            (datetime.datetime.fromisoformat(e["finish_time"]) - datetime.datetime.fromisoformat(e["start_time"]))
            .total_seconds()
            for e in events if e["event"].endswith(("-domain", "-domain-paused")))
