"""Scenarios: one line a command, and what must be true of its outcome.

    @member trust create --project {project} ...  => id as trust; impersonation = False
    ! POST /image/v2/metadefs/namespaces {"namespace": "given"}

`@NAME` runs it as another user, `!` calls the API itself for what no command can prepare, {NAME} is what an earlier
line gave. After `=>`, separated by semicolons:

    FIELD as NAME       keeps a field of the answer (by dots one inside of it); `first` is the first line of the output
    FIELD = VALUE       the field says this
    has TEXT, lacks TEXT
    fails TEXT          the command must fail, and say this
    excused REASON      it may fail, as Skerry does not offer it
"""
import dataclasses
import json
import re
import shlex


@dataclasses.dataclass
class Step:
    line: int
    arguments: str
    user: str = "admin"
    is_call: bool = False
    checks: tuple = ()

    @property
    def reads_fields(self):
        return any(" = " in check or " as " in check and not check.startswith("first ") for check in self.checks)

    @property
    def excuse(self):
        return next((check[8:] for check in self.checks if check.startswith("excused ")), None)

    @property
    def failure(self):
        return next((check[6:] for check in self.checks if check.startswith("fails ")), None)


class Wrong(Exception):
    """The outcome is not what the line says."""


def parse(text):
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        command, _, checks = line.partition(" => ")
        user, is_call = "admin", command.startswith("! ")
        if command.startswith("@"):
            user, _, command = command[1:].partition(" ")
        if is_call:
            command = command[2:]
        steps.append(Step(number, command.strip(), user, is_call,
                          tuple(check.strip() for check in checks.split("; ") if check.strip())))
    return steps


def fill(text, values):
    """The text with {NAME} replaced; other braces stay, as JSON has them."""
    def value(match):
        if match[1] not in values:
            raise Wrong(f"an earlier line should have given {match[1]}")
        return str(values[match[1]])
    return re.sub(r"\{(\w+)\}", value, text)


def check(step, status, output, values):
    """Holds the outcome against the line's checks and keeps what it asks for. - Raises: `Wrong`."""
    if step.failure is not None:
        if status == 0:
            raise Wrong("it should have failed")
        if step.failure not in output:
            raise Wrong(f"it should have said '{step.failure}': {last_line(output)}")
        return
    if status != 0:
        raise Wrong(last_line(output))
    fields = json.loads(output) if step.reads_fields else {}
    for each in step.checks:
        if each.startswith("has "):
            if fill(each[4:], values) not in output:
                raise Wrong(f"'{fill(each[4:], values)}' is not in the output")
        elif each.startswith("lacks "):
            if fill(each[6:], values) in output:
                raise Wrong(f"'{fill(each[6:], values)}' is in the output")
        elif each.startswith("first as "):
            values[each[9:]] = (output.split() or [""])[0]
        elif " as " in each:
            field, name = each.split(" as ")
            values[name] = look_up(fields, field)
        elif " = " in each:
            field, wanted = each.split(" = ", 1)
            if str(fields.get(field)) != fill(wanted, values):
                raise Wrong(f"{field} is {fields.get(field)!r}")


def look_up(fields, path):
    """A field, or by dots one inside of it: `rules.0.id`."""
    if path in fields:
        return fields[path]
    for part in path.split("."):
        fields = fields[int(part)] if isinstance(fields, list) else fields[part]
    return fields


def last_line(output):
    lines = [line for line in output.strip().splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it said nothing"


def command_name(arguments, names):
    """The longest of the client's command names that the arguments begin with."""
    words = shlex.split(arguments)
    for length in range(min(len(words), 8), 0, -1):
        if " ".join(words[:length]) in names:
            return " ".join(words[:length])
    raise ValueError(f"the client has no such command: {arguments}")
