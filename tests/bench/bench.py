#!/usr/bin/env python3
"""Mailreeve and Debian's Dovecot on the same mail, in one run, by turns.

Both servers run in a world of their own (tests/system/lib.py) with the same
PAM service, certificate and copies of the same mail on the file system of the
build. Passwords are hashed by DES, except where a work says yescrypt. A workload is run on one, then on the other, and again; the better turn
counts. Cost is the processor time of all processes of a server, from its cgroup.
"""
import argparse
import os
import platform
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

import lib                                          # noqa: E402
import bounds                                       # noqa: E402
import servers                                      # noqa: E402
import table                                        # noqa: E402
import works                                        # noqa: E402

LOAD = os.path.join(lib.BUILD, "bench", "load")


def parse():
    args = argparse.ArgumentParser(description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--messages", type=int, default=10000, help="in INBOX")
    args.add_argument("--large", type=int, default=100000, help="messages of a second mailbox")
    args.add_argument("--huge", type=int, default=1000000, help="messages of a third")
    args.add_argument("--folders", type=int, default=1000, help="mailboxes to list")
    args.add_argument("--quick", action="store_true", help="2,000 messages, no other mailboxes")
    args.add_argument("--turns", type=int, default=2)
    args.add_argument("--only", default="", help="works with this in their names")
    args.add_argument("--without-dovecot", action="store_true")
    args.add_argument("--write", action="store_true",
                      help="put the table into README.md and man/mailreeve.7")
    args = args.parse_args()
    if args.quick:
        args.messages, args.large, args.huge, args.folders = 2000, 0, 0, 100
    return args


class Load:
    """The generator, stopped before and behind what is timed."""

    started = 0

    def __init__(self, contender, work):
        name = contender.people[work.who.replace("%", "0")].name
        port = contender.port("P" in work.flags, "t" in work.flags)
        if "%" in work.who:
            name = name[:-1] + "%"
        Load.started += 1
        command = [word.replace("{user}", name).replace("{turn}", str(Load.started))
                   for word in work.command(port, name, "secret")]
        self.process = subprocess.Popen([LOAD] + command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.line()

    def line(self):
        text = self.process.stdout.readline()
        if text == "":
            raise AssertionError(self.said())
        return text

    def said(self):
        """Why it gave up, in the words of its first process that did."""
        return (self.process.stderr.read().strip().splitlines() or ["no reason"])[0]

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        self.go()
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise AssertionError(self.said())


def measure(contender, work, mail):
    """One turn: what a unit costs."""
    if work.prepare:
        work.prepare(contender, mail)
    empty = contender.memory() if work.by == "memory" else None
    load = Load(contender, work)
    before = contender.settle()
    load.go()
    seconds = float(load.line().split()[0])
    used = contender.settle() - before
    memory = contender.waiting() if work.by == "memory" else contender.memory()
    load.end()
    cost = table.Cost(used / work.units, seconds * 1e6 / work.units, memory)
    if empty:
        cost.each = (memory.proportional - empty.proportional) / work.units
    return cost


def turns(everyone, work, mail, count):
    """{name: its best turn}"""
    best = {}
    for _ in range(count):
        for c in everyone:
            try:
                got = measure(c, work, mail)
            except AssertionError as error:
                print("# %s, %s: %s" % (work.name, c.name, error), flush=True)
                continue
            if c.name not in best or got.of(work) < best[c.name].of(work):
                best[c.name] = got
    return best


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")),
                     platform.machine())
    return "%s, %d processors, Linux %s" % (model, os.cpu_count(), platform.release())


def main():
    args = parse()
    everyone = servers.contenders(not args.without_dovecot)
    home = os.path.join(lib.BUILD, "bench", "home")
    servers.home_on_disk(home)
    lib.certificate()
    lib.configure(cleartext_login="yes", max_connections="3000", max_connections_per_address="3000",
                  max_connections_per_user="100")
    mail = servers.Mail(args, everyone)
    for c in everyone:
        c.start()
    paper = table.Table(machine(), "{:,} messages, {:.1f} MB".format(args.messages, mail.octets / 1e6),
                        bounds.measure(mail))
    paper.begin()
    for work in works.works(args, servers.CROWD):
        if args.only in work.name:
            paper.add(work, turns(everyone, work, mail, args.turns))
    for c in everyone:
        c.stop()
    if args.write:
        paper.write(lib.TOP)
    lib.run("sh", "-c", "rm -rf /home/*", timeout=600)


if __name__ == "__main__":
    main()
