"""A strict reader of what an IMAP server sends.

Written from the formal syntax of RFC 3501 and RFC 9051 and of the extensions
named beside each rule, sharing nothing with the server. Checker also follows
the conversation: tags, message numbers, UIDs, and when EXPUNGE may come.
"""
import re


class Broken(Exception):
    """What was read cannot be produced from the grammar."""


ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
ASTRING = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+")
QUOTED = re.compile(rb'"((?:[^\x00\r\n"\\]|\\["\\])*)"')
LITERAL = re.compile(rb"\{(\d+)\}\r\n")
LITERAL8 = re.compile(rb"~\{(\d+)\}\r\n")
NUMBER = re.compile(rb"0|[1-9]\d*")
NZ_NUMBER = re.compile(rb"[1-9]\d*")
SET = re.compile(rb"[1-9]\d*(?::[1-9]\d*)?(?:,[1-9]\d*(?::[1-9]\d*)?)*")
BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")
DATE_TIME = re.compile(rb'"( [1-9]|[0-3]\d)-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
                       rb'-\d{4} \d\d:\d\d:\d\d [+-]\d{4}"')
OBJECT_ID = re.compile(rb"\(([A-Za-z0-9_-]{1,255})\)")                  # RFC 8474
TAG = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\+]+")
TEXT = re.compile(rb"[^\x00\r\n]+\Z")
BASE_FLAGS = {b"\\answered", b"\\flagged", b"\\deleted", b"\\seen", b"\\draft"}
LIST_FLAGS = {
    b"\\noinferiors", b"\\noselect", b"\\marked", b"\\unmarked", b"\\nonexistent",
    b"\\haschildren", b"\\hasnochildren", b"\\inbox", b"\\subscribed", b"\\remote", b"\\all", b"\\archive",
    b"\\memos", b"\\scheduled", b"\\snoozed",                          # RFC 9979
    b"\\drafts", b"\\flagged", b"\\important", b"\\junk", b"\\sent", b"\\trash"}
SELECTABILITY = {b"\\nonexistent", b"\\noselect", b"\\marked", b"\\unmarked"}
PLAIN_CODES = set(
    b"ALERT PARSE READ-ONLY READ-WRITE TRYCREATE UIDNOTSTICKY NOMODSEQ CLOSED UNAVAILABLE "
    b"AUTHENTICATIONFAILED AUTHORIZATIONFAILED EXPIRED PRIVACYREQUIRED CONTACTADMIN NOPERM "
    b"INUSE EXPUNGEISSUED CORRUPTION SERVERBUG CLIENTBUG CANNOT LIMIT OVERQUOTA ALREADYEXISTS "
    b"NONEXISTENT NOTSAVED HASCHILDREN UNKNOWN-CTE TOOBIG COMPRESSIONACTIVE USEATTR "
    b"NOTIFICATIONOVERFLOW UIDREQUIRED TOOFEW TOOMANY".split())
# Commands during which no EXPUNGE may be sent (RFC 3501 section 7.4.1).
NO_EXPUNGE = {b"FETCH", b"STORE", b"SEARCH", b"SORT", b"THREAD"}
# Items of STATUS, and the name of the rule for their value.
STATUS_RULES = {
    b"MESSAGES": "number", b"RECENT": "number", b"UIDNEXT": "nz_number", b"UIDVALIDITY": "nz_number",
    b"UNSEEN": "number", b"DELETED": "number", b"SIZE": "number64", b"HIGHESTMODSEQ": "number64",
    b"DELETED-STORAGE": "number64", b"MAILBOXID": "object_id", b"APPENDLIMIT": "append_limit"}
# What SELECT must have said before its OK (RFC 3501 and RFC 9051 section 6.3.1).
SELECT_SAYS = {b"FLAGS", b"EXISTS", b"PERMANENTFLAGS", b"UIDNEXT", b"UIDVALIDITY"}


def members(raw):
    """The numbers of a set, in its order."""
    for part in raw.split(b","):
        first, _, last = part.partition(b":")
        yield from range(int(first), int(last or first) + 1)


class Parser:
    """A cursor over one whole response, without its last CRLF."""

    def __init__(self, raw, utf8=False, rev2=False):
        self.raw, self.at, self.utf8, self.rev2 = raw, 0, utf8, rev2

    def fail(self, what):
        raise Broken("%s at byte %d" % (what, self.at))

    def rest(self):
        return self.raw[self.at:]

    def end(self):
        if self.at != len(self.raw):
            self.fail("more than the rule allows")

    def peek(self, text):
        return self.raw.startswith(text, self.at)

    def accept(self, text):
        """This text, case aside, if it comes next."""
        if self.raw[self.at:self.at + len(text)].upper() == text.upper():
            self.at += len(text)
            return True
        return False

    def need(self, text):
        if not self.accept(text):
            self.fail("%r expected" % text)

    def match(self, pattern, what):
        found = pattern.match(self.raw, self.at)
        if not found:
            self.fail(what + " expected")
        self.at = found.end()
        return found.group(0)

    def space(self):
        self.need(b" ")

    def atom(self):
        return self.match(ATOM, "atom")

    def word(self):
        return self.atom().upper()

    def number(self, limit=(1 << 32) - 1):
        value = int(self.match(NUMBER, "number"))
        if value > limit:
            self.fail("number out of range")
        return value

    def number64(self):
        return self.number((1 << 63) - 1)

    def nz_number(self):
        value = int(self.match(NZ_NUMBER, "number from 1"))
        if value >= 1 << 32:
            self.fail("number out of range")
        return value

    def literal(self, pattern=LITERAL, nul=False):
        head = pattern.match(self.raw, self.at)
        if not head:
            self.fail("literal expected")
        body = self.raw[head.end():head.end() + int(head.group(1))]
        if b"\0" in body and not nul:
            self.fail("NUL in a literal")
        self.at = head.end() + len(body)
        return body

    def eight_bit(self, text):
        """Outside of literals: 7-bit, or UTF-8 where the client enabled it."""
        if not any(c > 0x7e for c in text):
            return
        if not self.utf8:
            self.fail("8-bit text that the client did not enable")
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            self.fail("text that is not UTF-8")

    def string(self):
        if self.peek(b"{"):
            return self.literal()
        quoted = self.match(QUOTED, "string")
        self.eight_bit(quoted)
        return re.sub(rb"\\(.)", rb"\1", quoted[1:-1])

    def nil(self):
        found = re.compile(rb"NIL(?=[ )\]]|\Z)", re.I).match(self.raw, self.at)
        if found:
            self.at = found.end()
        return bool(found)

    def nstring(self):
        return None if self.nil() else self.string()

    def astring(self):
        if self.peek(b'"') or self.peek(b"{"):
            return self.string()
        return self.match(ASTRING, "astring")

    def many(self, item, least=0, between=b" "):
        """( item item ... )"""
        self.need(b"(")
        got = []
        if least == 0 and self.accept(b")"):
            return got
        while True:
            got.append(item())
            if self.accept(b")"):
                break
            self.need(between)
        if len(got) < least:
            self.fail("too few in parentheses")
        return got

    def sequence(self):
        raw = self.match(SET, "set")
        for part in raw.split(b","):
            first, _, last = part.partition(b":")
            if int(first) > int(last or first) or int(last or first) >= 1 << 32:
                self.fail("a range that is no range")
        return raw

    def mailbox(self, old=False):
        name = self.astring()
        if self.utf8:
            try:
                name.decode("utf-8")
            except UnicodeDecodeError:
                self.fail("mailbox name that is not UTF-8")
        else:
            self.mutf7(name)
        if name.upper() == b"INBOX" and name != b"INBOX" and not old:
            self.fail("INBOX in another spelling")
        return name

    def mutf7(self, name):
        """RFC 3501 section 5.1.3: shifts only for what needs them, whole UTF-16."""
        for part in re.split(rb"&([^-]*)-", name)[1::2]:
            if not part:
                continue
            if not re.match(rb"[A-Za-z0-9+,]+\Z", part):
                self.fail("bad modified UTF-7")
            import base64
            raw = base64.b64decode(part.replace(b",", b"/") + b"=" * (-len(part) % 4))
            try:
                text = raw.decode("utf-16-be")
            except UnicodeDecodeError:
                self.fail("bad modified UTF-7")
            if any(" " <= c <= "~" for c in text):
                self.fail("modified UTF-7 for a printable character")
        if re.sub(rb"&[^-]*-", b"", name).count(b"&") or any(c > 0x7e or c < 0x20 for c in name):
            self.fail("mailbox name that is not modified UTF-7")

    # ---- flags ----

    def flag(self):
        if self.accept(b"\\"):
            return b"\\" + self.atom()
        return self.atom()

    def flags(self, recent=False, star=False):
        """A parenthesized list without a flag twice."""
        def one():
            if star and self.accept(b"\\*"):
                return b"\\*"
            flag = self.flag().lower()
            if flag.startswith(b"\\") and flag not in BASE_FLAGS and \
                    not (recent and flag == b"\\recent"):
                self.fail("flag %r" % flag)
            return flag
        got = self.many(one)
        if len(set(got)) != len(got):
            self.fail("a flag twice")
        return got

    # ---- envelope and body structure ----

    def address(self):
        self.need(b"(")
        parts = [self.nstring()]
        for _ in range(3):
            self.space()
            parts.append(self.nstring())
        self.need(b")")
        return parts

    def addresses(self):
        """A group begins with one that has no host, and ends with one that has no mailbox."""
        if self.nil():
            return
        inside = False
        for _, _, mailbox, host in self.many(self.address, 1, b""):
            if host is None and (mailbox is None) != inside:
                self.fail("a group in a group, or the end of none")
            if host is None:
                inside = mailbox is not None
            elif mailbox is None:
                self.fail("a host without a mailbox")
        if inside:
            self.fail("a group without its end")

    def envelope(self):
        self.need(b"(")
        self.nstring()
        self.space()
        self.nstring()
        for _ in range(6):
            self.space()
            self.addresses()
        self.space()
        self.nstring()
        self.space()
        self.nstring()
        self.need(b")")

    def pairs(self):
        """body-fld-param"""
        if self.nil():
            return

        def pair():
            self.string()
            self.space()
            self.string()
        self.many(pair, 1)

    def disposition(self):
        if self.nil():
            return
        self.need(b"(")
        self.string()
        self.space()
        self.pairs()
        self.need(b")")

    def languages(self):
        if self.peek(b"("):
            self.many(self.string, 1)
        else:
            self.nstring()

    def body_extension(self):
        if self.peek(b"("):
            self.many(self.body_extension, 1)
        elif NUMBER.match(self.raw, self.at):
            self.number()
        else:
            self.nstring()

    def extension(self, first, extended):
        """What may follow in BODYSTRUCTURE and must not in BODY."""
        if not self.peek(b" "):
            return
        if not extended:
            self.fail("extension data in BODY")
        for rule in (first, self.disposition, self.languages, self.nstring):
            if not self.accept(b" "):
                return
            rule()
        while self.accept(b" "):
            self.body_extension()

    def body(self, extended, depth=0):
        self.need(b"(")
        if self.peek(b"("):
            while self.peek(b"("):
                self.body(extended, depth + 1)
            self.space()
            self.string()
            self.extension(self.pairs, extended)
        else:
            self.single(extended, depth)
        self.need(b")")

    def single(self, extended, depth):
        kind = self.string().upper()
        if kind == b"MULTIPART":
            self.fail("a multipart without parts")
        self.space()
        subtype = self.string().upper()
        self.space()
        self.pairs()
        for rule in (self.nstring, self.nstring, self.string, self.number):
            self.space()
            rule()
        # Before RFC 9051 only RFC822 was a message to look into (RFC 3501, body-type-basic).
        if kind == b"MESSAGE" and subtype in ((b"RFC822", b"GLOBAL") if self.rev2 else (b"RFC822",)):
            self.space()
            self.envelope()
            self.space()
            self.body(extended, depth + 1)
            self.space()
            self.number64()
        elif kind == b"TEXT":
            self.space()
            self.number64()
        self.extension(self.nstring, extended)

    # ---- FETCH ----

    SECTION = re.compile(rb"\[(?:(?:[1-9]\d*\.)*[1-9]\d*)?\]|"
                         rb"\[(?:(?:[1-9]\d*\.)+(?:MIME)|(?:(?:[1-9]\d*\.)+)?(?:HEADER|TEXT))\]", re.I)
    FIELDS = re.compile(rb"\[(?:(?:[1-9]\d*\.)+)?HEADER\.FIELDS(?:\.NOT)? ", re.I)

    def section(self):
        if (head := self.FIELDS.match(self.raw, self.at)):
            self.at = head.end()
            self.many(self.astring, 1)
            self.need(b"]")
        else:
            self.match(self.SECTION, "section")
        if self.accept(b"<"):
            self.number64()
            self.need(b">")

    def fetch_body(self):
        if self.peek(b"["):
            self.section()
            self.space()
            self.nstring()
        else:
            self.space()
            self.body(False)

    NUMBERS = re.compile(rb"\[(?:[1-9]\d*(?:\.[1-9]\d*)*)?\](?:<(?:0|[1-9]\d*)>)?")

    def binary(self):
        self.match(self.NUMBERS, "section of numbers")
        self.space()
        if self.peek(b"~{"):
            self.literal(LITERAL8, nul=True)
        else:
            self.nstring()

    def binary_size(self):
        self.match(self.NUMBERS, "section of numbers")
        self.space()
        self.number()

    def date_time(self):
        self.match(DATE_TIME, "date-time")

    def object_id(self):
        self.match(OBJECT_ID, "(id)")

    def object_or_nil(self):
        if not self.nil():
            self.object_id()

    def save_date(self):
        if not self.nil():
            self.date_time()

    def mod_sequence_value(self):
        value = self.number64()
        if value == 0:
            self.fail("mod-sequence 0")
        return value

    def mod_sequence(self):
        self.need(b"(")
        self.mod_sequence_value()
        self.need(b")")

    ITEM = re.compile(rb"[A-Z0-9]+(?:\.[A-Z]+)*", re.I)

    def fetch(self):
        """( item value ... ): {item: value} for FLAGS and UID."""
        values = {}
        simple = {
            b"INTERNALDATE": self.date_time, b"RFC822.SIZE": self.number64,
            b"ENVELOPE": self.envelope, b"RFC822": self.nstring,
            b"RFC822.HEADER": self.nstring, b"RFC822.TEXT": self.nstring,
            b"MODSEQ": self.mod_sequence, b"EMAILID": self.object_id,
            b"THREADID": self.object_or_nil, b"SAVEDATE": self.save_date,
            b"PREVIEW": self.nstring, b"BODYSTRUCTURE": lambda: self.body(True),
            b"UID": lambda: values.update(UID=self.nz_number()),
            b"FLAGS": lambda: values.update(FLAGS=self.flags(recent=not self.rev2)),
        }

        def item():
            name = self.match(self.ITEM, "fetch item").upper()
            if name == b"BODY":
                return self.fetch_body()
            if name in (b"BINARY", b"BINARY.SIZE"):
                return self.binary() if name == b"BINARY" else self.binary_size()
            if name not in simple:
                self.fail("fetch item %r" % name)
            self.space()
            return simple[name]()
        self.many(item, 1)
        return values

    # ---- mailbox data ----

    def list_data(self):
        def attribute():
            flag = self.flag().lower()
            if flag not in LIST_FLAGS:
                self.fail("mailbox attribute %r" % flag)
            return flag
        got = self.many(attribute)
        for a, b in ((b"\\haschildren", b"\\hasnochildren"), (b"\\marked", b"\\unmarked")):
            if a in got and b in got:
                self.fail("attributes that exclude each other")
        if len(set(got)) != len(got):
            self.fail("an attribute twice")
        if len(SELECTABILITY & set(got)) > 1:
            self.fail("more than one of %r" % SELECTABILITY)            # RFC 9051 mbx-list-sflag
        self.space()
        if not self.nil() and len(self.string()) != 1:
            self.fail("separator that is not one character")
        self.space()
        self.mailbox()
        if self.accept(b" "):
            self.many(self.list_extended, 1)

    def list_extended(self):
        name = self.astring().upper()
        self.space()
        if name == b"CHILDINFO":
            if set(self.many(self.string, 1)) != {b"SUBSCRIBED"}:
                self.fail("CHILDINFO of something that was not selected by")
        elif name == b"OLDNAME":
            self.need(b"(")
            self.mailbox(old=True)
            self.need(b")")
        else:
            self.fail("extended item %r" % name)

    def status(self):
        self.mailbox()
        self.space()

        def attribute():
            name = self.word()
            self.space()
            if name not in STATUS_RULES:
                self.fail("status item %r" % name)
            getattr(self, STATUS_RULES[name])()
            return name
        got = self.many(attribute)
        if len(set(got)) != len(got):
            self.fail("a status item twice")

    def append_limit(self):
        if not self.nil():
            self.number64()

    def entry(self):
        name = self.astring()
        if not re.match(rb"/(private|shared)(/[^/*%\x00-\x20\x7f-\xff]+)+\Z", name, re.I):
            self.fail("entry %r" % name)
        return name.lower()

    def metadata(self):
        """RFC 5464: ( entry value ... ), or entries without values when unasked."""
        self.mailbox()
        self.space()
        if not self.peek(b"("):
            self.entry()
            while self.accept(b" "):
                self.entry()
            return

        def pair():
            name = self.entry()
            self.space()
            if self.peek(b"~{"):
                self.literal(LITERAL8, nul=True)
            else:
                self.nstring()
            return name
        got = self.many(pair, 1)
        if len(set(got)) != len(got):
            self.fail("an entry twice")

    def search(self):
        found = []
        while self.accept(b" "):
            if self.peek(b"(MODSEQ "):
                self.accept(b"(MODSEQ ")
                self.mod_sequence_value()
                self.need(b")")
                break
            found.append(self.nz_number())
        if len(set(found)) != len(found):
            self.fail("a message found twice")

    def thread(self):
        self.threaded = []
        if self.accept(b" "):
            while not self.at == len(self.raw):
                self.thread_list()
        if len(set(self.threaded)) != len(self.threaded):
            self.fail("a message in two threads")

    def thread_list(self):
        self.need(b"(")
        if not self.peek(b"("):
            self.threaded.append(self.nz_number())
            while self.accept(b" "):
                if self.peek(b"("):
                    break
                self.threaded.append(self.nz_number())
        branches = 0
        while self.peek(b"("):
            self.thread_list()
            branches += 1
        if branches == 1:
            self.fail("a thread with one branch")
        self.need(b")")

    def correlators(self):
        def one():
            name = self.word()
            self.space()
            if name == b"TAG":
                self.tag = self.string()
            elif name == b"MAILBOX":
                self.mailbox()
            elif name == b"UIDVALIDITY":
                self.nz_number()
            else:
                self.fail("correlator %r" % name)
            return name
        got = self.many(one, 1)
        if len(set(got)) != len(got):
            self.fail("a correlator twice")
        return set(got)

    def context_change(self):
        self.number()
        self.space()
        self.sequence()

    def esearch(self):
        seen = self.correlators() if self.peek(b" (") and self.accept(b" ") else set()
        if seen and seen != {b"TAG"} and seen != {b"TAG", b"MAILBOX", b"UIDVALIDITY"}:
            self.fail("correlators %r" % seen)              # RFC 7377 section 2.1
        if not self.accept(b" UID") and len(seen) > 1:
            self.fail("no UIDs for a mailbox that need not be selected")
        seen = set()
        while self.accept(b" "):
            name = self.word()
            self.space()
            if name in seen and name not in (b"ADDTO", b"REMOVEFROM"):
                self.fail("%r twice" % name)
            seen.add(name)
            if name in (b"ADDTO", b"REMOVEFROM"):               # RFC 5267
                self.many(self.context_change, 1)
            elif name in (b"MIN", b"MAX"):
                self.nz_number()
            elif name == b"COUNT":
                self.number()
            elif name == b"MODSEQ":
                self.mod_sequence_value()
            elif name == b"ALL":
                self.sequence()
            elif name == b"RELEVANCY":                          # RFC 6203
                if not all(1 <= n <= 100 for n in self.many(self.nz_number, 1)):
                    self.fail("a score out of 1 to 100")
            elif name == b"PARTIAL":                            # RFC 9394
                self.need(b"(")
                self.match(re.compile(rb"[1-9]\d*:[1-9]\d*|-[1-9]\d*:-[1-9]\d*"), "range")
                self.space()
                self.nil() or self.sequence()
                self.need(b")")
            else:
                self.fail("search result %r" % name)
        if {b"ALL", b"PARTIAL"} <= seen:
            self.fail("ALL and PARTIAL")

    def uid_batches(self):
        """RFC 10022 section 4; each below the one before, from high to low."""
        self.need(b" ")
        if self.correlators() != {b"TAG"}:
            self.fail("UIDBATCHES wants a tag alone")
        below = 1 << 32
        if self.accept(b" "):
            while True:
                high = self.nz_number()
                self.need(b":")
                low = self.nz_number()
                if not low <= high < below:
                    self.fail("batches that do not descend")
                below = low
                if not self.accept(b","):
                    break

    def quota(self):
        """RFC 9208 section 7: a list of at least one resource."""
        self.astring()
        self.space()

        def resource():
            name = self.word()
            if name not in (b"STORAGE", b"MESSAGE", b"MAILBOX", b"ANNOTATION-STORAGE"):
                self.fail("resource %r" % name)
            for _ in range(2):
                self.space()
                self.number64()
            return name
        got = self.many(resource, 1)
        if len(set(got)) != len(got):
            self.fail("a resource twice")

    def quota_root(self):
        self.mailbox()
        while self.accept(b" "):
            self.astring()

    def namespace(self):
        for i in range(3):
            if i:
                self.space()
            if not self.nil():
                self.many(self.one_namespace, 1, b"")

    def one_namespace(self):
        self.need(b"(")
        self.string()
        self.space()
        if not self.nil() and len(self.string()) != 1:
            self.fail("separator that is not one character")
        while self.accept(b" "):
            self.string()
            self.space()
            self.many(self.string, 1)
        self.need(b")")

    def identification(self):
        if self.nil():
            return

        def pair():
            if len(self.string()) > 30:
                self.fail("field of ID over 30 octets")
            self.space()
            if len(self.nstring() or b"") > 1024:
                self.fail("value of ID over 1024 octets")
        self.many(pair)

    def capabilities(self):
        """After the word: SP atom ...; the list names a protocol version."""
        got = [self.atom().upper()]
        while self.accept(b" "):
            got.append(self.atom().upper())
        if not {b"IMAP4REV1", b"IMAP4REV2"} & set(got):
            self.fail("no protocol version among the capabilities")
        if len(set(got)) != len(got):
            self.fail("a capability twice")
        return set(got)

    # ---- conditions ----

    def code(self):
        """Behind `[`, up to and with `]`: (name, value)."""
        name, value = self.word(), None
        if name in PLAIN_CODES:
            pass
        elif name == b"BADCHARSET":
            if self.accept(b" "):
                self.many(self.astring, 1)
        elif name == b"CAPABILITY":
            self.space()
            value = self.capabilities()
        elif name == b"PERMANENTFLAGS":
            self.space()
            self.flags(star=True)
        elif name in (b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN"):
            self.space()
            value = self.nz_number()
        elif name == b"HIGHESTMODSEQ":
            self.space()
            value = self.mod_sequence_value()
        elif name == b"APPENDUID":
            self.space()
            self.nz_number()
            self.space()
            self.sequence()
        elif name == b"COPYUID":
            self.copy_uid()
        elif name == b"MODIFIED":
            self.space()
            self.sequence()
        elif name == b"MAILBOXID":
            self.space()
            self.object_id()
        elif name == b"METADATA":                               # RFC 5464
            self.space()
            what = self.word()
            if what in (b"LONGENTRIES", b"MAXSIZE"):
                self.space()
                self.number()
            elif what not in (b"TOOMANY", b"NOPRIVATE"):
                self.fail("METADATA %r" % what)
        elif name == b"MESSAGELIMIT":                           # RFC 9738
            self.space()
            self.nz_number()
            if self.accept(b" "):
                self.nz_number()
        elif name == b"NOUPDATE":                               # RFC 5267
            self.space()
            self.match(QUOTED, "quoted")
        elif name == b"BADURL":                                 # RFC 4469
            self.space()
            self.match(re.compile(rb"[!-\\^-~]+"), "URL")
        elif name == b"BADEVENT":                               # RFC 5465
            self.space()
            self.many(self.atom, 1)
        elif name == b"INPROGRESS":                             # RFC 9585
            if self.accept(b" ("):
                self.nstring()
                for _ in range(2):
                    self.space()
                    self.nil() or self.number()
                self.need(b")")
        else:
            self.fail("response code %r" % name)
        self.need(b"]")
        return name, value

    def copy_uid(self):
        self.space()
        self.nz_number()
        self.space()
        a = self.sequence()
        self.space()
        b = self.sequence()
        if sum(1 for _ in members(a)) != sum(1 for _ in members(b)):
            self.fail("COPYUID with sets of different size")

    def condition(self):
        """resp-text: (code, value)"""
        code = (None, None)
        if self.accept(b"["):
            code = self.code()
            self.space()
        if not TEXT.match(self.rest()):
            self.fail("text expected")
        if code[0] is None and self.peek(b"["):
            self.fail("text that begins like a response code")
        self.eight_bit(self.rest())
        self.at = len(self.raw)
        return code


CONDITIONS = (b"OK", b"NO", b"BAD", b"PREAUTH", b"BYE")


class View:
    """What the client may believe about the selected mailbox."""

    def __init__(self):
        self.uids = None            # one entry a message: UID or None; None: not known

    def exists(self, n):
        if self.uids is None:
            self.uids = [None] * n
        elif n < len(self.uids):
            raise Broken("EXISTS %d after %d without EXPUNGE" % (n, len(self.uids)))
        else:
            self.uids += [None] * (n - len(self.uids))

    def expunge(self, n):
        if self.uids is None or not 1 <= n <= len(self.uids):
            raise Broken("EXPUNGE of a message that is not there")
        del self.uids[n - 1]

    def vanished(self, raw):
        if self.uids is None:
            return
        gone = set(members(raw))
        known = [u for u in self.uids if u is not None]
        if len(known) == len(self.uids):
            self.uids = [u for u in self.uids if u not in gone]
        else:
            self.uids = None        # how many are left cannot be told from here

    def fetch(self, n, values):
        if self.uids is None:
            return
        if not 1 <= n <= len(self.uids):
            raise Broken("FETCH of message %d of %d" % (n, len(self.uids)))
        uid = values.get("UID")
        if uid is None:
            return
        if self.uids[n - 1] not in (None, uid):
            raise Broken("message %d had UID %d" % (n, self.uids[n - 1]))
        before = self.uids[n - 2] if n > 1 else None
        after = self.uids[n] if n < len(self.uids) else None
        if (before or 0) >= uid or (after is not None and after <= uid):
            raise Broken("UIDs do not ascend around message %d" % n)
        self.uids[n - 1] = uid


class Checker:
    """Follows one conversation and checks every response in it."""

    def __init__(self):
        self.pending = []           # [tag, command] not yet completed, oldest first
        self.partial = b""
        self.skip = 0               # bytes of a client's literal still to come
        self.literal_line = False   # the line goes on behind a literal
        self.answers = 0            # lines that answer a challenge of AUTHENTICATE
        self.notify = False         # RFC 5465: told also between commands
        self.updates = set()        # tags of searches that may be told of again (RFC 5267)
        self.said = set()           # by SELECT, so far
        self.utf8 = self.rev2 = self.uidonly = self.qresync = False
        self.view = View()
        self.said_bye = False
        self.first = True
        self.capabilities = None

    # ---- the client's side: only what is needed to judge the server ----

    def sent(self, raw):
        raw = self.partial + raw
        self.partial = b""
        while raw:
            if self.skip:
                n = min(self.skip, len(raw))
                self.skip -= n
                raw = raw[n:]
                continue
            line, newline, rest = raw.partition(b"\n")
            if not newline:
                self.partial = raw
                return
            self.sent_line(line.rstrip(b"\r"))
            raw = rest

    def sent_line(self, line):
        words = line.split(None, 3)
        if self.answers:
            self.answers -= 1
            return
        if words and words[0].upper() == b"DONE" and self.last() == b"IDLE":
            return
        if not self.literal_line:
            command = words[1].upper() if len(words) > 1 else b""
            if command == b"UID" and len(words) > 2:
                command = b"UID " + words[2].upper()
            if words:
                self.pending.append([words[0], command])
                if b"UPDATE" in line.upper():
                    self.updates.add(words[0])
            self.notify |= command == b"NOTIFY"
        mark = re.search(rb"\{(\d+)[+-]?\}\Z", line)
        self.literal_line = bool(mark)
        self.skip = int(mark.group(1)) if mark else 0

    def last(self):
        return self.pending[-1][1] if self.pending else None

    # ---- the server's side ----

    def received(self, raw):
        if self.said_bye and raw.startswith(b"+"):
            raise Broken("a continuation after BYE")
        p = Parser(raw[:-2], self.utf8, self.rev2)
        if p.accept(b"* "):
            self.untagged(p)
        elif p.peek(b"+"):
            self.continuation(p)
        else:
            self.tagged(p)
        p.end()
        self.first = False

    def continuation(self, p):
        p.need(b"+ ")
        if BASE64.match(p.rest()):
            p.at = len(p.raw)
        else:
            p.condition()
        if self.last() == b"AUTHENTICATE":
            self.answers += 1

    def tagged(self, p):
        tag = p.match(TAG, "tag")
        p.space()
        state = p.word()
        if state not in (b"OK", b"NO", b"BAD"):
            p.fail("tagged %r" % state)
        p.space()
        code, value = p.condition()
        newest = bool(self.pending) and self.pending[-1][0] == tag
        # After a login elsewhere the greeting is the answer to that command.
        command = None if self.first and state == b"OK" else self.complete(tag)
        if state != b"OK" and newest:   # refused: its literal is not sent
            self.skip, self.literal_line = 0, False
        if code == b"CAPABILITY":
            self.capabilities = value
        if command in (b"SELECT", b"EXAMINE"):
            self.selected(p, command, state, code)
        elif command in (b"CLOSE", b"UNSELECT") and state == b"OK":
            self.view = View()

    def selected(self, p, command, state, code):
        if state != b"OK":
            self.view = View()
        elif self.view.uids is None:
            p.fail("%s without EXISTS" % command.decode())
        if state == b"OK" and code not in (b"READ-WRITE", b"READ-ONLY"):
            p.fail("%s OK without READ-WRITE or READ-ONLY" % command.decode())
        missing = SELECT_SAYS | {b"LIST" if self.rev2 else b"RECENT"}
        missing -= self.said
        if state == b"OK" and missing:
            p.fail("%s without %r" % (command.decode(), missing))
        self.said = set()

    def complete(self, tag):
        for i, (name, command) in enumerate(self.pending):
            if name == tag:
                del self.pending[i]
                return command
        raise Broken("tag %r is of no command that waits" % tag)

    def running(self):
        return self.pending[0][1] if self.pending else None

    def untagged(self, p):
        if (number := NUMBER.match(p.raw, p.at)):
            return self.message_data(p, int(number.group(0)))
        word = p.word()
        if word in CONDITIONS:
            return self.state(p, word)
        if self.first:
            p.fail("no greeting")
        self.said.add(word)
        if self.rev2 and word == b"SEARCH":
            p.fail("SEARCH in IMAP4rev2")           # RFC 9051 section 6.4.4: ESEARCH
        rules = {
            b"LIST": p.list_data, b"LSUB": p.list_data,
            b"XLIST": p.list_data, b"STATUS": p.status, b"METADATA": p.metadata,
            b"NAMESPACE": p.namespace, b"ID": p.identification, b"FLAGS": self.flags(p),
            b"QUOTA": p.quota, b"QUOTAROOT": p.quota_root,
            b"CAPABILITY": lambda: setattr(self, "capabilities", p.capabilities()),
            b"VANISHED": lambda: self.vanished(p),
        }
        bare = {b"SEARCH": p.search, b"SORT": p.search, b"THREAD": p.thread,
                b"ESEARCH": lambda: self.correlated(p, p.esearch, self.updates),
                b"UIDBATCHES": lambda: self.correlated(p, p.uid_batches, set()),
                b"ENABLED": lambda: self.enabled(p)}
        if word in bare:
            bare[word]()
        elif word in rules:
            p.space()
            rules[word]()
        else:
            p.fail("untagged %r" % word)

    def correlated(self, p, rule, more):
        """The tag is of a command that waits for its answer, or among more."""
        p.tag = None
        rule()
        if p.tag is not None and p.tag not in more and \
                p.tag not in [tag for tag, _ in self.pending]:
            p.fail("the tag of no command: %r" % p.tag)

    def flags(self, p):
        def rule():
            if self.running() in (b"SELECT", b"EXAMINE"):
                self.view = View()          # what follows is about the new mailbox
            p.flags()
        return rule

    def state(self, p, word):
        if self.first and word in (b"NO", b"BAD"):
            p.fail("greeting %r" % word)
        if word == b"PREAUTH" and not self.first:
            p.fail("PREAUTH that is no greeting")
        p.space()
        code, value = p.condition()
        if code == b"CAPABILITY":
            self.capabilities = value
        if code == b"CLOSED":
            self.view = View()
        if code == b"UNSEEN" and (self.rev2 or self.uidonly):
            p.fail("UNSEEN, which is not in IMAP4rev2 and is a message number")
        self.said.add(code)
        if word == b"BYE":
            self.said_bye = True

    def enabled(self, p):
        while p.accept(b" "):
            word = p.word()
            self.utf8 |= word in (b"UTF8=ACCEPT", b"IMAP4REV2")
            self.rev2 |= word == b"IMAP4REV2"
            self.uidonly |= word == b"UIDONLY"
            self.qresync |= word == b"QRESYNC"

    def vanished(self, p):
        if not self.qresync and not self.uidonly:
            p.fail("VANISHED that was not enabled")
        earlier = p.accept(b"(EARLIER) ")
        raw = p.sequence()
        if not earlier:
            self.may_expunge(p)
            self.view.vanished(raw)

    def may_expunge(self, p):
        running = self.running()
        if running is None and self.notify:
            return
        if running is None or running in NO_EXPUNGE:
            p.fail("EXPUNGE during %r" % running)

    def message_data(self, p, n):
        p.number()
        p.space()
        word = p.word()
        self.said.add(word)
        if word == b"RECENT" and self.rev2:
            p.fail("RECENT in IMAP4rev2")
        if word == b"EXPUNGE" and self.qresync:
            p.fail("EXPUNGE with QRESYNC")          # RFC 7162 section 3.2.7
        if word == b"EXISTS":
            if self.running() in (b"SELECT", b"EXAMINE") and self.view.uids is not None:
                self.view = View()
            self.view.exists(n)
        elif word == b"RECENT":
            if self.view.uids is not None and n > len(self.view.uids):
                p.fail("more RECENT than messages")
        elif word in (b"FETCH", b"EXPUNGE") and self.uidonly:
            p.fail("a message number under UIDONLY")
        elif word == b"EXPUNGE":
            self.may_expunge(p)
            self.view.expunge(n)
        elif word == b"UIDFETCH" and self.uidonly:              # RFC 9586 section 3.3
            p.space()
            if p.fetch().get("UID", n) != n:
                p.fail("UIDFETCH with another UID")
        elif word == b"FETCH":
            p.space()
            self.view.fetch(n, p.fetch())
        else:
            p.fail("message data %r" % word)
