"""A case as one word that can be pasted, with ids and tokens by name: they differ in each run."""
import base64
import json
import zlib


def names(stage):
    """What stands for each id and token of the stage."""
    table = {token: f"<<token {name}>>" for name, token in stage.tokens.items() if token}
    table |= {token: f"<<odd {index}>>" for index, token in enumerate(stage.odd_tokens[:2])}
    for kind, keys in stage.ids.items():
        table |= {key: f"<<{kind} {index}>>" for index, key in enumerate(keys) if len(key) > 12}
    return table


def pack(request, stage):
    data = request.bytes().decode("latin-1")
    for value, name in sorted(names(stage).items(), key=lambda pair: -len(pair[0])):
        data = data.replace(value, name)
    case = json.dumps({
        "caller": request.caller, "method": request.method, "malformed": request.malformed, "data": data})
    return base64.urlsafe_b64encode(zlib.compress(case.encode(), 9)).decode()


def unpack(word, stage):
    """(method, bytes) for this run's stage."""
    case = json.loads(zlib.decompress(base64.urlsafe_b64decode(word)))
    data = case["data"]
    for value, name in names(stage).items():
        data = data.replace(name, value)
    head, mark, body = data.partition("\r\n\r\n")
    if not case["malformed"] and "Content-Length:" in head:
        lines = [line for line in head.split("\r\n") if not line.startswith("Content-Length:")]
        head = "\r\n".join(lines + [f"Content-Length: {len(body)}"])
    return case["method"], (head + mark + body).encode("latin-1")
