#!/usr/bin/env python3
"""Run every test there is and count: what `make check` does.

Programs that print TAP are run two at a time; what fails is shown with its
diagnostics. The last line is `N passed, N failed, N skipped`.
"""
import argparse
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
QUICK = ("login", "whole", "transcripts")    # system tests that need nothing but Python
LIMIT = 420             # seconds for one program
POINT = re.compile(r"(not )?ok\b *(\d*)(?: - )?(.*?)(?: # SKIP\b *(.*))?\Z")

# What the sanitizers are told, in every process of every test.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:exitcode=99:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
}


class Suite:
    """One program that prints TAP."""

    def __init__(self, name, command, **env):
        self.name, self.command, self.env = name, command, env
        self.passed = self.failed = self.skipped = 0
        self.report, self.last_words = [], []

    def run(self):
        begun = time.monotonic()
        process = subprocess.Popen(
            self.command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True, env=dict(os.environ, **self.env))
        timer = threading.Timer(LIMIT, lambda: os.killpg(process.pid, signal.SIGKILL))
        timer.start()
        output = process.communicate()[0].decode("utf-8", "replace")
        timer.cancel()
        self.seconds = time.monotonic() - begun
        self.read(output.splitlines(), process.returncode)
        return self

    def read(self, lines, status):
        plan, since = None, []
        for line in lines:
            match = POINT.match(line)
            if match and not line.startswith("#"):
                self.point(match, since)
                since = []
            elif (m := re.match(r"1\.\.(\d+)(?: # SKIP\b *(.*))?\Z", line)):
                plan = int(m.group(1))
                if m.group(2) is not None:
                    self.skipped += 1
                    self.report.append("skipped: " + m.group(2))
            else:
                since.append(line)
        seen = self.passed + self.failed + self.skipped
        if plan is None or (plan and plan != seen):
            self.fail("the plan was %s, %d results came" % (plan, seen), since)
        elif status and not self.failed:
            self.fail("exit status %d" % status, since)

    def point(self, match, since):
        bad, number, name, skip = match.groups()
        if skip is not None:
            self.skipped += 1
            self.report.append("skipped: %s: %s" % (name, skip))
        elif bad:
            self.fail(name, since)
        else:
            self.passed += 1

    def fail(self, what, since):
        self.failed += 1
        self.last_words.append("not ok: %s: %s: %s" % (self.name, what, (since or [""])[-1]))
        self.report.append("FAILED: " + what)
        self.report += ["    " + line for line in since[-120:]]

    def show(self):
        counts = "%d passed" % self.passed
        counts += ", %d FAILED" % self.failed if self.failed else ""
        counts += ", %d skipped" % self.skipped if self.skipped else ""
        print("%-44s %s (%.1f s)" % (self.name, counts, self.seconds), flush=True)
        for line in self.report:
            print("  " + line, flush=True)


class Step(Suite):
    """A command that succeeds, and where asked says nothing."""

    def __init__(self, name, command, silent=False):
        super().__init__(name, command)
        self.silent = silent

    def read(self, lines, status):
        if status or (self.silent and lines):
            self.fail("exit status %d" % status if status else "it said something", lines)
        else:
            self.passed += 1


def place(build, end=""):
    """B for make, as one who runs make by hand writes it: rules of files that depend on
    headers name their objects by it."""
    return "B=" + os.path.relpath(build, TOP) + end


def make(*words):
    return [os.environ.get("MAKE", "make"), "-j2", "-s", "--no-print-directory"] + list(words)


def builds(args):
    """The builds, one after the other: make itself uses both processors."""
    common = ["all", "test-programs", "stage"]
    if args.san:
        return [Step("build: sanitizers", make(place(args.build), "SAN=1", *common))]
    san = Step("build: sanitizers", make(place(args.build, "-san"), "SAN=1",
                                         *common[:2]))
    steps = [Step("build: gcc", make(place(args.build), "CC=gcc", "WERROR=1", *common)),
             Step("build: clang", make(place(args.build, "-clang"), "CC=clang-14",
                                       "WERROR=1", *common[:2])), san]
    if args.only:                       # some tests want no more than they use
        whole = {"system"} | {os.path.basename(p)[:-8] for p in names_of("tests/system/*_test.py")}
        return steps[:1] if set(args.only.split(",")) <= whole else [steps[0], san]
    return steps[:1] if args.quick else steps


def names_of(pattern):
    return sorted(glob.glob(os.path.join(TOP, pattern)))


def lint(args):
    pages = [os.path.relpath(p, TOP) for p in names_of("man/*.[1-9]")]
    scripts = [p for p in names_of("**/*.sh") + names_of("rc/*") + [TOP + "/.ci/run"]
               if os.path.isfile(p) and open(p, "rb").read(20).startswith(b"#!/bin/sh")]
    steps = [Step("make layers", make(place(args.build), "layers"))]
    for page in pages:
        steps.append(Step("mandoc " + page, ["mandoc", "-T", "lint", "-W", "warning", page],
                          silent=True))
    for script in scripts:
        steps.append(Step("shellcheck " + os.path.relpath(script, TOP),
                          ["shellcheck", "-s", "sh", script], silent=True))
    return steps


def without_server(build, prefix=""):
    """Unit tests, fuzz replays and transcripts of one build."""
    found = []
    for path in names_of(build + "/unit/*"):
        found.append(Suite(prefix + "unit: " + os.path.basename(path), [path]))
    for path in names_of(build + "/replay/*"):
        name = os.path.basename(path)
        found.append(Suite(prefix + "fuzz: " + name, [path, "tests/fuzz/corpus/" + name]))
    for index in ("kept", "gone", "damaged"):
        found.append(Suite(prefix + "transcripts" + ("" if index == "kept" else ", index " + index),
                           [sys.executable, "tests/transcripts/run.py", "--build", build,
                            "--index", index]))
    return found


def suites(args):
    """Every program that prints TAP, by folder."""
    python = sys.executable
    found = [Suite("grammar", [python, "tests/harness/grammar_test.py"])]
    found += without_server(args.build)
    if not args.quick and not args.san:
        found += without_server(args.build + "-san", "san ")
    if not args.quick and not args.san:
        found += lint(args)
    for path in names_of("tests/system/*_test.py"):
        name = os.path.basename(path)[:-8]
        if not args.quick or name in QUICK:
            found.append(Suite("system: " + name, [python, path], BUILD=args.build))
    return [s for s in found if any(word in s.name for word in args.only.split(","))]


def run_all(todo, workers=2):
    """Run them two at a time, show each when it is done."""
    lock, queue, done = threading.Lock(), list(todo), []

    def work():
        while True:
            with lock:
                if not queue:
                    return
                suite = queue.pop(0)
            suite.run()
            with lock:
                done.append(suite)
                suite.show()
    threads = [threading.Thread(target=work) for _ in range(workers)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return done


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--build", default=".build/out")
    args.add_argument("--san", action="store_true", help="build with ASan and UBSan")
    args.add_argument("--quick", action="store_true", help="a few minutes less: see README")
    args.add_argument("--no-build", action="store_true", help="test what is built already")
    args.add_argument("--only", default="", help="names that hold one of these words, as in start,rc")
    args = args.parse_args()
    args.build = os.path.join(TOP, args.build)
    os.environ.update({k: os.environ.get(k, v) for k, v in SANITIZERS.items()})
    # Under nohup it would be ignored, also by the programs that are to end of it.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    begun = time.monotonic()
    done = [] if args.no_build else run_all(builds(args), workers=1)
    if not any(s.failed for s in done[:1]):
        done += run_all(suites(args))
    for line in sum((s.last_words for s in done), []):
        print(line)
    print("%.0f seconds" % (time.monotonic() - begun))
    count = {k: sum(getattr(s, k) for s in done) for k in ("passed", "failed", "skipped")}
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % count, flush=True)
    sys.exit(1 if count["failed"] else 0)


if __name__ == "__main__":
    main()
