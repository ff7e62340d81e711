"""The result: a line when it is there, and tables for README.md and mailreeve(7)."""
import os
import re

COLUMNS = ("work", "Mailreeve", "Dovecot", "ratio", "wanted", "bare calls", "a second", "memory, MB")
WIDTHS = (32, 12, 12, 7, 7, 11, 19, 13)
MARKS = {"README.md": ("<!-- bench -->\n", "<!-- end of bench -->\n"),
         "man/mailreeve.7": ('.\\" bench\n', '.\\" end of bench\n')}


class Cost:
    """Of one unit: microseconds of processor and clock, and the memory meanwhile."""

    def __init__(self, cpu, wall, memory):
        self.cpu, self.wall, self.memory, self.each = cpu, wall, memory, None

    def of(self, work):
        return {"cpu": self.cpu, "wall": self.wall, "memory": self.each}[work.by]


def span(us):
    """Microseconds, readable."""
    for limit, divisor, name in ((1000, 1, "us"), (1e6, 1e3, "ms"), (float("inf"), 1e6, "s")):
        if us < limit:
            return "%.3g %s" % (us / divisor, name)


def rate(cost):
    each = 1e6 / cost.wall
    return "{:,.0f}".format(each) if each >= 10 else "%.2g" % each


class Table:
    def __init__(self, machine, mail, bounds):
        self.machine, self.mail, self.bounds, self.rows = machine, mail, bounds, []

    def begin(self):
        print(self.machine + "; " + self.mail)
        print("bare calls: " + ", ".join("%s %s" % (k, span(v)) for k, v in self.bounds.items()))
        print(self.line(COLUMNS), flush=True)

    def line(self, cells):
        return "".join(str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                       for i, (cell, width) in enumerate(zip(cells, WIDTHS)))

    def add(self, work, costs):
        show = (lambda v: "%.0f KB" % v) if work.by == "memory" else span
        ours, theirs = costs.get("mailreeve"), costs.get("dovecot")
        pair = [c for c in (ours, theirs) if c]
        self.rows.append((
            work.name + (", a " + work.unit if work.unit in ("message", "login") else ""),
            show(ours.of(work)) if ours else "-",
            show(theirs.of(work)) if theirs else "-",
            "%.2f" % (ours.of(work) / theirs.of(work)) if len(pair) == 2 else "-",
            "" if work.reach is None else "%.2g" % work.reach,
            span(self.bounds[work.bound] * work.bounds) if work.bound else "",
            "" if work.by == "memory" else " / ".join(rate(c) for c in pair),
            " / ".join("%.1f" % (c.memory.proportional / 1024) for c in pair)))
        print(self.line(self.rows[-1]), flush=True)
        peak = " / ".join("%d" % c.memory.peak for c in pair)
        print("#   peak of one process, KB: %s" % peak, flush=True)

    def markdown(self):
        rows = [COLUMNS, ("---",) * len(COLUMNS)] + self.rows
        return "%s; %s.\n\n%s" % (self.machine, self.mail,
                                  "".join("| %s |\n" % " | ".join(row) for row in rows))

    def mdoc(self):
        lines = [self.line(row[:4] + row[5:6]).rstrip() for row in [COLUMNS] + self.rows]
        return "%s; %s.\n.Bd -literal\n%s\n.Ed\n" % (self.machine, self.mail, "\n".join(lines))

    def write(self, top):
        """Between the marks in both files."""
        for path, text in (("README.md", self.markdown()), ("man/mailreeve.7", self.mdoc())):
            begin, end = MARKS[path]
            path = os.path.join(top, path)
            with open(path) as f:
                old = f.read()
            new = re.sub(re.escape(begin) + ".*?" + re.escape(end),
                         lambda _: begin + text + end, old, flags=re.S)
            with open(path, "w") as f:
                f.write(new)
