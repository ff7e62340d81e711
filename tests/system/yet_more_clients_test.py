#!/usr/bin/env python3
"""Clients that synchronize by QRESYNC, or come with other languages: InterIMAP, Ruby, Perl, fdm, nmh."""
import glob

from lib import *
from watched import Watched
from corpus import messages

CORPUS = messages(20, seed=13)
CA = "/etc/mailreeve/tls.crt"


def filled(prefix):
    who = user(prefix)
    for raw in CORPUS:
        who.deliver(raw)
    return who


def stored(who, folder=""):
    """[(bytes, flags)] of a folder on disk."""
    found = []
    for path in glob.glob(os.path.join(who.maildir, folder, "[cn]*", "*")):
        if os.path.basename(os.path.dirname(path)) in ("cur", "new"):
            with open(path, "rb") as f:
                found.append((f.read(), path.partition(":2,")[2]))
    return sorted(found)


# ---- InterIMAP -------------------------------------------------------------------

INTERIMAP = """database = mail.db
[local]
type = imaps
host = localhost
username = %s
password = %s
SSL_CAfile = %s
[remote]
type = imaps
host = localhost
username = %s
password = %s
SSL_CAfile = %s
compress = yes
"""


def test_interimap():
    """Two accounts become the same: QRESYNC, LIST-STATUS, COMPRESS, MULTIAPPEND."""
    need("interimap")
    one, two = filled("inter"), user("inter")
    two.deliver("From: x\n\nonly there\n")
    rc = one.file(".config/interimap/config",
                  INTERIMAP % (one.name, one.password, CA, two.name, two.password, CA))
    os.makedirs(one.home + "/.local/share/interimap")
    for top in (".config", ".local"):
        one.own(os.path.join(one.home, top))
    with Watched():
        one.run("interimap", "--config=" + rc)
        assert len(stored(one)) == len(CORPUS) + 1
        assert [raw for raw, _ in stored(one)] == [raw for raw, _ in stored(two)]
        c = wire.imap(993, tls=True)
        c.login(one.name, one.password)
        c.ok("SELECT INBOX")
        c.ok("STORE 3 +FLAGS (\\Answered)")
        c.ok("STORE 4 +FLAGS.SILENT (\\Deleted)")
        c.ok("EXPUNGE")
        c.ok("CREATE Work/x")
        c.ok("COPY 1:3 Work/x")
        c.logout()
        there = sorted(glob.glob(two.maildir + "/cur/*"))
        os.rename(there[0], there[0].partition(":2,")[0] + ":2,FS")
        os.unlink(there[-1])
        one.run("interimap", "--config=" + rc)
    assert len(stored(one)) == len(CORPUS) - 1, len(stored(one))
    assert stored(one) == stored(two)
    assert {flags for _, flags in stored(one)} == {"", "R", "FS"}
    assert len(stored(one, ".Work.x")) == 3
    assert stored(one, ".Work.x") == stored(two, ".Work.x")


# ---- Ruby ------------------------------------------------------------------------

RUBY = r"""
require 'net/imap'
user, pass, ca = ARGV
c = Net::IMAP.new('localhost', port: 993, ssl: { ca_file: ca })
c.login(user, pass)
c.create('Ruby/Shelf')
c.list('', '*').map(&:name).include?('Ruby/Shelf') or raise 'list'
c.select('INBOX')
all = c.uid_search(['ALL'])
got = c.uid_fetch(all, ['UID', 'FLAGS', 'ENVELOPE', 'BODYSTRUCTURE', 'INTERNALDATE', 'RFC822.SIZE', 'BODY.PEEK[]'])
got.each { |m| m.attr['BODY[]'].bytesize == m.attr['RFC822.SIZE'] or raise 'size' }
c.uid_thread('REFERENCES', 'ALL', 'UTF-8').empty? and raise 'thread'
c.uid_sort(['REVERSE', 'DATE'], 'ALL', 'UTF-8').sort == all or raise 'sort'
c.uid_store(all[0], '+FLAGS', [:Flagged, 'kw'])
c.uid_copy(all[1], 'Ruby/Shelf')
c.uid_move(all[2], 'Ruby/Shelf')
c.uid_store(all[3], '+FLAGS', [:Deleted])
c.expunge
c.append('Ruby/Shelf', "From: r\r\n\r\nruby\r\n", [:Seen], Time.at(0))
puts [got.length, c.status('Ruby/Shelf', ['MESSAGES'])['MESSAGES']].join(' ')
c.logout
"""


def test_ruby_net_imap():
    need("ruby")
    who = filled("ruby")
    script = who.file("client.rb", RUBY)
    with Watched():
        said = who.run("ruby", script, who.name, who.password, CA)
    assert said.split() == [str(len(CORPUS)), "3"], said
    assert len(stored(who)) == len(CORPUS) - 2


# ---- Perl ------------------------------------------------------------------------

PERL = r"""
use strict; use warnings;
use Net::IMAP::Client; use Net::POP3;
my ($user, $pass, $ca) = @ARGV;
my $c = Net::IMAP::Client->new(server => 'localhost', port => 993, user => $user, pass => $pass,
	ssl => 1, ssl_options => { SSL_ca_file => $ca }) or die 'no connection';
$c->login or die $c->last_error;
$c->select('INBOX') or die $c->last_error;
my $all = $c->search('ALL', '^DATE') or die $c->last_error;
my $summaries = $c->get_summaries($all) or die $c->last_error;
$_->subject, $_->from, $_->parts for @$summaries;
$c->get_threads('REFERENCES') or die $c->last_error;
$c->get_rfc822_body($_) or die $c->last_error for @$all;
$c->add_flags($all->[0], '\\Flagged') or die $c->last_error;
$c->logout;
my $p = Net::POP3->new('localhost', SSL => 1, Port => 995, SSL_ca_file => $ca) or die $@;
my $n = $p->login($user, $pass) or die 'no login';
my ($sizes, $ids) = ($p->list, $p->uidl);
for my $i (keys %$sizes) {
	my $text = join '', @{$p->get($i)};
	$text =~ s/(?<!\r)\n/\r\n/g;
	length($text) == $sizes->{$i} or die "size of $i";
}
$p->top(1, 3) or die 'no top';
$p->delete(1); $p->reset; $p->delete(2);
$p->quit;
print scalar(@$summaries), " $n ", scalar(keys %$ids), "\n";
"""


def test_perl_net_imap_client_and_net_pop3():
    need("perl")
    if subprocess.run(["perl", "-MNet::IMAP::Client", "-e", "1"],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("Net::IMAP::Client is not installed")
    who = filled("netperl")
    script = who.file("client.pl", PERL)
    with Watched():
        said = who.run("perl", script, who.name, who.password, CA)
    assert said.split() == [str(len(CORPUS))] * 3, said
    assert len(stored(who)) == len(CORPUS) - 1


# ---- fdm, nmh --------------------------------------------------------------------

FDM = """account "it" %s server "localhost" port %d user "%s" pass "%s" no-verify
action "keep" maildir "%s/got"
match all action "keep"
"""


def fdm(protocol, port):
    need("fdm")
    who = filled("fdm")
    rc = who.file("fdm.conf", FDM % (protocol, port, who.name, who.password, who.home))
    with Watched():
        who.run("fdm", "-f", rc, "fetch")
    assert len(glob.glob(who.home + "/got/new/*")) == len(CORPUS)
    assert stored(who) == []


def test_fdm_pop3():
    fdm("pop3s", 995)


def test_fdm_imap():
    fdm("imaps", 993)


def test_nmh_inc():
    inc = "/usr/bin/mh/inc"
    if not os.path.exists(inc):
        raise Skip("nmh is not installed")
    who = filled("nmh")
    os.mkdir(who.home + "/Mail")
    who.own(who.home + "/Mail")
    who.file(".mh_profile", "Path: Mail\n")
    who.file(".netrc", "machine localhost login %s password %s\n" % (who.name, who.password))
    with Watched():
        who.run(inc, "-host", "localhost", "-user", who.name, "-port", "995", "-initialtls",
                "-nocertverify", stdin=subprocess.DEVNULL)
    assert len(glob.glob(who.home + "/Mail/inbox/[0-9]*")) == len(CORPUS)
    assert stored(who) == []


main(__name__)
