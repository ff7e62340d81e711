#!/usr/bin/env python3
"""More clients do their work: neomutt, offlineimap, getmail, mpop, imapfilter, s-nail, alpine, Perl's and Node's."""
import glob
import pty
import select

import lib
import offlineimap
from lib import *
from watched import Watched
from corpus import messages

CORPUS = messages(12, seed=11)
CA = "/etc/mailreeve/tls.crt"


def filled(prefix, count=len(CORPUS)):
    who = user(prefix)
    for raw in CORPUS[:count]:
        who.deliver(raw)
    return who


def stored(who, folder=""):
    """[(flags, bytes)] of a folder on disk."""
    found = []
    for path in sorted(glob.glob(os.path.join(who.maildir, folder, "[cn]*", "*"))):
        if os.path.basename(os.path.dirname(path)) in ("cur", "new"):
            with open(path, "rb") as f:
                found.append((path.partition(":2,")[2], f.read()))
    return found


def files(pattern):
    return sorted(open(p, "rb").read() for p in glob.glob(pattern, recursive=True))


# ---- neomutt -------------------------------------------------------------------

NEOMUTT = """set ssl_ca_certificates_file=%s
set certificate_file=%s
set imap_user=%s imap_pass=%s
set sort=mailbox-order
set folder="imaps://localhost/"
set quit=yes delete=yes confirm_append=no confirm_create=no auto_tag=no mark_old=no resolve=no
set header_cache="" move=no imap_qresync=yes imap_condstore=yes
"""


def test_neomutt():
    need("neomutt", "script")
    who = filled("neomutt", 6)
    rc = who.file("rc", NEOMUTT % (CA, CA, who.name, who.password))
    keys = ("<first-entry><flag-message><next-entry><delete-message>"
            "<next-entry><save-message>=Archive<enter><sync-mailbox><quit>")
    with Watched():
        who.run("script", "-qec", "neomutt -n -F %s -f imaps://localhost/INBOX -e 'push \"%s\"'"
                % (rc, keys), "/dev/null", stdin=subprocess.DEVNULL)
    left = stored(who)
    assert len(left) == 4, "%d messages are left" % len(left)
    assert [flags for flags, raw in left if raw == CORPUS[0] and "F" in flags]
    assert CORPUS[1] not in [raw for _, raw in left]
    assert [raw.replace(b"\r\n", b"\n") for _, raw in stored(who, ".Archive")] == [CORPUS[2]]


# ---- offlineimap ---------------------------------------------------------------

def test_offlineimap():
    need("offlineimap")
    who = filled("offline")
    login = "remotepass = " + who.password
    with Watched():
        offlineimap.synchronize(who, login)
        here = files(who.home + "/local/INBOX/[cn]*/*")
        assert [m.replace(b"\r\n", b"\n") for m in here] == sorted(CORPUS), len(here)
        path = sorted(glob.glob(who.home + "/local/INBOX/[cn]*/*"))[0]
        os.rename(path, re.sub(r"/(new|cur)/([^:]*).*", r"/cur/\2:2,FS", path))
        who.run("sh", "-c", "printf 'From: me\\n\\nadded here\\n' > local/INBOX/new/1700000000.1.host")
        offlineimap.synchronize(who, login)
    there = stored(who)
    assert len(there) == len(CORPUS) + 1
    assert [f for f, _ in there if set("FS") <= set(f)]
    assert [raw for _, raw in there if b"added here" in raw]


# ---- getmail, mpop ---------------------------------------------------------------

GETMAIL = """[retriever]
type = %s
server = localhost
username = %s
password = %s
ca_certs = %s
[destination]
type = Maildir
path = %s/got/
[options]
read_all = false
delete = %s
delivered_to = false
received = false
verbose = 0
"""

# getmail misses the end of a delivery that was quicker than its parent, and then
# waits a minute for it; how it waits for its own children is not what is tried.
RUN_GETMAIL = """import os, runpy, sys
from getmailcore.baseclasses import ForkingBase
ForkingBase._prepare_child = lambda self: None
ForkingBase._wait_for_child = lambda self, pid: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.argv[0] = "/usr/bin/getmail"
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def getmail(kind, delete):
    need("getmail")
    who = filled("getmail")
    who.run("sh", "-c", "mkdir -p got/cur got/new got/tmp .getmail")
    who.file(".getmail/getmailrc", GETMAIL % (kind, who.name, who.password, CA, who.home, delete))
    with Watched():
        for _ in range(2):              # the second time there is nothing new
            who.run("/usr/bin/python3", "-c", RUN_GETMAIL, "--getmaildir", who.home + "/.getmail")
            got = files(who.home + "/got/new/*")
            assert len(got) == len(CORPUS), len(got)
    assert len(stored(who)) == (0 if delete == "true" else len(CORPUS))


def test_getmail_pop3():
    getmail("SimplePOP3SSLRetriever", "false")


def test_getmail_imap():
    getmail("SimpleIMAPSSLRetriever", "true")


MPOP = """account default
host localhost
user %s
password %s
tls on
tls_starttls %s
tls_trust_file %s
pipelining on
keep on
uidls_file %s/uidls
delivery maildir %s/got
"""


def test_mpop_pipelines():
    need("mpop")
    for starttls in ("off", "on"):
        who = filled("mpop")
        who.run("mkdir", "-p", "got/cur", "got/new", "got/tmp")
        rc = who.file(".mpoprc", MPOP % (who.name, who.password, starttls, CA, who.home, who.home))
        with Watched():
            for _ in range(2):
                who.run("mpop", "-q", "-C", rc, ok=(0,))
                assert len(files(who.home + "/got/new/*")) == len(CORPUS)
        assert len(stored(who)) == len(CORPUS)


# ---- imapfilter ------------------------------------------------------------------

IMAPFILTER = """options.certificates = false
options.create = true
account = IMAP { server = 'localhost', username = '%s', password = '%s', ssl = 'auto' }
all = account.INBOX:select_all()
one = account.INBOX:contain_subject('%s')
one:mark_flagged()
one:copy_messages(account['Picked'])
account.INBOX:is_larger(1):mark_seen()
account.INBOX:is_flagged():delete_messages()
"""


def test_imapfilter():
    need("imapfilter")
    who = user("filter")
    for i in range(4):
        who.deliver(b"From: a@example.org\nSubject: number %d\n\ntext\n" % i)
    rc = who.file("config.lua", IMAPFILTER % (who.name, who.password, "number 2"))
    with Watched():
        who.run("imapfilter", "-t", CA, "-c", rc)
    assert len(stored(who)) == 3
    assert all("S" in flags for flags, _ in stored(who))
    assert [b"number 2" in raw for _, raw in stored(who, ".Picked")] == [True]


# ---- s-nail ----------------------------------------------------------------------

def test_s_nail():
    need("s-nail")
    who = filled("nail", 3)
    rc = who.file("rc", "set v15-compat tls-verify=ignore tls-ca-file=%s\n"
                  "set password=%s user=%s imap-use-starttls=no\n" % (CA, who.password, who.name))
    url = "imaps://%s:%s@localhost/INBOX" % (who.name, who.password)
    with Watched():
        said = who.run("sh", "-c", "MAILRC=%s s-nail -n -S v15-compat -S tls-verify=ignore "
                       "-f '%s' < commands" % (rc, url)
                       if who.file("commands", "from *\ndelete 2\nquit\n") else "")
    assert len(stored(who)) == 2, said
    assert len(said.splitlines()) >= 3, said


# ---- alpine ------------------------------------------------------------------------

def on_screen(who, command, steps):
    """Types at a program: steps are what must appear and what is then typed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(who.gid)
        os.setuid(who.uid)
        os.chdir(who.home)
        os.execvpe(command[0], command, {"HOME": who.home, "USER": who.name, "TERM": "vt100",
                                         "PATH": "/usr/bin:/bin", "LINES": "24", "COLUMNS": "80"})
    seen = b""
    try:
        for text, keys in steps:
            while text not in seen:
                assert select.select([fd], [], [], 20)[0], "no %r in %r" % (text, seen[-500:])
                try:
                    seen += os.read(fd, 4096).replace(b"\0", b"")
                except OSError:
                    raise AssertionError("ended: %r" % seen[-800:])
            seen = b""
            os.write(fd, keys)
        try:
            while select.select([fd], [], [], 20)[0] and os.read(fd, 4096):
                pass
        except OSError:
            pass                        # the program has ended
    finally:
        os.close(fd)
        os.waitpid(pid, 0)


def test_alpine():
    need("alpine")
    who = filled("alpine", 4)
    who.file(".pinerc", "inbox-path={localhost:993/imap/ssl/novalidate-cert/user=%s}INBOX\n"
             "feature-list=expunge-without-confirm,quit-without-confirm,"
             "expunge-without-confirm-everywhere\nlast-version-used=9.99\n" % who.name)
    with Watched():
        on_screen(who, ["alpine", "-p", ".pinerc", "-i"], [
            (b"ENTER PASSWORD", who.password.encode() + b"\r"),
            (b"on DISK", b"n"),
            (b"MESSAGE INDEX", b"d"),
            (b"D", b"x"),
            (b"xpunged", b"q"),
        ])
    assert len(stored(who)) == 3, len(stored(who))


# ---- Perl ----------------------------------------------------------------------------

PERL = r"""
use strict; use warnings; use Mail::IMAPClient;
my ($user, $password, $ca) = @ARGV;
my $c = Mail::IMAPClient->new(Server => 'localhost', Port => 993, User => $user,
    Password => $password, Uid => 1, Ssl => [ SSL_ca_file => $ca ]) or die "connect: $@";
$c->create('Perl/Shelf') or die $c->LastError;
$c->subscribe('Perl/Shelf') or die $c->LastError;
$c->select('INBOX') or die $c->LastError;
my @all = $c->messages or die $c->LastError;
for my $m (@all) {
	my $text = $c->message_string($m) or die $c->LastError;
	length($text) == $c->size($m) or die "size of $m";
	$c->get_envelope($m) or die "envelope of $m";
	$c->get_bodystructure($m) or die "structure of $m";
}
$c->copy('Perl/Shelf', @all[0, 1]) or die $c->LastError;
$c->move('Perl/Shelf', $all[2]) or die $c->LastError;
$c->set_flag('Flagged', $all[0]) or die $c->LastError;
$c->delete_message($all[1]) or die $c->LastError;
$c->expunge or die $c->LastError;
my $uid = $c->append_string('Perl/Shelf', "From: p\r\n\r\nperl\r\n", '\Seen') or die $c->LastError;
my $thread = $c->thread('REFERENCES', 'UTF-8', 'ALL') or die $c->LastError;
my @sorted = $c->sort('REVERSE DATE', 'UTF-8', 'ALL') or die $c->LastError;
print scalar(@all), ' ', scalar(@sorted), ' ', $c->message_count('Perl/Shelf'), "\n";
$c->logout or die $c->LastError;
"""


def test_perl_imapclient():
    need("perl")
    who = filled("perl")
    script = who.file("client.pl", PERL)
    with Watched():
        said = who.run("perl", script, who.name, who.password, CA)
    assert said.split() == [str(len(CORPUS)), str(len(CORPUS) - 2), "4"], said
    assert len(stored(who)) == len(CORPUS) - 2
    assert len(stored(who, ".Perl.Shelf")) == 4


# ---- Node ----------------------------------------------------------------------------

NODE = r"""
const { ImapFlow } = require('imapflow');
const [user, pass, ca] = process.argv.slice(2);
const c = new ImapFlow({ host: 'localhost', port: 993, secure: true, auth: { user, pass },
	tls: { ca: require('fs').readFileSync(ca) }, logger: false, qresync: true });
(async () => {
	await c.connect();
	const names = (await c.list({ statusQuery: { messages: true, unseen: true } })).map(m => m.path);
	await c.mailboxCreate(['Node', 'Shelf']);
	const lock = await c.getMailboxLock('INBOX');
	let n = 0, octets = 0;
	for await (const m of c.fetch('1:*', { uid: true, envelope: true, bodyStructure: true, flags: true,
	    internalDate: true, size: true, source: true, threadId: true })) {
		n++;
		if (m.source.length !== m.size) throw new Error('size of ' + m.uid);
		octets += m.size;
	}
	const found = await c.search({ seen: false }, { uid: true });
	await c.messageFlagsAdd({ uid: found[0] }, ['\\Flagged', '$Label1'], { uid: true });
	const moved = await c.messageMove(String(found[1]), 'Node/Shelf', { uid: true });
	await c.messageDelete(String(found[2]), { uid: true });
	const { content } = await c.download('1', undefined);
	let part = 0;
	for await (const piece of content) part += piece.length;
	lock.release();
	const added = await c.append('Node/Shelf', 'From: n\r\n\r\nnode\r\n', ['\\Seen']);
	const status = await c.status('Node/Shelf', { messages: true, uidNext: true, highestModseq: true });
	console.log(names.includes('INBOX'), n, moved.uidMap.size, part > 0, added.uid > 0, status.messages);
	await c.logout();
})().catch(e => { console.error(e); process.exit(1); });
"""


def test_node_imapflow():
    node, = need("node")
    modules = os.path.join(lib.TOP, ".cache", "npm", "node_modules")
    if not os.path.isdir(modules + "/imapflow"):
        raise Skip("imapflow could not be had by npm")
    who = filled("node")
    script = who.file("client.js", NODE)
    with Watched():
        said = who.run("env", "NODE_PATH=" + modules, node, script, who.name, who.password, CA)
    assert said.split() == ["true", str(len(CORPUS)), "1", "true", "true", "2"], said
    assert len(stored(who)) == len(CORPUS) - 2


main(__name__)
