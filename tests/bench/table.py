"""The result: a line when it is there, and tables for README.md and mailreeve(7)."""
import os
import re

COLUMNS = ("work", "each", "Mailreeve", "Dovecot", "ratio", "wanted", "bare calls", "a second",
           "memory, MB", "peak, MB")
WIDTHS = (32, 11, 11, 11, 7, 7, 11, 20, 15, 12)
IN_MANUAL = (0, 1, 2, 3, 4, 6)          # of the columns, what fits
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


def ratio(r):
    return ("%.2f" if r >= 0.01 else "%.4f") % r


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
        return "".join(str(cell).ljust(width) if i < 2 else str(cell).rjust(width)
                       for i, (cell, width) in enumerate(zip(cells, WIDTHS)))

    def add(self, work, costs):
        show = (lambda v: "%.0f KB" % v) if work.by == "memory" else span
        ours, theirs = costs.get("mailreeve"), costs.get("dovecot")
        pair = [c for c in (ours, theirs) if c]
        self.rows.append((
            work.name, work.unit,
            show(ours.of(work)) if ours else "-",
            show(theirs.of(work)) if theirs else "-",
            ratio(ours.of(work) / theirs.of(work)) if len(pair) == 2 else "-",
            "" if work.reach is None else "%.2g" % work.reach,
            span(self.bounds[work.bound] * work.bounds) if work.bound else "",
            "" if work.by == "memory" else " / ".join(rate(c) for c in pair),
            " / ".join("%.1f" % (c.memory.proportional / 1024) for c in pair),
            " / ".join("%.1f" % (c.memory.peak / 1024) for c in pair)))
        print(self.line(self.rows[-1]), flush=True)

    def markdown(self):
        rows = [COLUMNS, ("---", "---") + ("--:",) * (len(COLUMNS) - 2)] + self.rows
        return "Measured on %s; %s:\n\n%s" % (self.machine, self.mail,
                                  "".join("| %s |\n" % " | ".join(row) for row in rows))

    def mdoc(self):
        lines = ["".join(str(row[i]).ljust(WIDTHS[i]) if i < 2 else str(row[i]).rjust(WIDTHS[i])
                         for i in IN_MANUAL).rstrip() for row in [COLUMNS] + self.rows]
        return "Measured on %s; %s:\n.Bd -literal\n%s\n.Ed\n" % (self.machine, self.mail,
                                                              "\n".join(lines))

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
