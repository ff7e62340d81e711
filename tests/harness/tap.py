"""TAP output for the tests written in Python."""
import sys
import traceback


class Skip(Exception):
    """Raised by a test that cannot be tried here; its text says why."""


def run(tests, select=None):
    """Run (name, function) pairs, one TAP line each; returns the exit status."""
    if select:
        tests = [t for t in tests if any(s in t[0] for s in select)]
    print("1..%d" % len(tests), flush=True)
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        verdict = "ok %d - %s" % (number, name)
        try:
            function()
        except Skip as why:
            verdict += " # SKIP %s" % why
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            failed += 1
            verdict = "not " + verdict
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            log = getattr(error, "transcript", None)
            if log:
                print("# --- the conversation's end")
                for line in log:
                    print("#   " + line)
        print(verdict, flush=True)
    return 1 if failed else 0


def functions(module):
    """The test_* functions of a module in the order they stand in its file."""
    found = [(f.__code__.co_firstlineno, n, f) for n, f in vars(module).items()
             if n.startswith("test_") and callable(f)]
    return [(n[5:].replace("_", " "), f) for _, n, f in sorted(found)]


def main(name="__main__"):
    """What a *_test.py ends with: arguments select tests by part of their name."""
    return run(functions(sys.modules[name]), sys.argv[1:])
