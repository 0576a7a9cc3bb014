"""The unmodified `openstack` command, many times over: loaded once, forked for each command, to save its start."""
import importlib.metadata
import os
import signal
import sys
import tempfile
import traceback

LIMIT = 90
GROUPS = {
    "identity": "openstack.identity.v3", "image": "openstack.image.v2", "placement": "openstack.placement.v1"}


def load():
    """Imports what each command would; returns the client's `main`."""
    import keystoneauth1.identity  # noqa: F401
    import openstack  # noqa: F401
    from openstackclient import shell
    for group in GROUPS.values():
        for entry in importlib.metadata.entry_points(group=group):
            entry.load()
    return shell.main


def names(service):
    """All commands of a service."""
    return {entry.name.replace("_", " ") for entry in importlib.metadata.entry_points(group=GROUPS[service])}


def run(main, arguments, environment):
    """Exit status and everything that was printed."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            in_child(main, arguments, environment, output)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read().decode(errors="replace")


def in_child(main, arguments, environment, output):
    """Never returns."""
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(LIMIT)
        # A terminal without a typist: the client takes anything else for data that it shall read.
        _, terminal = os.openpty()
        os.dup2(terminal, 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        os.environ.update(environment, PYTHONWARNINGS="ignore", COLUMNS="400")
        sys.argv[0] = "openstack"
        status = main(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status or 0)
