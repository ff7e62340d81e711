"""What is measured: a row each. N stands for the number of messages in INBOX."""


class Work:
    """One workload.

    args: of load, without port and account. before, after: commands that are
    not timed. prepare: called with (contender, mail) before each turn. unit,
    units: what the cost is told of, and how many of it the timed part does.
    reach: the ratio to Dovecot's processor time that is wanted. bound: name of
    the bare calls (bounds.py) that no server can do without, and how many of
    them are in a unit. by: "cpu", or "wall" where waiting is what counts, or
    "memory".
    """

    def __init__(self, name, *args, unit="command", units=1, reach=None, bound=None, bounds=1,
                 by="cpu", who="main", before=(), after=(), prepare=None, flags=""):
        self.name, self.args, self.unit, self.units = name, args, unit, units
        self.reach, self.bound, self.bounds, self.by, self.who = reach, bound, bounds, by, who
        self.before, self.after, self.prepare = before, after, prepare
        self.flags = flags

    def command(self, port, name, password):
        words = ["-p", str(port), "-u", name, "-w", password]
        words += ["-" + self.flags] if self.flags else []
        for letter, commands in (("-b", self.before), ("-a", self.after)):
            for text in commands:
                words += [letter, text]
        return words + list(self.args)


def logins(n):
    """The cost of a visit: connect, log in, log out."""
    def visit(name, flags, who="main", **how):
        return Work(name, "-l", str(n), "STAT" if "P" in flags else "NOOP", unit="login", units=n,
                    flags=flags, who=who, **how)
    return [
        visit("IMAP login, TLS", "t", reach=0.25, bound="login"),
        visit("IMAP login, TLS resumed", "Rt"),
        visit("IMAP login, clear", "", bound="exec"),
        visit("IMAP login, TLS, yescrypt", "t", who="strong"),
        visit("POP3 login, TLS", "Pt", reach=0.25, bound="login"),
        visit("POP3 login, clear", "P", bound="exec"),
    ]


def deliver(folder):
    def into(c, mail):
        c.people["main"].deliver(b"Subject: new\n\nnew\n", mailbox=folder)
    return into


def seen(folder):
    return lambda c, mail: c.visit(c.people["main"], "SELECT " + folder)


def fresh(count):
    return lambda c, mail: mail.fresh(c, "Fresh", count)


def forget(c, mail):
    c.forget(c.people["main"])


def first_select(n, reach=None):
    return [Work("SELECT of {:,}, never seen".format(n), "SELECT Fresh", prepare=fresh(n), reach=reach,
                 after=("CLOSE", "DELETE Fresh"))]


def selects(folder, n, warm, arrival):
    text = "{:,}".format(n)
    return [
        Work("SELECT of %s" % text, "SELECT " + folder, prepare=seen(folder), reach=warm,
             before=("NOOP",)),
        Work("SELECT of %s again" % text, "-r", "20", "SELECT " + folder, units=20,
             before=("SELECT " + folder,)),
        Work("SELECT of %s, one new" % text, "SELECT " + folder, prepare=deliver(folder),
             reach=arrival),
    ]


def at_size(folder, n):
    """What must not depend on a mailbox's size, or not more than its answer does."""
    selected = ("SELECT " + folder,)
    status = "STATUS %s (MESSAGES UNSEEN UIDNEXT)" % folder
    return [
        Work("FETCH FLAGS of {:,}".format(n), "FETCH 1:* FLAGS", unit="message", units=n,
             before=selected),
        Work("STATUS of {:,}".format(n), "-r", "100", status, units=100, before=(status,)),
        Work("session on {:,}, KB".format(n), "NOOP", unit="session", by="memory",
             before=selected),
    ]


def fetches(n, large, folder):
    inbox = ("SELECT INBOX",)
    all_large = dict(unit="message", units=large, before=("SELECT " + folder,))
    every = dict(unit="message", units=n, before=inbox)
    fields = "BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)]"

    def cached(name, item, **how):
        text = "FETCH 1:%d %s" % (n, item)
        return Work("FETCH %s, cached" % name, text, unit="message", units=n,
                    before=inbox + (text,), **how)

    def uncached(name, item):
        return Work("FETCH %s, not cached" % name, "FETCH 1:%d %s" % (n, item), reach=0.5,
                    prepare=forget, bound="read", **every)

    def bodies(name, flags, bound):
        return Work("FETCH BODY.PEEK[]" + name, "FETCH 1:%d BODY.PEEK[]" % n, reach=0.5,
                    flags=flags, bound=bound, **every)

    def retr(name, at_once, **how):
        return Work("POP3 RETR" + name, "retr 1:%d %d" % (n, at_once), unit="message", units=n, **how)
    return [
        Work("FETCH FLAGS", "FETCH 1:* FLAGS", reach=0.6, **all_large),
        uncached("ENVELOPE", "ENVELOPE"), cached("ENVELOPE", "ENVELOPE"),
        uncached("BODYSTRUCTURE", "BODYSTRUCTURE"),
        cached("BODYSTRUCTURE", "BODYSTRUCTURE", reach=0.4),
        uncached("4 fields", fields), cached("4 fields", fields, reach=0.4),
        bodies("", "", "cat"), bodies(", TLS", "t", "cat+tls"), bodies(", COMPRESS", "z", "cat"),
        retr("", 1, reach=0.4, bound="answer", flags="P"),
        retr(", TLS", 1, reach=0.3, bound="answer+tls", flags="Pt"),
        retr(", pipelined", 20, reach=0.4, bound="cat", flags="P"),
        retr(", pipelined, TLS", 20, reach=0.3, bound="cat+tls", flags="Pt"),
    ]


def arrivals():
    # Nothing is deleted: ext4 looks at each inode that was freed a minute ago before it
    # takes another one, and that costs more than the message.
    box = dict(before=("CREATE New{turn}",), unit="message")
    return [
        Work("APPEND of 6 KB", "-r", "200", "append New{turn} 6000", units=200, reach=0.6, bound="fsync",
             **box),
        Work("APPEND, 16 writers", "-n", "16", "-r", "25", "append INBOX 6000", unit="message",
             units=400, bound="fsync", who="crowd0"),
        Work("MULTIAPPEND of 50", "-r", "4", "many New{turn} 6000 50", units=200, reach=0.6,
             bound="fsync", **box),
    ]


def changes(n):
    inbox, every = ("SELECT INBOX",), dict(unit="message", units=n)
    copied = inbox + ("CREATE One", "COPY 1:%d One" % n, "SELECT One")
    drop = ("SELECT INBOX", "DELETE One")
    return [
        Work("STORE", "STORE 1:%d +FLAGS.SILENT (\\Flagged)" % n,
             "STORE 1:%d -FLAGS.SILENT (\\Flagged)" % n, unit="message", units=2 * n, reach=0.9,
             bound="rename", before=inbox),
        Work("COPY", "COPY 1:%d One" % n, reach=0.5, bound="link", before=inbox + ("CREATE One",),
             after=("DELETE One",), **every),
        Work("MOVE", "MOVE 1:* Two", reach=0.5, bound="rename", before=copied + ("CREATE Two",),
             after=drop + ("DELETE Two",), **every),
        Work("EXPUNGE", "EXPUNGE", reach=0.9, bound="unlink",
             before=copied + ("STORE 1:* +FLAGS.SILENT (\\Deleted)",), after=drop, **every),
    ]


def searches(folder, n):
    def search(name, *commands, **how):
        return Work(name, *commands, before=("SELECT " + folder, commands[-1]), **how)
    def scan(name, command, **how):
        return Work(name, command, before=("SELECT " + folder,), bound="grep", bounds=n,
                    reach=0.2, **how)
    return [
        search("SEARCH UNSEEN", "-r", "10", "SEARCH UNSEEN", units=10),
        search("SEARCH SUBJECT", "SEARCH SUBJECT release", reach=0.4),
        scan("SEARCH TEXT", "SEARCH TEXT doesnotoccur"),
        scan("SEARCH BODY", "SEARCH BODY doesnotoccur"),
        search("SORT (DATE)", "SORT (DATE) UTF-8 ALL", reach=0.8),
        search("SORT (SUBJECT)", "SORT (SUBJECT) UTF-8 ALL"),
        search("THREAD REFERENCES", "THREAD REFERENCES UTF-8 ALL", reach=0.3),
    ]


def listings(folders):
    return [
        Work("LIST of %d folders" % folders, "-r", "10", 'LIST "" *', units=10, who="folders"),
        Work("LIST RETURN (STATUS) of %d" % folders, "-r", "5",
             'LIST "" * RETURN (STATUS (MESSAGES UNSEEN UIDNEXT))', units=5, who="folders",
             before=('LIST "" * RETURN (STATUS (MESSAGES UNSEEN UIDNEXT))',)),
        Work("STATUS", "-r", "100", "STATUS INBOX (MESSAGES UNSEEN UIDNEXT)", units=100),
    ]


MIXED = ["NOOP", "FETCH 1:100 (UID FLAGS)", "FETCH 1:50 ENVELOPE", "FETCH 1:20 BODY.PEEK[]",
         "STORE 7 +FLAGS (\\Seen)", "STORE 7 -FLAGS (\\Seen)", "SEARCH SUBJECT release",
         "STATUS INBOX (MESSAGES UNSEEN)", "append INBOX 3000", 'LIST "" *', "SELECT INBOX"]


def together(crowd):
    return [
        Work("idle TLS connection, KB", "-n", str(crowd), "-c", "20", "idle", unit="connection",
             units=20 * crowd, reach=0.21, by="memory", who="crowd%", before=("SELECT INBOX",),
             after=("done",), flags="t"),
        Work("delivery to EXISTS", "-r", "10", "deliver /home/{user}/Maildir", unit="delivery",
             units=10, reach=0.02, by="wall", who="crowd1", before=("SELECT INBOX", "idle"),
             after=("done",)),
        Work("mixed, %d clients" % crowd, "-n", str(crowd), "-r", "5", *MIXED,
             units=5 * crowd * len(MIXED), who="crowd%", before=("SELECT INBOX",)),
    ]


def works(sizes, crowd):
    n, rows = sizes.messages, logins(200)
    rows += first_select(n) + selects("INBOX", n, None, None)
    if sizes.large > 0:
        rows += first_select(sizes.large, 0.5) + selects("Large", sizes.large, None, 0.05)
    if sizes.huge > 0:
        rows += selects("Huge", sizes.huge, 0.1, None) + at_size("Huge", sizes.huge)
    folder = "Large" if sizes.large > 0 else "INBOX"
    rows += fetches(n, sizes.large or n, folder)
    rows += arrivals() + changes(n) + searches(folder, sizes.large or n)
    return rows + listings(sizes.folders) + together(crowd)
