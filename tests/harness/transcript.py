"""Transcripts: conversations written down, played against a server.

tests/README.md describes the format. This file reads one, plays it over
connections that a `place` opens, and reports the first thing that differs.
"""
import re
import subprocess

import wire


FLAGS_TOLD = re.compile(rb"\* \d+ (UID)?FETCH \((UID \d+ )?FLAGS \([^)]*\)( MODSEQ \(\d+\))?\)")


class Mismatch(AssertionError):
    pass


class Script:
    """One transcript: a list of steps (line number, kind, connection, text)."""

    LINE = re.compile(r"([CSUN])(?: ([A-Za-z0-9]+))?:(?: (.*))?\Z")

    def __init__(self, path):
        self.path = path
        self.steps = []
        self.messages = {}
        self.settings = {}
        self.title = None
        self.needs_index = None     # why what it expects is not the same without
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                self.read_line(number, line.rstrip("\n"))

    def bad(self, number, why):
        raise Mismatch("%s:%d: %s" % (self.path, number, why))

    def read_line(self, number, line):
        if line.startswith("#") or not line.strip():
            if line.startswith("# ") and self.title is None:
                self.title = line[2:].rstrip(".")
        elif line.startswith("|"):
            self.block(number, line)
        elif line.startswith("  "):
            self.append(number, line.strip())
        elif line.startswith("= "):
            self.directive(number, line[2:])
        elif (match := self.LINE.match(line)):
            kind, name, text = match.groups()
            self.steps.append([number, kind, name or "1", text or ""])
        else:
            self.bad(number, "neither C: nor S: nor a directive")

    def append(self, number, text):
        if not self.steps or self.steps[-1][1] not in "CSUN":
            self.bad(number, "continues nothing")
        self.steps[-1][3] += " " + text

    def block(self, number, line):
        """A line of a message or a file: what follows `| `."""
        if not self.steps or self.steps[-1][1] not in ("message", "file"):
            self.bad(number, "no message or file begun")
        self.steps[-1][3].append(line[2:] if line.startswith("| ") else line[1:])

    def directive(self, number, text):
        word, _, rest = text.partition(" ")
        if word == "config":
            keyword, _, value = rest.partition(" ")
            self.settings[keyword] = value
        elif word == "needs-index":
            self.needs_index = rest
        elif word == "title":
            self.title = rest
        elif word in ("message", "file"):
            self.steps.append([number, word, rest, []])
        elif word in ("deliver", "shell", "close", "eof", "open", "compress", "see", "env", "let"):
            self.steps.append([number, word, rest, ""])
        else:
            self.bad(number, "unknown directive " + word)


def split_expansions(text):
    """Pieces of text: (False, plain) and (True, inside of ${...})."""
    at = 0
    while (start := text.find("${", at)) >= 0:
        if start > at:
            yield False, text[at:start]
        depth, end = 1, start + 2
        while depth:
            if end >= len(text):
                raise Mismatch("${ without } in " + text)
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 2 if text[end] == "\\" else 1
        yield True, text[start + 2:end - 1]
        at = end
    if at < len(text):
        yield False, text[at:]


class Player:
    """Plays one script. place: .connect(protocol, env), .deliver, .shell, .file."""

    def __init__(self, script, protocol, place):
        self.script = script
        self.protocol = protocol
        self.place = place
        self.variables = {k: v.encode() for k, v in place.variables.items()}
        self.messages = {}
        self.connections = {}
        self.greeted = set()
        self.put_back = {}
        self.forbidden = {}
        self.env = {}
        self.delivered = 0

    # ---- texts ----

    def stored(self, name):
        if name not in self.messages:
            raise Mismatch("no message called " + name)
        return self.messages[name]

    def on_wire(self, name):
        raw = self.stored(name)
        return re.sub(rb"\r?\n", b"\r\n", raw)

    def value(self, inside):
        """What ${inside} stands for when it is sent, as bytes."""
        word, _, rest = inside.partition(" ")
        if inside in self.variables:
            return self.variables[inside]
        if word == "crlf":
            return b"\r\n"
        if word == "hex":
            return bytes.fromhex(rest)
        if word == "repeat":
            count, _, text = rest.partition(" ")
            return text.encode() * int(count)
        if word == "size":
            return b"%d" % len(self.on_wire(rest))
        if word == "text":
            return self.on_wire(rest)
        raise Mismatch("unknown ${%s}" % inside)

    def literal_body(self, rest):
        if rest.startswith('"'):
            return b"".join(self.value(p) if e else p.encode()
                            for e, p in split_expansions(rest[1:-1]))
        return self.on_wire(rest)

    def expand(self, text):
        return b"".join(self.value(p) if e else p.encode()
                        for e, p in split_expansions(text))

    def pattern(self, text):
        """(compiled pattern, names of its groups, sets to compare)."""
        regex, names, sets = b"", [], []
        for special, piece in split_expansions(text):
            if not special:
                regex += re.escape(piece.encode())
            elif piece == "*":
                regex += b"(?s:.*)"
            elif piece.partition(" ")[0] == "set":
                sets.append((len(names), set(piece[4:].encode().split())))
                names.append(None)
                regex += rb"([^()]*)"
            elif piece.startswith("literal "):
                body = self.literal_body(piece[8:])
                regex += re.escape(b"{%d}\r\n" % len(body) + body)
            elif (m := re.match(r"([A-Za-z][A-Za-z0-9_]*)?=(.*)\Z", piece, re.S)):
                names.append(m.group(1))
                regex += b"(" + re.sub(rb"\((?!\?)", b"(?:", m.group(2).encode()) + b")"
            else:
                regex += re.escape(self.value(piece))
        return re.compile(regex), names, sets

    def told_again(self, raw):
        """Without an index a session may tell flags once more than it must."""
        return self.place.index and FLAGS_TOLD.fullmatch(raw)

    def matches(self, raw, text):
        """Does the response match? Then its captures become variables."""
        if self.place.index:            # who saw a message first is forgotten with it
            raw = re.sub(rb"\\Recent ?| \\Recent", b"", raw)
            text = re.sub(r"\\Recent ?| \\Recent", "", text)
        regex, names, sets = self.pattern(text)
        match = regex.fullmatch(raw)
        if not match:
            return False
        if any(set(match.group(i + 1).split()) != want for i, want in sets):
            return False
        for i, name in enumerate(names):
            if name:
                self.variables[name] = match.group(i + 1)
        return True

    # ---- connections ----

    def connection(self, name):
        if name not in self.connections:
            self.open(name)
        if name not in self.greeted:
            self.greeted.add(name)
            self.place.greet(self.connections[name])
        return self.connections[name]

    def open(self, name):
        self.connections[name] = self.place.connect(self.protocol, self.env)

    def response(self, name):
        if self.put_back.get(name):
            return self.put_back[name].pop(0)
        return self.connection(name).response()

    def send(self, name, text):
        """Send a line; in front of a synchronizing literal wait for `+`."""
        c = self.connection(name)
        out = b""
        for special, piece in split_expansions(text):
            if special and piece.startswith("literal "):
                body = self.literal_body(piece[8:])
                c.send(out + b"{%d}\r\n" % len(body))
                early = []
                while not (r := c.response()).startswith(b"+"):
                    early.append(r)
                    if not r.startswith(b"*"):      # refused: the rest is not sent
                        break
                self.put_back.setdefault(name, []).extend(early)
                if not r.startswith(b"+"):
                    return
                out = body
            elif special and piece.startswith("literal+ "):
                body = self.literal_body(piece[9:])
                out += b"{%d+}\r\n" % len(body) + body
            else:
                out += self.value(piece) if special else piece.encode()
        c.send(out + b"\r\n")

    # ---- steps ----

    def play(self):
        steps = self.script.steps
        at = 0
        while at < len(steps):
            number = steps[at][0]
            try:
                at = self.step(steps, at)
            except (AssertionError, OSError, subprocess.CalledProcessError) as e:
                error = Mismatch("%s:%d: %s" % (self.script.path, number, e))
                error.transcript = getattr(e, "transcript", None) or self.record()
                raise error from None
        for c in self.connections.values():
            c.close()

    def record(self):
        return ["[%s] %s" % (n, line) for n, c in self.connections.items()
                for line in c.record[-30:]]

    def step(self, steps, at):
        number, kind, name, text = steps[at]
        if kind == "C":
            self.place.between()
            self.forbidden[name] = []
            self.send(name, text)
        elif kind == "N":
            self.forbidden.setdefault(name, []).append(text)
        elif kind == "U":
            return self.unordered(steps, at)
        elif kind == "S" and text == "...":
            return self.skip(steps, at)
        elif kind == "S":
            self.expect(name, text)
        else:
            getattr(self, "do_" + kind)(name, text)
        return at + 1

    def checked(self, name):
        raw = self.response(name)
        for text in self.forbidden.get(name, []):
            if self.matches(raw, text):
                raise Mismatch("must not come here: " + wire.show(raw))
        return raw

    def expect(self, name, text):
        raw = self.checked(name)
        while not self.matches(raw, text) and self.told_again(raw):
            raw = self.checked(name)
        if not self.matches(raw, text):
            raise Mismatch("differs\n  want %s\n  got  %s" % (text, wire.show(raw)))

    def skip(self, steps, at):
        """`S: ...`: any untagged responses, up to one that fits the next S:."""
        if at + 1 >= len(steps) or steps[at + 1][1] != "S":
            raise Mismatch("no S: line behind `S: ...`")
        _, _, name, text = steps[at + 1]
        seen = []
        while not self.matches(raw := self.checked(name), text):
            seen.append(wire.show(raw))
            tagged = not raw.startswith((b"*", b"+"))
            if self.protocol == "imap" and tagged:
                raise Mismatch("never came: %s\n  got  %s" % (text, "\n       ".join(seen)))
        return at + 2

    def unordered(self, steps, at):
        """Neighbouring U: lines: each comes once, in any order."""
        name = steps[at][2]
        want = []
        while at < len(steps) and steps[at][1] == "U" and steps[at][2] == name:
            want.append(steps[at][3])
            at += 1
        while want:
            raw = self.checked(name)
            hit = next((w for w in want if self.matches(raw, w)), None)
            if hit is None and self.told_again(raw):
                continue
            if hit is None:
                raise Mismatch("none of\n  want %s\n  got  %s"
                               % ("\n       ".join(want), wire.show(raw)))
            want.remove(hit)
        return at

    def do_message(self, name, lines):
        words = name.split()
        body = b"\n".join(self.expand(line) for line in lines)
        if "no-eol" not in words[1:]:
            body += b"\n"
        if "crlf" in words[1:]:
            body = body.replace(b"\n", b"\r\n")
        self.messages[words[0]] = body

    def do_file(self, name, lines):
        self.place.file(self.expand(name).decode(),
                        b"".join(self.expand(line) + b"\n" for line in lines))

    def do_deliver(self, rest, _):
        words = self.expand(rest).decode().split()
        options = dict(w.split("=", 1) for w in words if "=" in w)
        plain = [w for w in words if "=" not in w]
        self.delivered += 1
        self.place.deliver(self.stored(plain[0]), plain[1] if len(plain) > 1 else "INBOX",
                           self.delivered, **options)

    def do_shell(self, rest, _):
        self.place.shell(self.expand(rest).decode())

    def do_let(self, rest, _):
        name, _, value = rest.partition(" ")
        self.variables[name] = self.expand(value)

    def do_env(self, rest, _):
        name, _, value = rest.partition(" ")
        self.env[name] = self.expand(value).decode()

    def do_open(self, name, _):
        self.connection(name or "1")

    def do_see(self, name, _):
        """The greeting of this connection is in the transcript."""
        self.greeted.add(name or "1")
        self.open(name or "1")

    def do_compress(self, name, _):
        self.connection(name or "1").start_compress()

    def do_close(self, name, _):
        c = self.connections.pop(name or "1")
        self.greeted.discard(name or "1")
        c.close()
        self.place.ended(c)

    def do_eof(self, name, _):
        c = self.connections.pop(name or "1")
        self.greeted.discard(name or "1")
        c.expect_eof()
        c.close()
        self.place.ended(c)
