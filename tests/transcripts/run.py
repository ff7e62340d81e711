#!/usr/bin/env python3
"""Play transcripts against `imap` and `pop3` on a socketpair.

run.py --build DIR [--keep] [PART-OF-NAME ...]
"""
import argparse
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))

import tap                                          # noqa: E402
from place import (Direct, find_transcripts, index_damaged, index_gone,   # noqa: E402
                   private_programs)
from transcript import Player, Script               # noqa: E402


# Before each command of a client, what happens to the index.
INDEX = {"kept": None, "gone": index_gone, "damaged": index_damaged}


def player(path, programs, keep, index):
    def play():
        protocol = os.path.basename(os.path.dirname(path))
        if not os.path.exists(os.path.join(programs, protocol)):
            raise tap.Skip("%s is not built" % protocol)
        script = Script(path)
        place = Direct(programs, script.settings, keep)
        place.index = INDEX[index]
        if keep:
            print("# home is", place.home)
        try:
            Player(script, protocol, place).play()
        except BaseException:
            try:
                place.finish()
            except AssertionError as also:
                for line in str(also).splitlines():
                    print("# " + line)
            raise
        place.finish()
    return play


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--build", default=".build/out")
    args.add_argument("--keep", action="store_true", help="leave the home directories")
    args.add_argument("--index", default="kept", choices=INDEX)
    args.add_argument("names", nargs="*")
    args = args.parse_args()
    programs = private_programs(args.build)
    tests = [(os.path.relpath(p, HERE)[:-4], player(p, programs, args.keep, args.index))
             for p in find_transcripts(HERE, args.names)
             if args.index == "kept" or not Script(p).needs_index]
    try:
        return tap.run(tests)
    finally:
        shutil.rmtree(programs)


if __name__ == "__main__":
    sys.exit(main())
