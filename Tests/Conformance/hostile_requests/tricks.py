"""What makes a sound request hostile: in its path, query, headers, body, token or framing."""
import gzip
import zlib

from . import text

SEGMENTS = (
    "%00", "%2e%2e", "..", ".", "..%2f..%2f..%2fetc%2fpasswd", "%", "%z", "%zz", "%ff%fe", "%c0%af", "%ed%a0%80",
    "%F0%9F%98%80", "%25", "%2525", "%0d%0aX-Injected:%201", "%09", "%20", "+", ";a=b", "'%20OR%201=1--", "*", "null",
    "undefined", "-1", "0", "{key}", "$%7Bjndi%7D", "a" * 255, "a" * 256, "a" * 3000, "%61" * 1000, "%e2%80%ae",
    "00000000-0000-0000-0000-000000000000", "F" * 32, "f" * 33, "g" * 32, "a%CC%81", "%5c..%5c", "~", "@", "!", "a:b")

PLACEMENT_VALUES = (
    "VCPU:1", "VCPU:1,MEMORY_MB:1", "VCPU:9223372036854775807", "VCPU:-1", "VCPU", ":", "VCPU:1,VCPU:2", "NOTHING:1",
    "HW_CPU_X86_VMX", "!HW_CPU_X86_VMX", "!!", "in:HW_CPU_X86_VMX,CUSTOM_TOY", "in:!HW_CPU_X86_VMX", ",", "none",
    "isolate", "1", "_A", "1,_A", "!in:00000000-0000-4000-8000-000000000001", "in:00000000-0000-4000-8000-000000000001")

QUERY_VALUES = (
    "", "0", "1", "-1", "1000000000", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e3",
    "1.5", " 1", "abc", "true", "false", "True", "None", "name:asc", "name:asc,created_at:desc", "name:up", ":", "asc",
    "desc", "created_at", "name,name,name", "in:a,b", 'in:"a,b",c', 'in:"a', "in:", "in:,", 'in:""', "eq:1", "lt:",
    "gt:2020-01-01T00:00:00Z", "gte:x", "neq:2020-01-01T00:00:00+25:00", "bad:2020-01-01", "2020-01-01T00:00:00Z",
    "all", "public", "private", "shared", "accepted", "pending", "x" * 3000, "\x00", "\u202e", "\ud800", "%", "_", "*",
    "' OR 1=1; --", "a&b=c", "OS::Nova::Server,x", "lt:9999-12-31T23:59:59Z", "lt:0000-01-01T00:00:00Z")

QUERY_TAILS = (
    "limit=-1", "limit=0", "limit=99999999999999999999", "limit=1&limit=2", "limit=", "limit", "marker=x", "marker=",
    "sort_key=password", "sort_key=id&sort_dir=sideways", "sort=" + ",".join(["name:asc"] * 200),
    "sort_key=name&sort=id", "%00=%00", "=", "&&&", "?", "a=b=c", "%zz=%zz", "%ff=%fe", "name__contains=%25",
    "name__icontains=", "name__regex=(", "name__startswith=w", "name__endswith=%f0%9f", "__contains=x", "name__=x",
    "enabled=maybe", "per_page=1&page=1", "name=" + "x" * 6000,
    "tag=" + "&tag=".join("abc"), "nocatalog", "cascade=true", "is_domain=true", "effective&include_names",
    "include_subtree", "visibility=all&member_status=all", "name[]=x", "name[$ne]=x", "callback=alert", "fields=id",
    "debug=1", "os_hidden=true")

CONTENT_RANGES = (
    "bytes 0-0/1", "bytes 5-9/10", "bytes 0-4/2", "bytes 9-0/10", "bytes */10", "bytes 0-/10", "bytes -1-5/10", "bytes",
    "bytes 0-9223372036854775807/9223372036854775807", "bytes 0-18446744073709551615/18446744073709551616", "x",
    "bytes 0-4/*", "items 0-4/5")

RANGES = ("bytes=0-", "bytes=-0", "bytes=5-2", "bytes=0-0,2-3", "bytes=" + "0-0," * 500, "bytes=9223372036854775808-",
          "bytes=-9223372036854775808", "x=1", "bytes=", "bytes=a-b")

TYPES = (
    "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json",
    "application/json; charset=utf-16", "application/json;" * 50, "APPLICATION/JSON", "application/octet-stream", "*/*",
    "application/openstack-images-v2.1-json-patch", "application/openstack-images-v9-json-patch", "é/ü")

HEADERS = (
    ("Accept", "application/xml"), ("Accept", "*/*;q=nan"), ("Accept", "application/json-home;q=1e400"),
    ("Accept-Encoding", "gzip, br;q=1e9"), ("Accept-Language", "x" * 2000), ("X-Forwarded-For", "1.2.3.4"),
    ("X-Forwarded-Proto", "javascript"), ("X-Forwarded-Host", "evil.example"), ("Forwarded", "for=;host="),
    ("Host", "evil.example"), ("Host", ""), ("Host", "[::1]:99999"), ("X-HTTP-Method-Override", "DELETE"),
    ("X-Service-Token", "forged"), ("X-Service-Token", ""), ("X-Identity-Status", "Confirmed"), ("X-Roles", "admin"),
    ("X-User-Id", "admin"), ("X-Project-Id", "admin"), ("X-Is-Admin-Project", "True"), ("X-Tenant", "admin"),
    ("OpenStack-API-Version", "identity 99.99"), ("OpenStack-API-Version", "image 2.1e400"),
    ("X-OpenStack-Nova-API-Version", "latest"), ("X-Openstack-Request-Id", "req-\u00e9"), ("If-Match", "*"),
    ("If-None-Match", "*"), ("If-Modified-Since", "never"), ("Cookie", "a=b; " * 300), ("Authorization", "Basic YTpi"),
    ("X-Image-Meta-Store", "nowhere"), ("X-Image-Meta-Store", ""), ("X-Subject-Token", "x"), ("X-Subject-Token", ""),
    ("OpenStack-Identity-Access-Rules", "nan"), ("OpenStack-Identity-Access-Rules", "-1e400"), ("TE", "trailers"),
    ("Range", "bytes=-1"), ("Expect", "100-continue"), ("X-" + "a" * 200, "b"), ("X-Big", "b" * 6000),
    ("X-Auth-Token", "second"), ("X-Auth-Token", ""), ("Content-Encoding", "gzip"), ("Content-Language", "\u202e"),
    ("Pragma", "no-cache"), ("Upgrade", "websocket"), ("Upgrade", "h2c"), ("Via", "1.1 x"), ("Max-Forwards", "-1"))

METHODS = ("PUT", "PATCH", "DELETE", "POST", "OPTIONS", "TRACE", "HEAD", "PROPFIND", "SEARCH")


def play(g, request):
    trick = g.choices((path, query, header, token, body, encoding, method, framing), (4, 3, 4, 3, 5, 4, 1, 0.4))[0]
    if request.malformed:
        return
    request.tricks.append(trick.__name__)
    trick(g, request)


def path(g, request):
    parts = request.path.split("/")
    turn = g.randrange(10)
    at = g.randrange(1, len(parts))
    if turn < 5:
        parts[at] = g.choice(SEGMENTS)
    elif turn == 5:
        parts.insert(at, g.choice(("", ".", "..", "%2e", "x", "%2f")))
    elif turn == 6:
        # The same characters, each escaped.
        parts[at] = "".join(f"%{byte:02x}" for byte in parts[at].encode())
    elif turn == 7:
        parts[at] = parts[at].swapcase()
    elif turn == 8:
        parts[-1] += g.choice(("/", "//", "%00", ".json", "%20", "#x", ";x", "/..", "/x" * 200))
    else:
        parts[at] = parts[at] + "%2f" + g.choice(SEGMENTS)
    request.path = "/".join(parts)


def query(g, request):
    tail = g.choice(QUERY_TAILS)
    if g.chance(0.05):
        # Another number each time: what is prepared and kept for each form of a question must be bounded.
        tail = "&".join(f"a{n}=b" for n in range(g.randrange(1, 600)))
    if g.chance(0.3) and request.route.filters:
        name = g.choice(request.route.filters)
        tail = f"{name}={g.choice(SEGMENTS)}" if g.chance(0.5) else "&".join([f"{name}={g.word()}"] * 100)
    request.query = f"{request.query}&{tail}" if request.query and g.chance(0.5) else tail


def header(g, request):
    name, value = g.choice(HEADERS)
    if name == "Range":
        value = g.choice(RANGES)
    if name == "X-Subject-Token" and request.method == "DELETE":
        return
    if name == "Host":
        # A second one, or none that is one, is not HTTP.
        request.malformed = True
    request.headers.append((name, value))


def token(g, request):
    headers = [(name, value) for name, value in request.headers if name != "X-Auth-Token"]
    request.caller = "none"
    value = g.choice(g.stage.odd_tokens)
    # A control character in a header is not HTTP.
    request.malformed = any(ord(character) < 32 for character in value)
    request.headers = headers + [("X-Auth-Token", value)]


def body(g, request):
    """Something else than the body that is meant."""
    if request.route.body == "@data" or request.method in ("GET", "HEAD"):
        request.body = g.choice((b"", b"{}", b"\0" * 100))
        return
    whole = request.body or b"{}"
    at = g.randrange(len(whole)) if whole else 0
    deep = g.choice((65, 1000, 5000, 20000))
    names = [name for name in (request.route.body, "auth", "name") if name]
    request.body = g.choice((
        lambda: whole[:at], lambda: whole + b"{}", lambda: whole + b"\0", lambda: b"", lambda: b"   ", lambda: b"[]",
        lambda: b"{}", lambda: b"null", lambda: b'"x"', lambda: b"1", lambda: b"[" * deep, lambda: b'{"a":' * deep,
        lambda: b"[" * deep + b"]" * deep, lambda: b'{"a":' * deep + b"1" + b"}" * deep,
        lambda: whole[:at] + b"\xff\xfe" + whole[at:], lambda: whole[:at] + b"\0" + whole[at:],
        lambda: whole[:at] + b"\xed\xa0\x80" + whole[at:], lambda: whole[:at] + g.randbytes(8) + whole[at + 8:],
        lambda: whole[:at] + bytes([whole[at] ^ 1 << g.randrange(8)]) + whole[at + 1:] if whole else b"",
        lambda: whole.replace(b"{", b'{"name": "twice", ', 2), lambda: whole.replace(b"}", b', "name": [], "id": 1}'),
        lambda: whole.replace(b'": ', b'": 1e400, "x": ', 1), lambda: whole.replace(b"{", b"{,", 1),
        lambda: text.dumps({g.choice(names): g.hostile()}).encode("utf-8", "surrogatepass"),
        lambda: text.dumps({g.choice(names): {f"n{n}": n for n in range(2000)}}).encode(),
        lambda: b'{"' + b"k" * 100000 + b'": 1}', lambda: b'{"a": "' + b"\\u0041" * 20000 + b'"}',
        lambda: b"1" * 50000, lambda: b"[" + b"1," * 30000 + b"1]",
        lambda: b" " * (1 << 20) + whole if g.chance(0.05) else whole[::-1]))()


def encoding(g, request):
    whole = request.body or b"{}"
    said = whole.decode("utf-8", "replace")
    turn = g.randrange(9)
    if turn < 4:
        request.body = said.encode(g.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7")))
    elif turn == 4:
        request.body = g.choice((gzip.compress, zlib.compress))(whole)
        request.headers.append(("Content-Encoding", g.choice(("gzip", "deflate", "br", "x"))))
    elif turn == 5:
        if ("Transfer-Encoding", "chunked") not in request.headers:
            request.headers.append(("Transfer-Encoding", "chunked"))
    else:
        headers = [(name, value) for name, value in request.headers if name != "Content-Type"]
        if turn < 8:
            headers.append(("Content-Type", g.choice(TYPES)))
        request.headers = headers


def method(g, request):
    request.method = g.choice(METHODS)
    request.malformed = request.method in ("PROPFIND", "SEARCH", "TRACE")
    if request.method == "DELETE":
        request.headers = [(name, value) for name, value in request.headers if name != "X-Subject-Token"]


def framing(g, request):
    """Broken HTTP: it may cost the connection, and nothing else."""
    request.malformed = True
    way = g.choice(FRAMINGS)
    request.spoil = way(g)


def too_long(g):
    extra = g.choice((1, 1000, 1 << 40))
    return lambda whole: announce(whole, lambda length: length + extra)


def too_short(g):
    return lambda whole: announce(whole, lambda length: max(0, length - 5))


def no_number(g):
    said = g.choice(("-1", "abc", "1, 2", "0x10", "99999999999999999999999", "+5", ""))
    return lambda whole: announce(whole, lambda length: said)


def both_lengths(g):
    return lambda whole: in_head(whole, b"Content-Length: 3\r\nTransfer-Encoding: chunked", chunked)


def bad_chunks(g):
    body = g.choice((b"zz\r\n", b"5\r\nab", b"ffffffffffffffffff\r\na", b"-1\r\n\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n"))
    return lambda whole: in_head(whole, b"Transfer-Encoding: chunked", lambda _: body)


def cut(g):
    share = g.random()
    return lambda whole: whole[:max(1, int(len(whole) * share))]


def bad_version(g):
    version = g.choice((b"HTTP/9.9", b"HTTP/1.1 x", b"", b"http/1.1"))
    return lambda whole: whole.replace(b"HTTP/1.1", version, 1)


def blank_before_colon(g):
    return lambda whole: whole.replace(b"Host:", b"Host :", 1)


def control_character(g):
    return lambda whole: whole.replace(b"\r\n\r\n", b"\r\nX: a\x00b\r\n\r\n", 1)


def many_headers(g):
    return lambda whole: whole.replace(b"\r\n\r\n", b"\r\n" + b"X-Many: 1\r\n" * 5000 + b"\r\n", 1)


def noise(g):
    data = g.randbytes(200)
    return lambda whole: data


FRAMINGS = (too_long, too_short, no_number, both_lengths, bad_chunks, cut, bad_version, blank_before_colon,
            control_character, many_headers, noise)


def announce(whole, change):
    head, _, rest = whole.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length:")]
    return b"\r\n".join(lines) + f"\r\nContent-Length: {change(len(rest))}\r\n\r\n".encode() + rest


def in_head(whole, header, change):
    head, _, rest = whole.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith((b"Content-Length:", b"Transfer-Encoding:"))]
    return b"\r\n".join(lines) + b"\r\n" + header + b"\r\n\r\n" + change(rest)


def chunked(body):
    pieces = [body[at:at + 7] for at in range(0, min(len(body), 700), 7)] + ([body[700:]] if body[700:] else [])
    return b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"
