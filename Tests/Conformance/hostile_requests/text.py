"""Values as they stand in a body, also those that no JSON library would write."""
import json


class Raw(str):
    """A piece of JSON text that is written as it is."""


class Pairs(list):
    """An object as (name, value) pairs: names may repeat."""


def dumps(value):
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{json.dumps(name)}: {dumps(member)}" for name, member in value) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(name))}: {dumps(member)}" for name, member in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value)


def nested(depth, opening="[", closing="]", core="1"):
    return Raw(opening * depth + core + closing * depth)


STRINGS = [
    "", " ", "\t\n", "0", "-1", "null", "None", "true", "é", "\u202e\u0645\u0631", "\U0001f600" * 20, "a\u0301" * 30,
    "\ud800", "\udfff\ud800", "x\x00y", "x\x01\x1fy", "../../etc/passwd", "' OR 1=1; --", "%s%n%d", "${jndi:ldap://x}",
    "%(target.user.id)s", "$(project_id)s", "%(", "a/b", "a,b", "a&b=c#d?", "<script>alert(1)</script>", "[]", "{}",
    "http://169.254.169.254/", "file:///etc/passwd", "\ufeffname", "\u2028", "ﬀ", "İ", "ß", "x" * 63, "x" * 64,
    "x" * 65, "x" * 255, "x" * 256, "ü" * 255, "x" * 65535, "x" * 65536, "2020-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z", "0000-00-00T00:00:00Z", "99999-01-01T00:00:00Z", "2030-02-30T25:61:61Z",
    "10000000000000000000000000", "1e400", "NaN", "00000000-0000-0000-0000-000000000000", "f" * 32, "F" * 32, "g" * 32,
    "{00000000-0000-0000-0000-000000000000}", "urn:uuid:00000000-0000-0000-0000-000000000000"]

NUMBERS = [
    0, -1, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**32, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64,
    10**30, 0.5, -0.0, 1e308, 5e-324] + [Raw(text) for text in (
        "-0", "-0.0", "1e400", "-1e400", "1E-400", "1.0", "1e0", "10e-1", "1" + "0" * 400, "0." + "0" * 400 + "1",
        "123456789012345678901234567890.5", "9223372036854775807.0", "9223372036854775808", "18446744073709551616",
        "01", "+1", ".5", "1.", "0x10", "NaN", "Infinity", "1_000")]

ODDS = [
    None, True, False, [], {}, [[]], [None], {"": None}, ["a", 1], {"a": {"b": {"c": []}}}, [{}], [True] * 50,
    nested(10), nested(63), nested(64), nested(65), nested(3000), nested(3000, '{"a":', "}"),
    Pairs([("name", "a"), ("name", "b")]), Pairs([("", 1), ("", [])]), Raw('"\\ud83d"'), Raw('"\\u0000"'),
    Raw('"\\x41"'), Raw("'single'"), Raw("tru"), Raw("/* */1"), Raw("undefined"), Raw('"unterminated')]
