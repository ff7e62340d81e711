"""A strict reader of what a POP3 server sends (RFC 1939, 2449, 5034, 3206).

It follows the client's commands, to know which answers have several lines.
"""
import re


class Broken(Exception):
    pass


STATUS = re.compile(rb"(\+OK|-ERR)( [\x20-\x7e\x80-\xff]*)?\Z")
CODE = re.compile(rb" \[([A-Z0-9./-]+)\]( |\Z)")
CODES = {b"IN-USE", b"LOGIN-DELAY", b"SYS/TEMP", b"SYS/PERM", b"AUTH", b"UTF8",
         b"XCLIENT"}                 # a greeting for trusted front ends
CONTINUE = re.compile(rb"\+ (?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")
LISTING = re.compile(rb"[1-9]\d* \d+\Z")
UNIQUE = re.compile(rb"[1-9]\d* [\x21-\x7e]{1,70}\Z")
CAPABILITY = re.compile(rb"[\x21-\x2d\x2f-\x7e][\x21-\x7e]*( [\x21-\x7e]+)*\Z")

# RFC 6856 section 3.2: a language tag and what the language calls itself.
LANGUAGE = re.compile(rb"[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8})*(?: [^\x00-\x1f\x7f]+)?\Z")
# What each line of an answer is, for commands whose answer goes on.
MULTI = {
    b"RETR": None, b"TOP": None, b"CAPA": CAPABILITY,
    b"LIST": LISTING, b"UIDL": UNIQUE, b"LANG": LANGUAGE,
}
FIRST = {
    b"STAT": re.compile(rb"\+OK \d+ \d+( .*)?\Z"),
    (b"LANG", 1): re.compile(rb"\+OK [A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8})* .*\Z"),
    (b"LIST", 1): re.compile(rb"\+OK [1-9]\d* \d+\Z"),
    (b"UIDL", 1): re.compile(rb"\+OK [1-9]\d* [\x21-\x7e]{1,70}\Z"),
}


def rule_of(line):
    """(key, pattern of lines or False) for one command line."""
    words = line.split()
    verb = words[0].upper() if words else b""
    if verb in (b"LIST", b"UIDL", b"LANG") and len(words) > 1:
        return (verb, 1), False
    return verb, MULTI.get(verb, False)


class Checker:
    def __init__(self):
        self.waiting = [b"(greeting)"]      # commands not yet answered
        self.partial = b""
        self.inside = False                 # in the lines of an answer
        self.lines = None
        self.sasl = 0                       # answers to continuations

    def sent(self, raw):
        self.partial += raw
        *lines, self.partial = self.partial.split(b"\n")
        for line in lines:
            if self.sasl > 0:
                self.sasl -= 1
            else:
                self.waiting.append(line.rstrip(b"\r"))

    def received(self, raw):
        line = raw[:-2]
        if self.inside:
            self.line(line)
        elif line.startswith(b"+ ") or line == b"+":
            self.continuation(line)
        else:
            self.status(line)

    def line(self, line):
        if line == b".":
            self.inside = False
        elif self.lines is not None and not self.lines.match(line):
            raise Broken("a line of the listing")
        elif self.lines is None and line.startswith(b".") and not line.startswith(b".."):
            raise Broken("a line beginning with one dot")

    def continuation(self, line):
        if not self.waiting or not self.waiting[0].upper().startswith(b"AUTH"):
            raise Broken("a continuation that nobody asked for")
        if not CONTINUE.match(line):
            raise Broken("a challenge that is not base64")
        if len(self.waiting) > 1:           # it was sent before we asked
            self.waiting.pop(1)
        else:
            self.sasl += 1

    def status(self, line):
        match = STATUS.match(line)
        if not match:
            raise Broken("neither +OK nor -ERR")
        if len(line) > 510:
            raise Broken("a status line over 512 bytes")
        code = CODE.match(line[len(match.group(1)):])
        if code and code.group(1) not in CODES:
            raise Broken("unknown response code")
        self.sasl = 0
        if not self.waiting:
            if line.startswith(b"-ERR"):    # the server says good-bye by itself
                return
            raise Broken("an answer that nobody asked for")
        key, lines = rule_of(self.waiting.pop(0))
        if line.startswith(b"+OK"):
            if key in FIRST and not FIRST[key].match(line):
                raise Broken("not the form of this command's answer")
            if lines is not False:
                self.inside, self.lines = True, lines
