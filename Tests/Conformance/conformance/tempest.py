"""One pass of tempest, by stestr, in a folder of its own."""
import os
import pathlib
import subprocess
import sys

from . import results, settings

BIN = pathlib.Path(sys.prefix) / "bin"


class Run:
    """`folder` keeps tempest.conf, tempest.log and stestr's records."""

    def __init__(self, a_pass, facts, folder):
        import tempest
        package = pathlib.Path(tempest.__file__).parent
        self.a_pass = a_pass
        self.folder = folder
        folder.mkdir(parents=True)
        options = settings.merged(settings.base(facts), a_pass.options(facts))
        settings.write(folder / "tempest.conf", options)
        (folder / ".stestr.conf").write_text(
            f"[DEFAULT]\ntest_path={package}/test_discover\ntop_dir={package.parent}\n"
            # Tests of one class share what they made: they run in one process.
            "group_regex=([^\\.]*\\.)*\n")
        self.environment = {**os.environ, "TEMPEST_CONFIG_DIR": str(folder), "TEMPEST_CONFIG": "tempest.conf",
                            # One test of tempest's talks TLS without the certificate that tempest.conf names.
                            "SSL_CERT_FILE": facts.certificate}
        for name in [name for name in self.environment if name.startswith("OS_")]:
            del self.environment[name]
        subprocess.run([BIN / "stestr", "init"], cwd=folder, env=self.environment, check=True, capture_output=True)

    def arguments(self):
        exclude = ("--exclude-regex", self.a_pass.exclude) if self.a_pass.exclude else ()
        return (*exclude, self.a_pass.include)

    def tests(self):
        """The names of what will run."""
        done = subprocess.run([BIN / "stestr", "list", *self.arguments()], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True)
        names = [results.plain(line) for line in done.stdout.splitlines() if line.startswith("tempest.")]
        if not names:
            raise LookupError(f"stestr lists no tests:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return names

    def run(self, workers, each):
        """Runs the tests; `each` gets a Result as soon as there is one. Gives the results, one per test."""
        tests = self.tests()
        found = []

        def on_result(result):
            found.append(result)
            each(result)
        with open(self.folder / "stestr.log", "w") as log:
            process = subprocess.Popen(
                [BIN / "stestr", "run", "--subunit", "--concurrency", str(workers), *self.arguments()],
                cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True)
        try:
            results.read(process.stdout, on_result)
        except BaseException:
            # The workers are in the session of their own that stestr leads.
            os.killpg(process.pid, 15)
            raise
        finally:
            process.wait(30)
        return results.spread(found, tests)
