"""Whether a run got far enough for its silence to mean something: where all is refused, nothing can go wrong."""

# 5,000 requests (seeds 1, 2 and 7) have 20 % to 21 % and 60 %; without working tokens, 1 % and 2 %.
SUCCESS_SHARE = 0.10
ROUTE_SHARE = 0.50
# By caller; they have 7 % (whoever has no scope) to 44 % (the administrator), and without a working token 1 % at most.
CALLER_SHARE = 0.02
ADMIN_SHARE = 0.20
# Of fewer requests nothing can be said.
ENOUGH = 4_500


def problems(tried, succeeded, routes_reached, routes):
    """In words. `tried` and `succeeded` count requests by caller, of those that were not aimed at the victim.

    `succeeded` are answers with 2xx, `routes_reached` the routes of all the `routes` that ever answered so.
    """
    count = sum(tried.values())
    if count < ENOUGH:
        return []
    found = []
    share = sum(succeeded.values()) / count
    if share < SUCCESS_SHARE:
        found.append(f"too little succeeded: {share:.1%} of the requests, and it should be {SUCCESS_SHARE:.0%}")
    if routes_reached < routes * ROUTE_SHARE:
        found.append(f"too few routes were reached: {routes_reached} of {routes}, and it should be {ROUTE_SHARE:.0%}")
    for caller in sorted(tried):
        least = 0 if caller == "none" else ADMIN_SHARE if caller == "admin" else CALLER_SHARE
        if succeeded[caller] < tried[caller] * least:
            found.append(f"too little succeeded for the {caller}: {succeeded[caller]} of {tried[caller]} requests, "
                         f"and it should be {least:.0%}")
    return found
