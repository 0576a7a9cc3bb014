"""Policy decisions per second, from what a rule of a thousand decisions costs more than a plain one over HTTP."""
import json
import time

from cloud import Cloud, programs
from wrk import load

# A small answer from memory, behind a rule.
PATH, RULE = "/identity/v3/auth/system", "identity:get_auth_system"
# Half an ordinary default each: the role is there, the owner is another, so the next one is asked.
DECISION = "role:reader and project_id:%(target.project.id)s"
# Rules that this path does not need otherwise; an expression has at most 10,000 bytes.
CARRIERS = ["domain_member", "domain_manager", "system_member", "system_manager", "project_manager", "system_reader"]
EACH = 170


def measure():
    with Cloud() as cloud:
        cloud.seed()
        token = cloud.admin.token
        plain = load(cloud, PATH, token)
        rules = {name: " or ".join([DECISION] * EACH) for name in CARRIERS}
        rules[RULE] = " or ".join([f"rule:{name}" for name in CARRIERS] + ["role:admin"])
        apply(cloud, rules)
        heavy = load(cloud, PATH, token)
        count = EACH * len(CARRIERS)
        each = (heavy["cpu_ms"] - plain["cpu_ms"]) / count
        yield {"what": "one rule, one decision (baseline)", **plain}
        yield {"what": f"one rule, {count} decisions", **heavy,
               "ratio_cpu_to_baseline": heavy["cpu_ms"] / plain["cpu_ms"]}
        yield {"what": "policy decisions on one core", "per_second": 1000 / each, "cpu_ms": each,
               "ratio_cpu_to_baseline": each / plain["cpu_ms"]}


def apply(cloud, rules):
    # JSON is YAML.
    (cloud.folder / "policy.yaml").write_text(json.dumps(rules))
    for _ in range(100):
        status = programs.run("skerry", "policy", "status", "--socket", cloud.socket)
        if "policy.yaml" in status:
            return
        time.sleep(0.1)
    raise RuntimeError(f"the policy file was not taken: {status}")
