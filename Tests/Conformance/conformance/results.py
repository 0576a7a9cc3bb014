"""What came of each test, from stestr's stream."""
import dataclasses
import re

import subunit
from testtools import StreamToDict

STATUSES = {"success": "passed", "uxsuccess": "failed", "fail": "failed", "skip": "skipped", "xfail": "skipped"}
# A line of a traceback that names an exception.
EXCEPTION = re.compile(r"^(\w+\.)*\w*(Error|Exception|Failure|Mismatch|Timeout)\b|^(\w+\.)+[A-Z]\w+(:|$)")
# Instead of a test's name when what its class or module shares went wrong, or was skipped.
SHARED = re.compile(r"^(setUpClass|tearDownClass|setUpModule|tearDownModule) \((.*)\)$")


@dataclasses.dataclass
class Result:
    test: str
    outcome: str          # passed, failed, skipped, missing
    seconds: float = 0
    reason: str = ""      # one line
    details: str = ""     # the whole traceback


def plain(name):
    """A test's name without its ids and attributes; that of a scenario stays."""
    return re.sub(r"\[[^\]]*\]", "", name)


def read(stream, each):
    """Calls `each` with a Result as the stream brings one."""
    def on_test(test):
        # What stestr prints itself has no status of a test.
        if test["status"] in STATUSES:
            each(result(test))
    sink = StreamToDict(on_test)
    sink.startTestRun()
    subunit.ByteStreamToStreamResult(stream, non_subunit_name="output").run(sink)
    sink.stopTestRun()


def result(test):
    began, ended = test["timestamps"]
    text = "\n".join(content.as_text() for name, content in test["details"].items()
                     if name.startswith(("reason", "traceback")))
    outcome = STATUSES[test["status"]]
    return Result(plain(test["id"]), outcome, (ended - began).total_seconds() if began and ended else 0,
                  summary(text) if outcome != "passed" else "", text if outcome == "failed" else "")


def summary(text):
    """The first exception with what it says, shortened; what comes after it is of clean-ups."""
    lines = text.strip().splitlines()
    starts = [number for number, line in enumerate(lines) if EXCEPTION.match(line)]
    chosen = lines[starts[0]:] if starts else lines[-1:]
    end = next((number for number, line in enumerate(chosen) if line.startswith("Traceback")), len(chosen))
    return re.sub(r"\s+", " ", " ".join(chosen[:end]))[:300]


def spread(results, tests):
    """One Result for each of `tests`. What happened to a class or module holds for its tests that did not run."""
    own = {each.test: each for each in results}
    shared = {}
    for each in results:
        match = SHARED.match(each.test)
        if match and match[1].startswith("setUp"):
            shared[match[2]] = each
    answer = []
    for test in tests:
        owner = shared.get(test.rsplit(".", 1)[0]) or shared.get(test.rsplit(".", 2)[0])
        if test in own:
            answer.append(own[test])
        elif owner:
            answer.append(dataclasses.replace(owner, test=test, seconds=0))
        else:
            answer.append(Result(test, "missing", reason="it did not run"))
    # A class whose clean-up failed has left something behind, whatever its tests say.
    answer += [each for each in results if SHARED.match(each.test) and each.outcome == "failed"
               and "tearDown" in each.test]
    return answer
