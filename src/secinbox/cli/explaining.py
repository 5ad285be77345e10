"""An issue, a finding or a resource as text for a person who wants to know why."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from secinbox.cli.printing import SEVERITY_STYLE, console, one_line, plain
from secinbox.vocabulary import RISK_LABELS


def print_issue(issue: dict[str, Any]) -> None:
    """`secinbox show`."""
    out = console()
    why = issue["why"]
    head = Text()
    head.append(f"#{issue['rank']} ", style="bold")
    head.append(issue["severity"].upper(), style=SEVERITY_STYLE[issue["severity"]])
    head.append("  " + one_line(issue["title"]), style="bold")
    out.print(head)
    out.print(
        Text(
            " · ".join(
                plain(p)
                for p in (
                    issue["type"].replace("_", " "),
                    issue["service"],
                    issue["environment"],
                    issue["account"],
                    issue["status"],
                    f"id {issue['id']}",
                    f"first seen {issue['first_seen']}",
                )
                if p
            ),
            style="dim",
        )
    )
    _title(out, "Why it is here")
    _lines(out, [why["sum"], f"let in by {why['admitted_by']}: {why['rule'] or ''}"])
    _lines(out, [side["text"] for side in (why["below"], why["above"]) if side])
    _lines(out, why["up"][:3] + why["down"])
    _title(out, "Detected risks")
    _risks(out, issue["risk_details"], issue["risks_on"])
    _title(out, "Fix")
    fix = issue["fix"]
    closes = issue["closes"]
    _lines(
        out,
        [
            fix["action"]
            + (f" (installed: {', '.join(fix['installed'][:5])})" if fix["installed"] else ""),
            f"closes {closes['findings']} finding(s)"
            + (
                f", {closes['vulnerabilities']} vulnerabilities"
                if closes["vulnerabilities"]
                else ""
            ),
            *fix["steps"],
            *fix["references"][:3],
        ],
    )
    _title(out, f"Resources ({issue['impacted_resources']})")
    _lines(out, issue["resources"][:20])
    if len(issue["resources"]) > 20:
        _lines(out, [f"... and {len(issue['resources']) - 20} more (--json lists them)"])
    _title(out, f"Findings ({issue['findings']}) and who reports them")
    for finding in issue["details"][:20]:
        _finding(out, finding)
    hidden = issue["findings"] - min(20, len(issue["details"]))
    if hidden > 0:
        _lines(out, [f"... and {hidden} more (--json lists them)"])
    if issue["attack_paths"]:
        _title(out, "Attack paths through it")
        _lines(out, [f"{p['severity']}: {p['title']} ({p['id'][5:13]})"
                     for p in issue["attack_paths"][:5]])  # fmt: skip
    if issue["attack_path"]:
        _title(out, "Steps")
        _lines(out, [f"{n}. {s['sentence']}" + (f" [unknown: {s['doubt']}]" if s["doubt"] else "")
                     for n, s in enumerate(issue["attack_path"]["steps"], 1)])  # fmt: skip
    if issue.get("timeline"):
        _title(out, "Timeline")
        _lines(
            out, [f"{e['time']} {e['actor']} {e['action']} {e['text']}" for e in issue["timeline"]]
        )


def _title(out: Console, text: str) -> None:
    out.print()
    out.print(Text(text, style="bold"))


def _lines(out: Console, lines: list[str]) -> None:
    for line in lines:
        out.print(Padding(Text(plain(line)), (0, 0, 0, 2)))


_MOST = 6  # lines of evidence a value


def _risks(
    out: Console, details: dict[str, dict[str, Any]], on: dict[str, dict[str, int]] | None = None,
    own: str = "",
) -> None:  # fmt: skip
    table = Table(box=None, pad_edge=True, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    style = {"yes": "bold red", "no": "green", "unknown": "yellow"}
    for name, detail in details.items():
        value = Text(detail["value"], style=style[detail["value"]])
        count = (on or {}).get(name)
        if count and count["of"] > 1:
            value.append(f" ({count['yes']} of {count['of']})")
        lines = evidence(detail["evidence"][:_MOST], own)
        more = len(detail["evidence"]) - _MOST
        if more > 0:
            lines.append(f"and {more} more (--json lists them)")
        mark = "• " if len(lines) > 1 else ""
        table.add_row(RISK_LABELS[name], value, Text("\n".join(mark + line for line in lines)))
    out.print(table)


def evidence(entries: list[dict[str, Any]], own: str = "") -> list[str]:
    """Evidence as sentences: what, by which route, on what, when, where to look.

    own: the resource that all of it is about, which need not be named again.
    """
    lines = []
    for entry in entries:
        text = plain(entry["text"])
        if entry.get("steps"):
            text += ": " + " → ".join(plain(s) for s in entry["steps"])
        if entry.get("ports"):
            text += f" (ports {plain(entry['ports'])})"
        if entry.get("maturity"):
            text += f" ({entry['maturity']})"
        if entry.get("date"):
            text += f", {plain(entry['date'])}"
        if entry.get("on"):
            text += f" [on {plain(entry['on'])}]"
        if entry.get("source") and entry["source"] not in (own, entry.get("on")):
            text += f" <{one_line(entry['source'], 120)}>"
        lines.append(text)
    return lines


def _finding(out: Console, finding: dict[str, Any]) -> None:
    head = Text("  ")
    head.append(finding["severity"], style=SEVERITY_STYLE[finding["severity"]])
    head.append(" " + one_line(finding["title"], 140))
    out.print(head)
    where = finding["resource"]
    if finding["location"]:
        where += f" {finding['location']}" + (f":{finding['line']}" if finding["line"] else "")
    out.print(Padding(Text(one_line(where, 160), style="dim"), (0, 0, 0, 4)))
    for a in finding["attributions"][:4]:
        out.print(
            Padding(
                Text(
                    plain(f"{a['tool']}: {a['report']} {a['place']}, seen {a['first_seen']} "
                          f"to {a['last_seen']}{', gone since ' + a['closed'] if a['closed'] else ''}"),
                    style="dim",
                ),
                (0, 0, 0, 4),
            )
        )  # fmt: skip


def print_why(answer: dict[str, Any]) -> None:
    """`secinbox why`."""
    if answer["kind"] == "issue":
        print_issue(answer)
        return
    out = console()
    if answer["kind"] == "finding":
        _finding(out, answer)
        _lines(
            out,
            [
                f"in the inbox, let in by {answer['admitted_by']} (issue {answer['issue']})"
                if answer["in_inbox"]
                else f"not in the inbox: {answer['why_not']}"
            ],
        )
        _risks(out, answer["risks"])
        return
    if answer["kind"] == "vulnerability":
        out.print(Text(plain(answer["vulnerability"]), style="bold"))
        _risks(out, {"exploit_available": answer["exploit_available"]})
        for finding in answer["findings"][:20]:
            _finding(out, finding)
            told = (
                f"in the inbox by {finding['admitted_by']} (issue {finding['issue'][:8]})"
                if finding["in_inbox"]
                else f"not in the inbox: {finding['why_not']}"
            )
            _lines(out, ["  " + told])
        return
    out.print(Text(plain(answer["uid"]), style="bold"))
    _lines(
        out,
        [
            f"{answer['type']}; environment {answer['environment'] or 'unknown'}; service "
            f"{answer['service'] or 'unknown'}; {answer['findings']} open findings"
        ],
    )
    if answer["aliases"]:
        _lines(out, ["also called " + ", ".join(answer["aliases"][:8])])
    _risks(out, answer["risks"], own=answer["uid"])
    for path in answer["attack_paths"][:10]:
        _lines(out, [f"on an attack path: {path['title']} ({path['id'][5:13]})"])
    for stopped in answer["no_path_because"][:10]:
        _lines(out, [f"no path because: {stopped['reason']} ({stopped['sentence']})"])
    for issue in sorted({i for i in answer["in_inbox"] if i}):
        _lines(out, [f"in the inbox: issue {issue[:8]}"])
    for entry in answer["not_in_inbox"][:20]:
        _lines(out, [f"not in the inbox: {one_line(entry['title'], 90)}: {entry['why_not']}"])
