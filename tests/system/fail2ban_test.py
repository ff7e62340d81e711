#!/usr/bin/env python3
"""The log line of a login as fail2ban reads it, with the filter that is installed."""
from lib import *

FILTER = "/usr/local/share/mailreeve/rc/fail2ban/filter.d/mailreeve.conf"
JAIL = "/usr/local/share/mailreeve/rc/fail2ban/jail.d/mailreeve.conf"
FORGED = ("x rip=10.0.0.1 y", "x login: rip=10.0.0.1 lip=1.1.1.1 user=z proto=imap "
          "result=refused guess=new ", "a=b", "10.0.0.1", "rip=10.0.0.1",
          "]: login: rip=10.0.0.1", "<HOST>", "x\\20rip\\3d10.0.0.1", "\u00fcml\u00e4ut")


def banned(lines):
    """The addresses that fail2ban-regex finds in these lines of the log."""
    stamped = ["%s host %s" % (time.strftime("%b %d %H:%M:%S"), re.sub(r"^<\d+>\w{3} +\d+ [\d:]+ ", "", line))
               for line in lines]
    with open(SCRATCH + "/mail.log", "w") as f:
        f.write("\n".join(stamped) + "\n")
    run("cp", FILTER, "/etc/fail2ban/filter.d/")
    said = run("fail2ban-regex", "-o", "ip", SCRATCH + "/mail.log",
               "/etc/fail2ban/filter.d/mailreeve.conf", ok=(0, 1))
    return [line for line in said.split() if re.match(r"[0-9a-f:.]+$", line)]


def try_names(c, names, password="wrong"):
    for name in names:
        word = c.command("LOGIN %L " + password, name.encode())[0].split(b" ")[1]
        assert word == b"NO", word


def test_refused_guesses_and_nothing_else():
    need("fail2ban-regex")
    who = user("jail")
    with Server(max_failures="20", cleartext_login="yes") as server:
        mark = log.mark()
        c = server.imap(source=("127.0.9.1", 0), tls=False)
        try_names(c, [who.name])
        try_names(c, [who.name])                    # the same again: guess=again
        try_names(c, ["nobodyhere"])
        c.login(who.name, who.password)
        c.logout()
        c = server.imap(source=("127.0.9.1", 0), tls=False)
        try_names(c, [who.name], "mistyped")        # guess=owner
        p = server.pop3(source=("127.0.9.2", 0), tls=False)
        p.ok("USER root")
        assert p.command("PASS x").startswith(b"-ERR")
        server.imap(source=("127.0.9.3", 0), tls=False).command("NONSENSE")
        log.wait("login: .*user=root .*result=refused", mark)
        log.wait("guess=owner", mark)
        lines = log.lines[mark:]
    assert banned(lines) == ["127.0.9.1", "127.0.9.1", "127.0.9.2"], lines


def test_names_forge_nothing():
    need("fail2ban-regex")
    with Server(max_failures="20", cleartext_login="yes") as server:
        mark = log.mark()
        c = server.imap(source=("127.0.9.9", 0), tls=False)
        c.command('ID ("name" "x rip=10.0.0.1 result=refused guess=new")')
        try_names(c, FORGED, '"rip=10.0.0.1 y"')
        c.close()
        wait_for(lambda: len(log.find("result=refused", mark)) == len(FORGED), "the log")
        lines = log.lines[mark:]
    assert banned(lines) == ["127.0.9.9"] * len(FORGED), lines


def test_the_jail_is_understood():
    need("fail2ban-client")
    run("cp", FILTER, "/etc/fail2ban/filter.d/")
    run("cp", JAIL, "/etc/fail2ban/jail.d/")
    for name in os.listdir("/etc/fail2ban/jail.d"):
        if name != "mailreeve.conf":
            os.unlink("/etc/fail2ban/jail.d/" + name)
    os.makedirs("/var/log", exist_ok=True)
    open("/var/log/mail.log", "a").close()
    said = run("fail2ban-client", "-d")
    assert "['set', 'mailreeve', 'maxretry', 10]" in said, said
    assert "'mailreeve', 'addfailregex'" in said or "'multi-set', 'mailreeve'" in said, said
    assert "login: rip=" in said and "guess=new" in said, said


main(__name__)
