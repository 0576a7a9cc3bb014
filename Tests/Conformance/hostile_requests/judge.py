"""Whether an answer is one that the service may give."""
import json

IDENTITY_MEMBERS = {"code", "message", "title"}


def strict(body):
    """JSON as RFC 8259 has it.

    Raises ValueError.
    """
    def refuse(word):
        raise ValueError(f"{word} is not JSON")
    value = json.loads(body.decode("utf-8"), parse_constant=refuse)
    body.decode("utf-8").encode("utf-8")
    return value


def problems(request, answer, secrets):
    """What is wrong with the answer, in words."""
    found = []
    if answer.status >= 500 and not (
            (request.malformed and answer.status in (501, 505)) or is_what_nova_says(request, answer)):
        found.append(f"a {answer.status}")
    if request.caller != "admin":
        seen = answer.body + repr(answer.headers).encode()
        found += ["what is the victim's was shown" for secret in secrets if secret in seen]
    if request.malformed:
        return found
    if "x-injected" in answer.headers:
        found.append("a header was injected")
    if request.method == "HEAD":
        return found
    if answer.status >= 400:
        found += error_problems(request, answer)
    elif answer.headers.get("content-type", "").startswith("application/json") and answer.body:
        try:
            strict(answer.body)
        except (ValueError, RecursionError) as error:
            found.append(f"a body that is not JSON: {error}")
    return found


def is_what_nova_says(request, answer):
    """Nova refuses with a 501 what no driver of its can do."""
    return answer.status == 501 and request.target.startswith("/compute") and (
        request.method == "HEAD" or b'"notImplemented"' in answer.body)


def shown_ids(request, answer, planted):
    """Kinds of the victim's things that an answer names although the request does not. `planted` is ids by kind."""
    if request.caller == "admin" or answer.status >= 400:
        return []
    return [f"the id of the victim's {kind} was shown" for kind, key in planted.items()
            if key.encode() in answer.body and key.encode() not in request.sent]


def error_problems(request, answer):
    try:
        body = strict(answer.body)
    except (ValueError, RecursionError) as error:
        return [f"a refusal whose body is not JSON: {error}"]
    if request.target.startswith("/placement") and isinstance(body, dict) and "error" not in body:
        return placement_problems(body, answer)
    if request.target.startswith("/network") and isinstance(body, dict) and "error" not in body:
        return network_problems(body)
    if request.target.startswith(("/compute", "/volume")) and isinstance(body, dict) and "error" not in body:
        return compute_problems(body, answer)
    if request.target.startswith("/image") and isinstance(body, dict) and "error" not in body:
        details, code = body, str(body.get("code", "")).split(" ")[0]
    else:
        details = body.get("error") if isinstance(body, dict) else None
        code = str(details.get("code")) if isinstance(details, dict) else None
    if not isinstance(details, dict) or code != str(answer.status):
        return ["a refusal without its code"]
    if not isinstance(details.get("message"), str) or not details["message"].strip():
        return ["a refusal without a message"]
    if request.target.startswith(("/identity/", "/image/")) and not details.get("title"):
        return ["a refusal without a title"]
    return []


def placement_problems(body, answer):
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, list) or not errors or not isinstance(errors[0], dict):
        return ["a refusal without its errors"]
    if errors[0].get("status") != answer.status:
        return ["a refusal without its status"]
    return [f"a refusal without its {name}" for name in ("title", "detail") if not errors[0].get(name)]


def network_problems(body):
    details = body.get("NeutronError")
    if not isinstance(details, dict) or set(details) != {"type", "message", "detail"}:
        return ["a refusal without its NeutronError"]
    return [f"a refusal without its {name}" for name in ("type", "message") if not str(details[name]).strip()]


def compute_problems(body, answer):
    """The clients take the first member, whatever it is called."""
    details = next(iter(body.values()), None)
    if len(body) != 1 or not isinstance(details, dict) or details.get("code") != answer.status:
        return ["a refusal without its code"]
    return [] if str(details.get("message", "")).strip() else ["a refusal without a message"]
