#!/usr/bin/env python3
"""The units of rc/systemd under a real systemd: each way to start, and floods."""
import ctypes
import glob
import shutil

from machine import *

INSTALLED = "/usr/local/share/mailreeve/rc/systemd"
FLOOD = 400


def unit_files(root=""):
    return sorted(glob.glob(root + INSTALLED + "/*.service") + glob.glob(root + INSTALLED + "/*.socket"))


def equipped():
    """A machine with the units, the accounts and a certificate, not yet booted."""
    m = Machine()
    if not unit_files(m.root):
        raise Skip("no units are installed")
    for path in unit_files(m.root):
        shutil.copy(path, m.root + UNITS)
    for name, folder in (("sysusers-mailreeve.conf", "sysusers.d"), ("tmpfiles-mailreeve.conf", "tmpfiles.d")):
        shutil.copy(m.root + INSTALLED + "/" + name, m.root + "/usr/lib/" + folder + "/mailreeve.conf")
    certificate(SCRATCH + "/tls")
    for end in (".crt", ".key"):
        m.write("/etc/mailreeve/tls" + end, open(SCRATCH + "/tls" + end).read(), 0o600)
    m.write("/etc/mailreeve.conf", "failure-delay 0s\n")
    return m


def add_account(m):
    m.run("id _mailreeve && useradd -m ann && echo ann:secret | chpasswd")


def all_four_ports_work():
    for tls in (True, False):
        c = wire.imap(993 if tls else 143, tls=tls)
        if not tls:
            c.starttls()
        c.login("ann", "secret")
        c.ok("SELECT INBOX")
        c.logout()
        p = wire.pop3(995 if tls else 110, tls=tls)
        if not tls:
            p.stls()
        p.login("ann", "secret")
        p.quit()


def flood(port):
    """Many connections at once, each dropped; then the server is as before."""
    crowd = []
    for _ in range(FLOOD):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", port))
        crowd.append(s)
    for s in crowd:
        s.close()


def recovered():
    """Is a newcomer greeted again, now that the crowd is gone?"""
    try:
        wire.imap(993, tls=True).logout()
        return True
    except (wire.WireError, OSError):
        return False


def works(units, services=()):
    with equipped() as m:
        add_account(m)
        m.run("systemctl start " + " ".join(units))
        all_four_ports_work()
        for port in PORTS.values():
            flood(port)
        wait_for(recovered, "the flood to be over", 30)
        all_four_ports_work()
        for unit in units:
            assert m.run("systemctl is-active " + unit).strip() == "active"
        # connections are units of their own with Accept=yes; none may stay failed
        wait_for(lambda: "mailreeve" not in m.run("systemctl --failed --plain --no-legend", ok=None),
                 "failed units to be collected")
        assert "user=ann" in m.journal() or '"ann"' in m.journal(), "no login in the journal"
        assert m.run("stat -c '%U %a' /run/mailreeve/guesses").strip() == "root 600"
        assert "guesses are not counted" not in m.journal()
        assert "keys may be swapped" not in m.journal()
        for service in services:
            assert "secretmem" in m.run("cat /proc/[0-9]*/maps", ok=None) or not has_secret_memory()
            check_reload(m, service)


def has_secret_memory():
    """The kernel has memfd_secret(2)."""
    fd = ctypes.CDLL(None).syscall(447, 0)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


def check_reload(m, service):
    m.run("echo 'login-timeout 33s' >> /etc/mailreeve.conf && systemctl reload " + service)
    all_four_ports_work()
    m.run("echo 'nonsense 1' >> /etc/mailreeve.conf")
    m.run("systemctl reload " + service, ok=None)
    all_four_ports_work()


def test_the_master_as_a_service():
    works(["mailreeve.service"], ["mailreeve.service"])


def test_sockets_with_a_process_for_each_connection():
    works(["mailreeve-%s.socket" % name for name in PORTS])


def test_sockets_that_start_the_master():
    works(["mailreeve-activated.socket"])


def test_units_are_understood():
    """systemd-analyze says nothing about any of them."""
    analyze, = need("systemd-analyze")
    m = equipped()
    for path in unit_files(m.root):
        said = run(analyze, "verify", "--man=no", "--root=" + m.root,
                   UNITS + "/" + os.path.basename(path), ok=None)
        ours = [line for line in said.splitlines() if "mailreeve" in line]
        assert not ours, "\n".join(ours)


def test_units_are_hardened():
    """`systemd-analyze security` at 4.0 or better."""
    analyze, = need("systemd-analyze")
    m = equipped()
    for path in unit_files(m.root):
        if path.endswith(".service"):
            run(analyze, "security", "--offline=true", "--threshold=40", "--no-pager", path)


main(__name__)
