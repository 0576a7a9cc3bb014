"""Authentication. The baseline of a password is the same hash in OpenSSL, that of a token the version document."""
import hashlib
import json
import os
import re
import sqlite3
import time

from cloud import Cloud
from wrk import load

TOKENS = "/identity/v3/auth/tokens"


def measure():
    with Cloud() as cloud:
        name, parameters = hash_parameters(cloud)
        alone = openssl(parameters)
        yield {"what": f"{name} in OpenSSL, one core (baseline)", "per_second": 1 / alone, "cpu_ms": alone * 1000}
        password = load(cloud, TOKENS, body=json.dumps(cloud.password_body()), connections=4)
        yield {"what": f"password, {name}", **password, "ratio_cpu_to_baseline": password["cpu_ms"] / alone / 1000}
        token = cloud.admin.token
        base = load(cloud, "/identity/v3/")

        def row(what, result):
            # As much as two cores would do that need not make the requests as well.
            return {"what": what, **result, "two_cores_per_second": 2000 / result["cpu_ms"],
                    "ratio_cpu_to_baseline": result["cpu_ms"] / base["cpu_ms"]}

        yield row("version document (baseline)", base)
        again = {"identity": {"methods": ["token"], "token": {"id": token}}}
        yield row("token from token, unscoped", load(cloud, TOKENS, body=json.dumps({"auth": again})))
        again["scope"] = {"project": {"id": cloud.project}}
        yield row("token from token, project", load(cloud, TOKENS, body=json.dumps({"auth": again})))
        subject = {"X-Subject-Token": token}
        yield row("validation", load(cloud, TOKENS, token, subject, connections=32))
        yield row("validation, no catalog", load(cloud, TOKENS + "?nocatalog=1", token, subject, connections=32))


def hash_parameters(cloud):
    """How the coordinator hashes passwords now, from the hash that it made of the administrator's."""
    database = sqlite3.connect(f"file:{cloud.database}?mode=ro", uri=True)
    hashed, = database.execute("SELECT password_hash FROM identity_users WHERE name = 'admin'").fetchone()
    database.close()
    text = re.match(r"\$scrypt\$(ln=\d+,r=\d+,p=\d+)\$", hashed)[1]
    return f"scrypt {text}", {k: int(v) for k, v in (part.split("=") for part in text.split(","))}


def openssl(parameters):
    """Seconds of one core for one hash."""
    rounds, start = 10, time.process_time()
    for _ in range(rounds):
        hashlib.scrypt(b"correct horse", salt=os.urandom(16), n=1 << parameters["ln"], r=parameters["r"],
                       p=parameters["p"], maxmem=1 << 30, dklen=32)
    return (time.process_time() - start) / rounds
