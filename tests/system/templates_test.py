#!/usr/bin/env python3
"""The templates that connections are forked from, attacked: killed, stopped, starved,
replaced on the disk, while clients are there. Sessions go on, newcomers are served or
told, and the server is whole again by itself."""
import resource
import threading

from lib import *

NAMES = ("login-template", "conn-template")
RECOVERY = 60


def template(name):
    return wait_for(lambda: list(processes(name)), name)[0]


def both():
    return {template(name) for name in NAMES}


def greeting(port=143, limit=RECOVERY):
    """What a newcomer hears first; a closed connection is b""."""
    with socket.create_connection(("127.0.0.1", port), limit) as s:
        s.settimeout(limit)
        try:
            return s.recv(4096)
        except ConnectionResetError:
            return b""


def served(server, who):
    """Everything works, for as often as there are spares and once more."""
    for _ in range(3):
        server.imap_login(who).logout()
        server.pop3_login(who).quit()


def recovers(server, who):
    wait_for(lambda: greeting().startswith(b"* OK"), "the server to recover", RECOVERY)
    served(server, who)


def blow(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def residents(server):
    """Sessions that live through it: in the clear, behind TLS, not logged in yet."""
    who = user("resident")
    return who, [server.imap_login(who, tls=False), server.imap_login(who),
            server.pop3_login(who), server.imap(), server.imap(tls=False)]


def unharmed(residents):
    who, crowd = residents
    for c in crowd[:3]:
        c.ok("NOOP")
    for c in crowd[3:]:
        c.login(who.name, who.password)
        c.logout()
    crowd[0].logout()
    crowd[1].logout()
    crowd[2].quit()


def test_killed():
    who = user("killed")
    with Server(cleartext_login="yes") as server:
        for name in NAMES + NAMES:
            crowd = residents(server)
            old, mark = template(name), log.mark()
            os.kill(old, signal.SIGKILL)
            # A fork that was asked for at that moment fails first, and then nobody is asked.
            log.wait("a template ended by signal 9|cannot start a connection process", mark)
            recovers(server, who)
            assert template(name) != old
            unharmed(crowd)


def test_killed_again_and_again():
    """While clients come all the time: each is greeted or told why not."""
    who = user("again")
    heard, over = [], threading.Event()

    def come():
        while not over.is_set():
            heard.append(greeting())

    with Server(spare_connections=2) as server:
        callers = [threading.Thread(target=come, daemon=True) for _ in range(3)]
        for t in callers:
            t.start()
        for n in range(30):
            for pid in processes(NAMES[n % 2]):
                blow(pid, (signal.SIGKILL, signal.SIGABRT, signal.SIGTERM)[n % 3])
            time.sleep(0.1)             # the time between two blows
        over.set()
        for t in callers:
            t.join(RECOVERY)
            assert not t.is_alive(), "a client hangs"
        recovers(server, who)
        assert server.process.poll() is None
    wrong = {h for h in heard if not h.startswith((b"* OK ", b"* BYE [UNAVAILABLE]"))}
    print("# %d clients, %d of them refused" % (len(heard), sum(h.startswith(b"* BYE") for h in heard)))
    assert not wrong, wrong


def test_stopped():
    """A template that does not answer is given up, and others are served."""
    who = user("stopped")
    for name in NAMES:
        with Server(cleartext_login="yes", spare_connections=0) as server:
            crowd = residents(server)
            old, mark = template(name), log.mark()
            os.kill(old, signal.SIGSTOP)
            said = greeting()
            assert said.startswith((b"* BYE [UNAVAILABLE]", b"* OK")), said
            for c in crowd[1][:3]:
                c.ok("NOOP")
            try:
                recovers(server, who)
            finally:
                if os.path.exists("/proc/%d" % old):
                    os.kill(old, signal.SIGCONT)
            unharmed(crowd)


def test_without_descriptors():
    """Its limit reached, a template says so; with more it goes on."""
    who = user("starved")
    for name in NAMES:
        with Server(cleartext_login="yes", spare_connections=0) as server:
            served(server, who)
            pid = template(name)
            old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, old[1]))
            said = greeting()
            assert said.startswith((b"* BYE [UNAVAILABLE]", b"* OK")), said
            if os.path.exists("/proc/%d" % pid):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
            recovers(server, who)


def test_children_do_not_reach_their_template():
    """What a stranger talks to has no descriptor that asks for more processes."""
    def sockets(pid):
        base = "/proc/%d/fd/" % pid
        return {os.readlink(base + n) for n in os.listdir(base)} - {"/dev/null"}

    with Server(spare_connections=1) as server:
        c = server.imap()
        doors = set()
        for pid in both():
            doors |= {t for t in sockets(pid) if t.startswith("socket:")}
        shared = sockets(server.process.pid)
        doors -= {os.readlink("/proc/%d/fd/4" % pid) for pid in both()}     # the log
        # The signer's door makes no process; conn opens it for its own login.
        signer = {os.readlink("/proc/%d/fd/6" % template("conn-template"))}
        for name, doors in (("login", doors), ("conn", doors - signer)):
            for pid in processes(name):
                assert not sockets(pid) & doors, (name, sockets(pid) & doors)
        assert doors, "no doors were found"
        c.close()


def mapped(pid, library):
    """Kilobytes of a library's code that a process need not ask for."""
    with open("/proc/%d/smaps" % pid) as f:
        code = re.search(r"^\S+ r-xp .*/%s\..*\n(?:(?!\S+-\S+ ).*\n)*?Rss: +(\d+)" % library,
                         f.read(), re.M)
    return int(code.group(1))


def test_forks_find_the_code_of_their_templates():
    """As many pages as the template has used, before they have used any themselves."""
    with Server(spare_connections=1) as server:
        for name, library in (("login", "libcrypto"), ("conn", "libc")):
            there = mapped(template(name + "-template"), library)
            spare = wait_for(lambda: list(processes(name)), name)[0]
            wait_for(lambda: mapped(spare, library) >= 0.9 * there, "%s: %d KB of %s" % (
                name, there, library))


def test_replaced_on_the_disk():
    """An upgrade: who is there goes on, a reload takes the new programs, nothing breaks."""
    who = user("upgrade")
    with Server(cleartext_login="yes") as server:
        crowd = residents(server)
        old = both()
        for name in ("conn", "login", "imap", "pop3"):
            path = LIBEXEC + "/" + name
            run("cp", "-p", path, path + ".new")
            os.rename(path + ".new", path)
        served(server, who)
        mark = log.mark()
        server.reload()
        log.wait("configuration read again", mark)
        served(server, who)
        wait_for(lambda: not old & set(processes()), "the old templates to go", RECOVERY)
        for pid in both():
            assert "(deleted)" not in os.readlink("/proc/%d/exe" % pid)
        unharmed(crowd)


def test_half_an_upgrade():
    """A program that cannot be started: clients are told, and it ends when it can."""
    who = user("broken")
    for name in ("conn", "login"):
        path = LIBEXEC + "/" + name
        with Server(spare_connections=1) as server:
            os.rename(path, path + ".away")
            try:
                with open(path, "wb") as f:
                    f.write(b"\x7fELF this is no program\n")
                os.chmod(path, 0o755)
                server.reload()
                wait_for(lambda: greeting().startswith(b"* BYE [UNAVAILABLE]"), "a refusal", RECOVERY)
            finally:
                os.rename(path + ".away", path)
            recovers(server, who)


def test_a_bad_configuration_keeps_the_templates():
    who = user("badconf")
    with Server() as server:
        old = both()
        with open(CONFIG, "a") as f:
            f.write("nonsense 1\n")
        mark = server.reload()
        log.wait("the old configuration stays", mark)
        served(server, who)
        assert both() == old
    configure()


def uid_of(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"Uid:\s+(\d+)", f.read()).group(1))


def test_a_user_who_kills_their_own_sessions():
    """That is their business: no template ends by it, and nobody else waits."""
    who, other = user("suicide"), user("bystander")
    with Server() as server:
        served(server, other)
        old = both()
        for n in range(5):
            mark = log.mark()
            c = server.imap_login(who)
            pid = [p for p in processes("imap") if uid_of(p) == who.uid][0]
            who.run("sh", "-c", "kill -KILL %d" % pid)
            log.wait("ended by signal 9", mark)
            c.close()
            served(server, other)
        assert both() == old, "a user made the server start anew"


def test_all_at_once():
    """Every process but mailreeved is killed: it starts over."""
    who = user("all")
    with Server() as server:
        crowd = [server.imap_login(who) for _ in range(5)]
        for _ in range(3):
            for pid, name in processes().items():
                if name in NAMES + ("conn", "login", "imap", "pop3"):
                    blow(pid)
            recovers(server, who)
        for c in crowd:
            c.close()


main(__name__)
