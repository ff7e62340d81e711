#!/usr/bin/env python3
"""Each capability that a session announces has a transcript that cites its RFC, and
none is announced that this file does not know."""
import glob
import os
import re
import shutil
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "harness"))

import place                                        # noqa: E402
import tap                                          # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TESTS, "..", ".build", "out")))

# Where each is defined. XLIST and THREAD=REFS are in no RFC: transcripts name them.
RFCS = {
    "IMAP4rev1": "3501", "IMAP4rev2": "9051", "LITERAL+": "7888", "ID": "2971", "ENABLE": "5161",
    "IDLE": "2177", "NAMESPACE": "2342", "CHILDREN": "3348", "UNSELECT": "3691", "UIDPLUS": "4315",
    "MOVE": "6851", "SPECIAL-USE": "6154", "CREATE-SPECIAL-USE": "6154", "LIST-EXTENDED": "5258",
    "LIST-STATUS": "5819", "STATUS=SIZE": "8438", "CONDSTORE": "7162", "QRESYNC": "7162",
    "ESEARCH": "4731", "SEARCHRES": "5182", "WITHIN": "5032", "BINARY": "3516",
    "COMPRESS=DEFLATE": "4978", "UTF8=ACCEPT": "6855", "QUOTA": "9208", "QUOTA=RES-STORAGE": "9208",
    "QUOTA=RES-MESSAGE": "9208", "APPENDLIMIT": "7889", "SORT": "5256", "SORT=DISPLAY": "5957",
    "ESORT": "5267", "THREAD=ORDEREDSUBJECT": "5256", "THREAD=REFERENCES": "5256",
    "THREAD=REFS": "draft-ietf-morg-inthread", "NOTIFY": "5465", "PREVIEW": "8970",
    "SAVEDATE": "8514", "REPLACE": "8508", "OBJECTID": "8474", "PARTIAL": "9394",
    "UIDONLY": "9586", "UIDBATCHES": "10022", "INPROGRESS": "9585", "MULTIAPPEND": "3502",
    "CATENATE": "4469", "URL-PARTIAL": "5550", "METADATA": "5464", "METADATA-SERVER": "5464",
    "LIST-METADATA": "9590", "MULTISEARCH": "7377", "MESSAGELIMIT": "9738", "SAVELIMIT": "9738",
    "I18NLEVEL": "5255", "CONTEXT=SEARCH": "5267", "CONTEXT=SORT": "5267", "SEARCH=FUZZY": "6203",
    "XLIST": "XLIST",
}
# Shown by a test of their own, because they take time.
ELSEWHERE = {"INPROGRESS": "session_test.py"}


def announced(**settings):
    programs = place.private_programs(BUILD)
    where = place.Direct(programs, settings)
    c = where.connect("imap", {})
    where.greet(c)
    line = next(r for r in c.ok("CAPABILITY") if r.startswith(b"* CAPABILITY "))
    c.close()
    where.finish()
    shutil.rmtree(programs)
    names = line.decode().split()[2:]
    return {n if n in RFCS else n.partition("=")[0] for n in names}


def comments(path):
    with open(path, encoding="utf-8") as f:
        return "".join(line for line in f if line.startswith("#"))


def test_all_are_known():
    found = announced() | announced(**{"message-limit": "1000"})
    assert found == set(RFCS), "unknown: %s, missing: %s" % (found - set(RFCS), set(RFCS) - found)


def test_each_is_shown_by_a_transcript():
    said = "".join(comments(p) for p in glob.glob(os.path.join(TESTS, "transcripts", "imap", "*.txt")))
    for name, rfc in RFCS.items():
        if name in ELSEWHERE:
            with open(os.path.join(TESTS, "system", ELSEWHERE[name]), encoding="utf-8") as f:
                assert "RFC " + rfc in f.read(), name
        elif rfc.isdigit():
            assert re.search(r"RFCs? [\d, and]*\b%s\b" % rfc, said), "no transcript cites RFC %s: %s" % (rfc, name)
        else:
            assert rfc in said, name


if __name__ == "__main__":
    sys.exit(tap.main())
