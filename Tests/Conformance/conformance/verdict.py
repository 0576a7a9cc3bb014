"""Lines for people, files for later, and whether it was good enough."""
import collections
import pathlib
import re

from . import environment

HERE = pathlib.Path(__file__).resolve().parents[1]
LOGS = environment.REPOSITORY / ".build-release" / "test-logs" / "conformance"


def rows(name):
    """The rows of a table in this folder, as dictionaries; its first line that is no comment names the columns."""
    lines = [line for line in (HERE / name).read_text().splitlines() if line and not line.startswith("#")]
    columns = lines[0].split("\t")
    return [dict(zip(columns, line.split("\t"))) for line in lines[1:]]


def show(result):
    print(f"{result.outcome if result.outcome != 'failed' else 'FAILED':8} {result.seconds:6.1f} s  {result.test}"
          + (f"  ({result.reason})" if result.reason else ""), flush=True)


class Verdict:
    """Collects the passes' results. `partial` is for a choice of tests: then a required one may be missing."""

    def __init__(self, services, partial=False):
        self.services = services
        self.partial = partial
        self.required = {row["test"]: row["service"] for row in rows("required-tests.tsv")}
        self.explanations = [(re.compile(row["pass"]), re.compile(row["tests"]), row["outcome"], row["why"])
                             for row in rows("explained.tsv")]
        self.taken = []
        self.empty = []

    def take(self, a_pass, results):
        self.taken += [(a_pass, result) for result in results]

    def take_nothing(self, a_pass):
        """Of this pass no test was found. That is only right when some were chosen."""
        self.empty += [] if self.partial else [a_pass]

    def why(self, a_pass, result):
        """Why it is known and right that this test does not pass, or nothing."""
        return next((why for in_pass, tests, outcome, why in self.explanations
                     if outcome == result.outcome and tests.search(result.test) and in_pass.match(a_pass)), None)

    def expected(self):
        """The required tests that should have passed; of a choice, those that it has."""
        tried = {result.test for _, result in self.taken}
        return [test for test, service in self.required.items()
                if service in self.services and (test in tried or not self.partial)]

    def missed(self):
        """The required tests that passed in no pass, or did not in one of those that should have run them."""
        outcomes = collections.defaultdict(set)
        for _, result in self.taken:
            outcomes[result.test].add(result.outcome)
        return [(test, ", ".join(sorted(outcomes[test])) or "missing") for test in self.expected()
                if outcomes[test] != {"passed"}]

    def write(self, folder):
        with open(folder / "results.tsv", "w") as table, open(folder / "failures.txt", "w") as failures:
            print("pass", "outcome", "required", "seconds", "test", "reason", sep="\t", file=table)
            for a_pass, each in self.taken:
                print(a_pass, each.outcome, "yes" if each.test in self.required else "no", f"{each.seconds:.1f}",
                      each.test, each.reason, sep="\t", file=table)
                if each.details:
                    print(f"== {each.test} ({a_pass})\n{each.details}", file=failures)

    def finish(self):
        """Prints the sums, then what is wrong. 0 when nothing is."""
        unexplained = []
        explained = collections.Counter()
        for a_pass, result in self.taken:
            if result.outcome != "passed":
                why = self.why(a_pass, result)
                explained.update([(result.outcome, why)] if why else [])
                unexplained += [] if why else [(a_pass, result)]
        for (outcome, why), number in sorted(explained.items()):
            print(f"{number} {outcome}: {why}")
        for a_pass, result in unexplained:
            show(result)
        missed = self.missed()
        for test, outcome in missed:
            print(f"REQUIRED {outcome}: {test}")
        by_pass = collections.defaultdict(collections.Counter)
        for a_pass, result in self.taken:
            by_pass[a_pass][result.outcome] += 1
        for a_pass, counts in by_pass.items():
            print(f"{a_pass}: {numbers(counts)}")
        expected = len(self.expected())
        print(f"required: {expected - len(missed)} of {expected} passed")
        print(numbers(sum(by_pass.values(), collections.Counter())))
        for a_pass in self.empty:
            print(f"FAILED: there is no test in the pass: {a_pass}")
        has_passed = any(result.outcome == "passed" for _, result in self.taken)
        if not has_passed:
            print("FAILED: nothing was tried" + (": --only matches no test that ran" if self.partial else ""))
        return 1 if missed or unexplained or self.empty or not has_passed else 0


def numbers(counts):
    return ", ".join(f"{counts[name]} {name}" for name in ("passed", "failed", "skipped", "missing")
                     if counts[name] or name != "missing")
