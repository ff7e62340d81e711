"""What no server can do without: the bare calls of the same work, on this machine."""
import os
import re
import shutil
import subprocess
import time

import lib

LIMIT = os.path.join(lib.BUILD, "bench", "limit")
EXECS, SYNCS = 200, 100


def limit(*args):
    cpu, _, count = lib.run(LIMIT, *args, timeout=600).split()
    return float(cpu) / int(count)


def children(*commands):
    """Microseconds of processor time of a pipeline."""
    before = os.times()
    first = None
    running = []
    for command in commands:
        last = command is commands[-1]
        p = subprocess.Popen(command, stdin=first, stdout=subprocess.DEVNULL if last else
                             subprocess.PIPE, stderr=subprocess.DEVNULL)
        first = None if last else p.stdout
        running.append(p)
    for p in running:
        p.wait()
    after = os.times()
    return (after.children_user + after.children_system - before.children_user
            - before.children_system) * 1e6


def speed(*args):
    """The last number that `openssl speed` prints."""
    text = lib.run("openssl", "speed", "-seconds", "1", *args, timeout=60)
    return text.strip().splitlines()[-1].split()


def measure(mail):
    """Microseconds for a unit of each, of one message or one login."""
    messages, scratch = mail.pristine, os.path.dirname(mail.pristine) + "/.bounds"
    n = len(os.listdir(messages))
    everything = ["find", messages, "-type", "f", "-exec"]
    found = {"exec": limit("exec", str(EXECS), "/bin/true")}
    found["read"] = limit("read", messages)
    found["cat"] = children(everything + ["cat", "{}", "+"], ["cat"]) / n
    gcm = float(speed("-evp", "aes-128-gcm", "-bytes", "16384")[-1].rstrip("k"))
    found["answer"] = limit("answer", messages)
    for bound in ("cat", "answer"):
        found[bound + "+tls"] = found[bound] + mail.octets / n / gcm * 1000
    found["login"] = found["exec"] + sum(1e6 / float(speed(kind)[-2 if kind[:5] == "ecdsa" else -1])
                                         for kind in ("ecdsap256", "ecdhx25519"))
    found["grep"] = children(everything + ["env", "LC_ALL=C", "grep", "-F", "doesnotoccur", "{}", "+"]) / n
    lib.run("cp", "-al", messages, scratch)
    for call in ("link", "rename", "unlink"):
        found[call] = limit(call, scratch)
    shutil.rmtree(scratch + ".links")
    found["fsync"] = limit("fsync", scratch, str(SYNCS))
    shutil.rmtree(scratch)
    return found
