#!/usr/bin/env python3
"""What may a process contain? Read from the objects and programs, with nm.

layers.py BUILD: root programs hold no parser and no TLS; sessions hold no way
to change a uid, no PAM, no TLS; and folders call each other in one direction.
"""
import glob
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "harness"))

import tap                                          # noqa: E402

BUILD = sys.argv[1] if len(sys.argv) > 1 else ".build/out"

# Which folder may call which. `lib` knows nobody.
CALLS = {
    "lib": set(), "proto": {"lib"}, "mime": {"lib"}, "store": {"lib"}, "index": {"lib"},
    "imap": {"lib", "proto", "mime", "store", "index"},
    "pop3": {"lib", "proto", "mime", "store", "index"},
    "login": {"lib", "proto"}, "conn": {"lib"}, "master": {"lib"}, "verify": {"lib"}, "signer": {"lib"},
    "tool": {"lib", "proto", "mime", "store", "index"},
}
# The files of src/store that make mail.h out of a format and an index. The rest
# of it (Maildir, mbox, locks, names on disk) does not know that there is one,
# and the index knows nobody.
BRIDGE = set("ahead bound change copy glance mail mailbox names pass pass_rows rows status "
             "transfer upkeep watch quota".split())
ROOT = ("mailreeved", "conn")
SESSIONS = ("imap", "pop3")
VERIFIERS = ("token", "gss", "x509")
TLS = ("SSL_", "EVP_", "X509_", "BIO_", "PEM_", "OPENSSL_", "ERR_")
PAM = ("pam_",)
JSON = ("json_",)
KERBEROS = ("gss_", "krb5_")
MDB = ("mdb_",)
IDENTITY = {"setuid", "seteuid", "setreuid", "setresuid", "setgid", "setegid", "setregid",
            "setresgid", "setgroups", "initgroups", "chroot", "capset"}
NEW_PROCESS = {"fork", "vfork", "clone", "execve", "execv", "execvp", "execl", "execlp",
               "execle", "execvpe", "fexecve", "execveat", "posix_spawn", "posix_spawnp",
               "system", "popen"}
NETWORK = {"bind", "listen", "accept", "accept4"}


def symbols(path, *options):
    out = subprocess.run(["nm", "-P", *options, path], stdout=subprocess.PIPE,
                         check=True, text=True).stdout
    return {line.split()[0].split("@")[0]: line.split()[1] for line in out.splitlines()}


def objects():
    """{(folder, file): symbols}, without what an earlier tree left behind"""
    found = {}
    for path in glob.glob(os.path.join(BUILD, "src", "*", "*.o")):
        folder, name = path.split(os.sep)[-2:]
        if os.path.exists(os.path.join(TOP, "src", folder, name[:-2] + ".c")):
            found[folder, name[:-2]] = symbols(path)
    return found


OBJECTS = objects()
OWN = {(key[0], symbol) for key, table in OBJECTS.items() for symbol, kind in table.items()
       if kind in "TDBRVW"}         # programs may give a function the same name
HOME = {symbol: key for key, table in OBJECTS.items() for symbol, kind in table.items()
        if kind in "TDBRVW" and symbol != "main"}


def program(name):
    path = os.path.join(BUILD, name)
    if not os.path.exists(path):
        raise tap.Skip("%s is not built" % name)
    return symbols(path)


def needed(name):
    out = subprocess.run(["readelf", "-d", os.path.join(BUILD, name)],
                         stdout=subprocess.PIPE, check=True, text=True).stdout
    return {line.split("[")[1].rstrip("]") for line in out.splitlines() if "(NEEDED)" in line}


def none_of(name, bad, what):
    # lower case: static, and so of a name that others may have as well
    hits = sorted(s for s, kind in program(name).items() if kind.isupper() and bad(s))
    assert not hits, "%s has %s: %s" % (name, what, " ".join(hits[:20]))


def starts(prefixes):
    return lambda s: s.startswith(prefixes)


def from_folders(folders):
    return lambda s: s in HOME and HOME[s][0] in folders


def test_root_programs_parse_nothing():
    for name in ROOT:
        none_of(name, from_folders({"proto", "mime", "store", "index", "imap", "pop3", "login"}),
                "code of a parser, of the store or of login")
        none_of(name, lambda s: "base64" in s, "base64")
        none_of(name, from_folders({"verify"}), "code of a verifier")
        none_of(name, starts(JSON + KERBEROS), "what a verifier is there for")


def test_root_programs_hold_no_tls():
    for name in ROOT:
        none_of(name, starts(TLS + MDB), "TLS or the index")
        assert not [n for n in needed(name) if n.startswith(("libssl", "libcrypto"))]


def test_the_master_knows_no_pam():
    none_of("mailreeved", starts(PAM), "PAM")


def test_conn_is_small():
    lines = sum(sum(1 for _ in open(p)) for p in glob.glob(TOP + "/src/conn/*.[ch]"))
    assert 0 < lines < 1500, "src/conn has %d lines" % lines


def test_sessions_cannot_change_identity():
    for name in SESSIONS:
        none_of(name, IDENTITY.__contains__, "a call that changes identity")


def test_sessions_hold_no_pam_and_no_tls():
    for name in SESSIONS:
        none_of(name, starts(PAM + TLS), "PAM or TLS")


def test_sessions_and_login_start_no_process():
    for name in SESSIONS + ("login",):
        # The template of login forks, before it could meet a client.
        allowed = {"fork"} if name == "login" else set()
        none_of(name, (NEW_PROCESS - allowed).__contains__, "a call that starts a process")
        none_of(name, NETWORK.__contains__, "a call that serves the network")


def test_login_knows_no_mail():
    none_of("login", from_folders({"store", "index", "mime", "imap", "pop3", "conn"}),
            "code of the store")
    none_of("login", starts(PAM + MDB), "PAM or the index")


def test_verifiers_do_one_thing():
    """No mail, no login, no PAM; identity changes in their cage only."""
    for name in VERIFIERS:
        none_of(name, from_folders({"store", "index", "mime", "imap", "pop3", "conn", "login",
                                    "master", "tool", "proto"}), "code of something else")
        none_of(name, starts(PAM + MDB), "PAM or the index")
        none_of(name, NEW_PROCESS.__contains__, "a call that starts a process")
        none_of(name, NETWORK.__contains__, "a call that serves the network")
        users = {file for (folder, file), table in OBJECTS.items() if folder in ("verify", "lib")
                 for s, kind in table.items() if kind == "U" and s in IDENTITY}
        assert users == {"ids"}, users
    none_of("token", starts(KERBEROS), "Kerberos")
    none_of("gss", starts(TLS + JSON), "tokens")
    none_of("x509", starts(("SSL_",) + JSON + KERBEROS), "what other verifiers are there for")


def test_private_keys_are_the_signers():
    """Nobody else could read one, and it speaks to nobody."""
    for name in ROOT + SESSIONS + VERIFIERS + ("login", "mailreeve"):
        none_of(name, lambda s: "PrivateKey" in s and "check" not in s, "a reader of private keys")
    none_of("signer", from_folders({"proto", "mime", "store", "index", "imap", "pop3", "conn",
                                    "login", "master", "tool", "verify"}), "code of something else")
    none_of("signer", starts(("SSL_",) + PAM + MDB), "TLS's protocol, PAM or the index")
    none_of("signer", NEW_PROCESS.__contains__, "a call that starts a process")
    none_of("signer", NETWORK.__contains__, "a call that serves the network")


def test_folders_call_in_one_direction():
    bad = []
    for (folder, name), table in OBJECTS.items():
        for symbol in (s for s, kind in table.items() if kind == "U" and s in HOME):
            other = HOME[symbol][0]
            bridge = (folder, other) == ("store", "index") and name in BRIDGE
            if (folder, symbol) not in OWN and other not in CALLS[folder] and not bridge:
                bad.append("%s/%s calls %s of %s" % (folder, name, symbol, other))
    assert not bad, "\n".join(bad)


if __name__ == "__main__":
    sys.exit(tap.run(tap.functions(sys.modules["__main__"])))
