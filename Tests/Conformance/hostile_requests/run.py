"""The run: requests in rounds over several connections, and after each round a look at the database."""
import collections
import re
import time
import traceback

from . import aimed, judge, replay, routes, watch, wire

LANES = 4
SWEEP_EVERY = 1000
VIOLATION_LIMIT = 200
# How long a broken request may be waited for.
MALFORMED_SECONDS = 1
# How long the database must have stood still until a request without an answer counts as done with.
QUIET_SECONDS = 0.5
# Until what goes on behind the answers counts as stuck, also on a slow machine.
PATIENCE_SECONDS = 120
# A refused upload has begun: the image's time of change moves, and a former broken upload is given up.
UPLOAD_EXEMPT = {("images", "updated_at"), ("images", "generation"), ("image_parts", "*")}
# Services that go on behind the answer.
RESTLESS = ("/image", "/compute", "/volume", "/network")
# A short run asks for the victim's things as some of the strangers only, on each route in turn.
FEW, FEW_CALLERS = 20_000, 2
# How long an answer may take, on a slow machine and beside three others.
ANSWER_SECONDS = 10
# Until what a host has done is told.
HOST_SECONDS = 0.3
# What an answer calls a thing, and by which member the thing is named.
CALLED = {"volume_snapshot": "snapshot", "qos": "qos_specs"}
KEYS = {"ec2": "access", "namespace": "namespace", "provider": "uuid", "keypair": "name"}
ITEM = re.compile(rb'"(?:id|access|namespace|name)": ?"([^"\\]{1,80})"')


class Run:
    def __init__(self, cloud, stage, broom, generator, seed, show=print):
        self.cloud, self.stage, self.broom, self.generator, self.seed = cloud, stage, broom, generator, seed
        self.show = show
        self.watch = watch.Watch(cloud.folder / "coordinator")
        self.lanes = [wire.Connection(cloud.port, cloud.certificate) for _ in range(LANES)]
        self.first = self.watch.held()
        self.standing = self.watch.standing()
        self.slowest = []
        self.patience = PATIENCE_SECONDS
        self.last = {}
        self.secrets = [stage.secret.encode(), stage.ec2_secret.encode()]
        self.hidden = {kind: key for kind, key in stage.planted.items() if kind in routes.CLOUD_KINDS and len(key) > 30}
        self.statuses, self.callers = collections.Counter(), collections.Counter()
        self.intents, self.services = collections.Counter(), collections.Counter()
        # By caller, without those requests that must not succeed.
        self.tried, self.succeeded = collections.Counter(), collections.Counter()
        self.routes = collections.Counter()
        self.violations = []
        self.kinds = collections.Counter()
        self.memory = {}
        self.count = self.alone_count = 0
        self.waiting = []

    def go(self, total):
        began = time.monotonic()
        self.generator.refill()
        self.rebase()
        waiting = list(aimed.requests(self.generator, *(() if total > FEW else (FEW_CALLERS,))))
        for first in range(0, len(waiting), LANES):
            self.together(waiting[first:first + LANES])
        self.show(f"   {self.count} requests for what is the victim's, {time.monotonic() - began:.0f} s", flush=True)
        marks = {self.count + max(1, total // 5): "after 20 %", self.count + total: "at the end"}
        total += self.count
        next_show = self.count
        swept = 0
        for mark in sorted(marks):
            while self.count < mark and len(self.violations) < VIOLATION_LIMIT:
                self.round(min(LANES, mark - self.count))
                if self.count - swept >= SWEEP_EVERY:
                    swept = self.count
                    self.sweep()
                if self.count >= next_show:
                    next_show += max(1, total // 10)
                    self.show(f"   {self.count} requests, {time.monotonic() - began:.0f} s, "
                              f"{watch.anonymous_kib(self.cloud.coordinator.pid)} KiB, "
                              f"{len(self.violations)} violations", flush=True)
                self.cloud.check()
            self.sweep(is_last=True)
            time.sleep(2)
            self.memory[marks[mark]] = watch.anonymous_kib(self.cloud.coordinator.pid)
            if mark != total:
                self.sweep()
                swept = self.count
        self.seconds = time.monotonic() - began
        for line in self.stage.changed_canaries():
            self.violate(None, None, f"the victim's was changed: {line}"[:2000])

    # Rounds

    def round(self, count):
        """Requests that will likely be accepted go alone: then it is sure what a refused one did."""
        requests = []
        while len(requests) < count:
            request = self.waiting.pop() if self.waiting else self.generator.request()
            if request.malformed or (self.is_likely(request) and self.generator.chance(0.9)):
                if requests:
                    self.waiting.append(request)
                    break
                return self.alone(request)
            requests.append(request)
        self.together(requests)

    @staticmethod
    def is_likely(request):
        return not request.is_safe and request.caller in ("admin", "manager", "member") and request.intent != "hostile"

    def together(self, requests):
        # All are on their way before the first answer is read.
        for lane, request in zip(self.lanes, requests):
            self.post(lane, request)
        answers = [self.fetch(lane, request) for lane, request in zip(self.lanes, requests)]
        accepted = self.take(requests, answers)
        if not accepted:
            return self.compare(requests)
        self.settle(accepted)
        self.rebase()
        # Of those refused beside them it is not known what they did: so once more, each by itself.
        for request, answer in zip(requests, answers):
            if request not in accepted and not request.is_safe and answer is not None:
                self.alone(request)

    def alone(self, request):
        self.alone_count += 1
        if request.malformed:
            lane = wire.Connection(self.cloud.port, self.cloud.certificate)
            self.post(lane, request)
            answer = self.fetch(lane, request)
            lane.close()
            if answer is None:
                self.fade()
        else:
            lane = self.lanes[request.number % LANES]
            self.post(lane, request)
            answer = self.fetch(lane, request)
        # Cut off, an upload leaves what can be resumed; and what was not answered may have been accepted all the same.
        is_open = answer is None and (request.route.body == "@data" or self.watch.version() != self.version)
        if self.take([request], [answer]) or is_open:
            self.settle([request])
            self.rebase()
        else:
            self.compare([request])

    def fade(self):
        """Waits until whatever is done with a request that was given up is likely done."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        version, since = self.watch.version(), time.monotonic()
        while time.monotonic() < min(deadline, since + QUIET_SECONDS):
            time.sleep(0.02)
            now = self.watch.version()
            if now != version:
                version, since = now, time.monotonic()

    def post(self, lane, request):
        # What comes behind an answer would be taken for the next one.
        rest = lane.leftover() if lane in self.last else b""
        if rest:
            self.violate(*self.last[lane], f"bytes behind the answer: {rest[:80]!r}")
            lane.close()
        request.sent = request.bytes()
        request.began = time.monotonic()
        lane.send(request.sent)

    def fetch(self, lane, request):
        """`None` where there was none and there need not be one."""
        try:
            answer = lane.receive(request.method, MALFORMED_SECONDS if request.malformed else 30)
            if not request.malformed:
                self.last[lane] = request, answer
                self.time(request, answer)
            return answer
        except wire.Dropped as error:
            if not request.malformed:
                self.violate(request, None, f"no answer ({error})")
            return None

    def time(self, request, answer):
        seconds = time.monotonic() - request.began
        self.slowest = sorted([*self.slowest, (seconds, f"{request.method} {request.route.path}")])[-5:]
        if seconds > ANSWER_SECONDS:
            self.violate(request, answer, f"an answer took too long: {seconds:.1f} s")

    def take(self, requests, answers):
        """Judges the answers, learns from them, and gives the requests that were accepted and may change things."""
        accepted = []
        for request, answer in zip(requests, answers):
            self.count += 1
            self.callers[request.caller] += 1
            self.services[request.route.service.strip("/")] += 1
            self.intents[request.intent] += 1
            self.statuses[answer.status if answer else "none"] += 1
            if request.intent != "aimed":
                self.tried[request.caller] += 1
                self.succeeded[request.caller] += answer is not None and 200 <= answer.status < 300
            if answer is None:
                continue
            if answer.status < 400:
                self.routes[request.route] += 1
            found = judge.problems(request, answer, self.secrets)
            found += judge.shown_ids(request, answer, self.hidden)
            if request.intent == "aimed":
                found += aimed.problems(request, answer, self.generator)
            for problem in found:
                self.violate(request, answer, problem)
            if answer.status < 400 and not request.is_safe:
                accepted.append(request)
                self.learn(request, answer)
        return accepted

    def learn(self, request, answer):
        if "x-subject-token" in answer.headers and request.method == "POST":
            self.generator.learn_token(answer.headers["x-subject-token"])
        kind = request.route.makes
        if not kind or answer.status not in (200, 201, 202):
            return
        try:
            body = judge.strict(answer.body)
        except (ValueError, RecursionError):
            return
        for name in (kind, CALLED.get(kind, "credential")):
            if isinstance(body.get(name), dict):
                body = body[name]
        is_list = isinstance(body.get(kind + "s"), list) and (kind.endswith("limit") or kind == "port")
        items = body[kind + "s"] if is_list else [body]
        for item in items:
            for name in (KEYS[kind],) if kind in KEYS else ("id", "name"):
                if isinstance(item, dict) and isinstance(item.get(name), (str, int)):
                    self.generator.learn(kind, str(item[name]), request.caller)
                    break
            if kind == "registered_limit":
                self.generator.limit_names.append(item.get("resource_name"))

    # State

    def settle(self, requests):
        if any(request.target.startswith(RESTLESS) or "cascade" in request.query for request in requests):
            self.rest(requests)

    def rest(self, requests=(), pause=0.004):
        """Waits until what was begun is done: imports go on behind the answer, and so do the removals of files."""
        deadline = time.monotonic() + self.patience
        calm = 0
        while calm < 2:
            before = self.watch.version(), self.watch.files()
            time.sleep(pause)
            under_way = self.watch.under_way()
            calm = calm + 1 if before == (self.watch.version(), self.watch.files()) and not under_way else 0
            if time.monotonic() > deadline:
                told = "; ".join(under_way[:6]) or "files or rows change again and again"
                self.give_up(f"the service did not come to rest: {told}", requests)
                return

    def give_up(self, problem, requests=()):
        """What is stuck is likely stuck for good: the next wait is short."""
        self.violate(requests[0] if requests else None, None, f"{problem} ({self.patience} s)")
        self.patience = 1

    def rebase(self):
        self.version = self.watch.version()
        self.rows, self.files = self.watch.tables(), self.watch.files()

    def compare(self, requests, is_again=False):
        """None of the requests was accepted, so nothing may be another than before."""
        exempt = UPLOAD_EXEMPT if any(
            request.route.body == "@data" and not request.is_safe for request in requests) else ()
        if exempt:
            self.rest(requests)
        version = self.watch.version()
        is_data = any("/images/" in request.path for request in requests)
        if version == self.version and not is_data:
            return
        files = self.watch.files()
        rows = self.watch.tables() if version != self.version else self.rows
        lines = self.watch.differences(self.rows, rows, exempt)
        if not exempt:
            lines += [f"file {name}" for name in set(files.items()) ^ set(self.files.items())]
        # What no image has any more is forgotten some time later.
        lines = [line for line in lines if not line.startswith("image_blobs: gone")]
        self.version, self.rows, self.files = version, rows, files
        if lines and not is_again:
            # What hosts tell comes when it comes: it is the request's only if it comes again with it.
            self.rest(requests, pause=HOST_SECONDS)
            self.rebase()
            return self.ask_again(requests)
        if lines:
            told = "a refused request changed: " + "; ".join(lines[:6])
            for request in requests:
                self.violate(request, None, told)

    def ask_again(self, requests):
        for request in requests:
            if request.malformed:
                continue
            self.post(self.lanes[0], request)
            answer = self.fetch(self.lanes[0], request)
            if answer is not None and answer.status >= 400:
                self.compare([request], is_again=True)
            else:
                self.settle([request])
                self.rebase()

    def sweep(self, is_last=False):
        try:
            self.broom.sweep()
            self.expect_first()
            if not is_last:
                self.generator.refill()
        except Exception as error:
            self.violate(None, None, f"the state could not be cleared: {error!r}\n{traceback.format_exc()}")
        self.rest(pause=0.05)
        self.rebase()

    def expect_first(self):
        """Of images that are gone nothing may be left, nor anything be missing of those that were there before."""
        self.expect_standing()
        deadline = time.monotonic() + self.patience
        while self.watch.held() != self.first:
            if time.monotonic() > deadline:
                now = self.watch.held()
                told = [f"new {line}" for line in now - self.first] + [f"gone {line}" for line in self.first - now]
                self.give_up("files or parts of images are not as at first: " + "; ".join(sorted(told)[:6]))
                # Told once is enough.
                self.first = now
                return
            time.sleep(0.05)

    def expect_standing(self):
        """Of what was deleted no row may be left where one would hold something."""
        deadline = time.monotonic() + self.patience
        while strays := self.watch.standing() - self.standing:
            if time.monotonic() > deadline:
                self.standing |= strays
                told = "; ".join(f"{table} {key!r}" for table, key in sorted(strays, key=repr)[:6])
                return self.give_up(f"rows are left of what is deleted: {told}")
            time.sleep(0.05)

    # Findings

    def violate(self, request, answer, problem):
        kind = problem.split(":")[0], request and f"{request.method} {request.route.service}{request.route.path}"
        self.kinds[kind] += 1
        self.violations.append(kind)
        if self.kinds[kind] > 2:
            return
        self.show(f"\nVIOLATION: {problem}", flush=True)
        if request:
            sent = getattr(request, "sent", b"")
            self.show(f"   request {request.number} of seed {self.seed}, {request.intent}, by {request.caller}, "
                      f"{' '.join(request.tricks)}\n   {sent[:150]!r} ... {(request.body or b'')[:400]!r}")
            self.show(f"   replay: {replay.pack(request, self.stage)[:6000]}")
        if answer:
            self.show(f"   answer: {answer.status} {answer.body[:400]!r}")
