"""Load from wrk, and what one request of it cost the coordinator."""
import re
import subprocess
import tempfile

from cloud import cpu_seconds


def load(cloud, path, token=None, headers=None, body=None, connections=16, seconds=4):
    lines = [f'wrk.method = "{"POST" if body else "GET"}"']
    for name, value in {**({"X-Auth-Token": token} if token else {}), **(headers or {})}.items():
        lines.append(f'wrk.headers["{name}"] = "{value}"')
    if body:
        lines += ['wrk.headers["Content-Type"] = "application/json"', f"wrk.body = [==[{body}]==]"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("\n".join(lines))
        script.flush()
        before = cpu_seconds(cloud.coordinator)
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script.name,
             f"https://127.0.0.1:{cloud.port}{path}"], capture_output=True, text=True, check=True).stdout
        cpu = cpu_seconds(cloud.coordinator) - before
    requests = int(re.search(r"(\d+) requests in", out)[1])
    if re.search(r"Non-2xx", out):
        raise RuntimeError(f"{path}: not all answers were good\n{out}")
    median, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", out).groups()
    return {
        "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
        "median_ms": float(median) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit],
        "cpu_ms": cpu / requests * 1000,
    }
