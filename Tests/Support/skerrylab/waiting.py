"""Waiting with a limit."""
import time


def eventually(what, condition, seconds=60, every=0.2, tolerate=()):
    """Repeats `condition` until it gives something true, and returns that.

    `what` says in the failure what was awaited; exceptions of the types in `tolerate` count as "not yet".
    """
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except tolerate as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}; last seen: {last!r}")
        time.sleep(every)
