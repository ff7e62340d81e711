#!/usr/bin/env python3
"""Realistic mail from a seed: threads, attachments, charsets, odd but legal forms.

corpus.py COUNT DIRECTORY [SEED] writes COUNT messages as files into DIRECTORY.
The same seed gives the same bytes on every machine.
"""
import base64
import os
import quopri
import random
import sys

PEOPLE = [
    ("Ann Lee", "ann@example.org"), ("Bob O'Neil", "bob@example.com"),
    ("Søren Kierkegård", "soren@example.dk"), ("Жанна Орлова", "zhanna@example.ru"),
    ("山田太郎", "yamada@example.jp"), ('Quoted, "Name"', "quoted@example.net"),
    ("", "bare@example.org"), ("José da Silva", "jose@example.pt"),
    ("Mailing List", "list@lists.example.org"), ("Zoë", "zoe@example.nl"),
]
WORDS = """the a of to and in that it is was for on are with as at be this have from or one
had by but not what all were when we there can an your which their said if do will each about
how up out them then she many some so these would other into has more her two like him see
time could no make than first been its who now people my made over did down only way find use
may water long little very after words called just where most know meeting report invoice
release patch server folder draft schedule budget question answer review attached""".split()
FOREIGN = {
    "utf-8": "Grüße aus Köln, à bientôt, добрый день, こんにちは, ελληνικά, 日本語, emoji 🙂 ",
    "iso-8859-1": "Schöne Grüße, très bien, señor, à la carte ",
    "koi8-r": "Здравствуйте, отчёт во вложении ",
    "windows-1252": "“Quotes” and – dashes € ",
    "iso-2022-jp": "会議の資料を添付します ",
    "big5": "會議記錄 ", "gb2312": "会议记录 ", "iso-8859-15": "10 € für Öl ",
}
KINDS = [("plain", 38), ("8bit", 12), ("qp", 12), ("alternative", 18), ("attachment", 12),
         ("forward", 4), ("report", 2), ("related", 2)]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Corpus:
    """An endless row of messages; message() gives the next one, with LF line ends."""

    def __init__(self, seed=1):
        self.random = random.Random(seed)
        self.number = 0
        self.threads = []                   # (subject, [message-ids])

    def pick(self, row):
        return row[self.random.randrange(len(row))]

    def sentence(self):
        n = self.random.randrange(4, 14)
        return " ".join(self.pick(WORDS) for _ in range(n)).capitalize() + "."

    def text(self, octets):
        """Lines of prose, some quoted, some empty, some beginning with a dot or From."""
        lines, have = [], 0
        while have < octets:
            kind = self.random.randrange(12)
            line = "" if kind < 2 else self.sentence()
            line = "> " + line if kind == 2 else "." + line if kind == 3 else line
            line = "From " + line if kind == 4 else line
            line = line + " " + self.sentence() if kind > 8 else line
            lines.append(line)
            have += len(line) + 1
        return "\n".join(lines) + "\n"

    def size(self):
        """Octets of a body: median near 5 KB, a tail to 2 MB."""
        return min(int(self.random.lognormvariate(8.3, 1.1)), 2 << 20)

    def encoded_word(self, text):
        if all(" " <= c <= "~" for c in text):
            return text
        if self.random.randrange(2):
            return "=?UTF-8?B?%s?=" % base64.b64encode(text.encode()).decode()
        raw = "".join("=%02X" % c if c > 126 or c in b"=?_\t" else "_" if c == 32 else chr(c)
                      for c in text.encode())
        return "=?utf-8?q?%s?=" % raw

    def address(self, person):
        name, box = person
        if not name:
            return box
        if any(c in name for c in ',"'):
            return '"%s" <%s>' % (name.replace('"', '\\"'), box)
        return "%s <%s>" % (self.encoded_word(name), box)

    def date(self):
        """An hour or so later than the message before."""
        stamp = 20000 * 24 + self.number          # hours since 1970
        day, hour = divmod(stamp, 24)
        month = day // 28 % 12
        year, dom = 2024 + day // 336 % 3, day % 28 + 1
        zone = self.pick(["+0000", "+0100", "-0800", "+0530", "+0000 (UTC)"])
        return "%s, %d %s %d %02d:%02d:%02d %s" % (
            DAYS[day % 7], dom, MONTHS[month], year, hour, self.random.randrange(60),
            self.random.randrange(60), zone)

    # ---- headers ----

    def thread(self):
        """(subject, In-Reply-To and References lines, this message's id)"""
        own = "<%d.%08x@mail.example.org>" % (self.number, self.random.getrandbits(32))
        if self.threads and self.random.randrange(3):
            subject, ids = self.pick(self.threads[-20:])
            parent = self.random.randrange(len(ids))
            lines = ["In-Reply-To: " + ids[parent],
                     "References: " + "\n ".join(ids[max(0, parent - 9):parent + 1])]
            ids.append(own)
            return self.pick(["Re: ", "RE: ", "Re: ", "Fwd: "]) + subject, lines, own
        subject = self.sentence().rstrip(".")
        if self.random.randrange(5) == 0:
            subject = self.encoded_word(self.pick(list(FOREIGN.values())).strip())
        self.threads.append((subject, [own]))
        return subject, [], own

    def headers(self):
        subject, lines, own = self.thread()
        sender, to = self.pick(PEOPLE), [self.pick(PEOPLE) for _ in range(1 + self.random.randrange(3))]
        top = ["Return-Path: <%s>" % sender[1],
               "Received: from mx%d.example.org (mx.example.org [192.0.2.%d])\n"
               "\tby mail.example.org with ESMTPS id %08x\n\tfor <%s>; %s"
               % (self.number % 9, self.number % 250, self.random.getrandbits(32), to[0][1],
                  self.date()),
               "Date: " + self.date(), "From: " + self.address(sender),
               "To: " + ",\n ".join(self.address(p) for p in to)]
        if self.random.randrange(4) == 0:
            top.append("Cc: undisclosed-recipients:;" if self.random.randrange(4) == 0
                       else "Cc: " + self.address(self.pick(PEOPLE)))
        if self.random.randrange(6) == 0:
            top.append("List-Id: <list.lists.example.org>")
        return "\n".join(top + ["Message-ID: " + own, "Subject: " + subject] + lines)

    # ---- bodies: (content headers, body) as bytes ----

    def plain(self):
        return b"Content-Type: text/plain; charset=us-ascii\n", self.text(self.size()).encode()

    def foreign(self, octets):
        charset = self.pick(sorted(FOREIGN))
        lines = [FOREIGN[charset] + self.sentence() for _ in range(1 + octets // 60)]
        return charset, ("\n".join(lines) + "\n").encode(charset)

    def eight_bit(self):
        charset, raw = self.foreign(self.size())
        head = "Content-Type: text/plain; charset=%s\nContent-Transfer-Encoding: %s\n" \
            % (charset, "7bit" if charset == "iso-2022-jp" else "8bit")
        return head.encode(), raw

    def quoted_printable(self):
        charset, raw = self.foreign(self.size())
        head = 'Content-Type: text/plain;\n\tcharset="%s"; format=flowed\n' \
               "Content-Transfer-Encoding: quoted-printable\n" % charset
        return head.encode(), quopri.encodestring(raw)

    def multipart(self, subtype, parts, extra=""):
        boundary = "=_%d_%08x" % (self.number, self.random.getrandbits(32))
        head = 'Content-Type: multipart/%s%s;\n boundary="%s"\n' % (subtype, extra, boundary)
        body = b"This is a multi-part message in MIME format.\n"
        for part_head, part in parts:
            body += b"--" + boundary.encode() + b"\n" + part_head + b"\n" + part + b"\n"
        return head.encode(), body + b"--" + boundary.encode() + b"--\n"

    def html(self):
        paragraphs = "".join("<p>%s</p>\n" % self.sentence() for _ in range(4 + self.random.randrange(40)))
        raw = "<html><body style=3D>\n%s</body></html>\n" % paragraphs
        return (b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: "
                b"quoted-printable\n", quopri.encodestring(raw.encode()))

    def alternative(self):
        return self.multipart("alternative", [self.quoted_printable(), self.html()])

    def file(self):
        name = self.pick(["report.pdf", "Übersicht 2026.ods", "photo.jpeg", "notes.txt"])
        raw = self.random.randbytes(self.size() * 2)
        plain = name.isascii()
        head = "Content-Type: application/octet-stream; name=\"%s\"\n" \
               "Content-Transfer-Encoding: base64\nContent-Disposition: attachment;\n %s\n" % (
                   name if plain else self.encoded_word(name),
                   'filename="%s"' % name if plain else
                   "filename*=UTF-8''" + "".join("%%%02X" % c if c > 126 or c == 32 else chr(c)
                                                 for c in name.encode()))
        return head.encode(), base64.encodebytes(raw)

    def attachment(self):
        return self.multipart("mixed", [self.alternative()] +
                              [self.file() for _ in range(1 + self.random.randrange(3))])

    def related(self):
        image = (b"Content-Type: image/png\nContent-ID: <part1@example.org>\n"
                 b"Content-Transfer-Encoding: base64\n",
                 base64.encodebytes(self.random.randbytes(3000)))
        return self.multipart("related", [self.html(), image], '; type="text/html"')

    def forward(self):
        inner = self.headers().encode() + b"\nMIME-Version: 1.0\n"
        head, body = self.pick([self.plain, self.alternative])()
        return self.multipart("mixed", [self.plain(), (
            b"Content-Type: message/rfc822\nContent-Disposition: inline\n",
            inner + head + b"\n" + body)])

    def report(self):
        status = (b"Content-Type: message/delivery-status\n",
                  b"Reporting-MTA: dns; mail.example.org\n\nFinal-Recipient: rfc822; x@example.org\n"
                  b"Action: failed\nStatus: 5.1.1\n")
        return self.multipart("report", [self.plain(), status], "; report-type=delivery-status")

    def message(self):
        self.number += 1
        total = self.random.randrange(sum(w for _, w in KINDS))
        for kind, weight in KINDS:
            total -= weight
            if total < 0:
                break
        top = self.headers().encode() + b"\nMIME-Version: 1.0\n"
        head, body = {"plain": self.plain, "8bit": self.eight_bit, "qp": self.quoted_printable,
                      "alternative": self.alternative, "attachment": self.attachment,
                      "forward": self.forward, "report": self.report,
                      "related": self.related}[kind]()
        return top + head + b"\n" + body


def messages(count, seed=1):
    corpus = Corpus(seed)
    return [corpus.message() for _ in range(count)]


if __name__ == "__main__":
    made = Corpus(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    os.makedirs(sys.argv[2], exist_ok=True)
    for i in range(int(sys.argv[1])):
        with open(os.path.join(sys.argv[2], "%06d" % (i + 1)), "wb") as f:
            f.write(made.message())
