"""Idle memory of both daemons; the baseline is an idle Python interpreter."""
import subprocess
import sys
import time

from cloud import Cloud, cpu_seconds, memory_kib


def measure():
    baseline = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        with Cloud() as cloud:
            time.sleep(10)
            base = memory_kib(baseline.pid)["proportional"]
            for name, process in (("coordinator", cloud.coordinator), ("agent (simulated)", cloud.agent)):
                before = cpu_seconds(process)
                time.sleep(5)
                busy = (cpu_seconds(process) - before) / 5 * 100
                memory = memory_kib(process.pid)
                yield {"what": f"{name} at idle", **{f"{k}_mib": v / 1024 for k, v in memory.items()},
                       "cpu_percent": busy, "ratio_to_python": memory["proportional"] / base}
    finally:
        baseline.kill()
        baseline.wait()
