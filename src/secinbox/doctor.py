"""What could be better in a home, each with what to do about it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from secinbox import __version__, paths, posture
from secinbox.facts.store import Facts
from secinbox.risks import Assessment
from secinbox.risks.exploit_available import feed_gaps
from secinbox.settings import Settings
from secinbox.vocabulary import RISKS


def deliveries(delivery: Any) -> dict[str, Any]:
    """The check of tickets and notifications: what waits, fails or cannot be sent."""
    from secinbox.decisions.states import DecisionError

    try:
        standing = delivery.standing()
        counts, faults = standing["counts"], list(standing["faults"])
        failing = [f"{e['connection'] or e['rule']}: {e['error']}"
                   for e in standing["waiting"] if e["error"]]  # fmt: skip
        faults += [f"{t['external']}: {t['error']}" for t in standing["tickets"] if t["error"]]
        text = f"{counts['waiting']} waiting, {counts['sent']} sent, {counts['tickets']} tickets"
    except DecisionError as error:
        text, failing, faults = "not readable", [], [str(error)]
    # One system that is away fails everything that waits for it alike.
    problems = Counter([*faults, *failing])
    told = [f"{p} ({n} times)" if n > 1 else p for p, n in problems.most_common(5)]
    more = f"; {'; '.join(told)}" if told else ""
    return {"check": "tickets and notifications", "ok": not problems, "text": text + more,
            "hint": "see `secinbox deliver --dry-run`" if problems else ""}  # fmt: skip


def examine(facts: Facts, home: Path, clock: datetime, settings: Settings) -> dict[str, Any]:
    """{"version", "home", "counts", "checks": [{"check", "ok", "text", "hint"}]}"""
    counts = {
        table.split()[0]: facts.value(f"SELECT count(*) FROM {table}")
        for table in (
            "imports WHERE hash <> ''",
            "resources",
            "findings",
            "signals",
            "exploits",
            "issues",
        )
    }
    checks: list[dict[str, Any]] = []

    def check(name: str, ok: bool, text: str, hint: str = "") -> None:
        checks.append({"check": name, "ok": ok, "text": text, "hint": "" if ok else hint})

    gaps = feed_gaps(Assessment(facts, clock, settings))
    check(
        "exploit feeds", not gaps, "; ".join(gaps) or "all needed feeds are fresh",
        "run `secinbox intel sync`, or `secinbox intel import FILE` without a network",
    )  # fmt: skip
    failed = [
        f"{name} ({failure})"
        for name in (*RISKS, posture.NAME, paths.NAME)
        if (failure := facts.meta(f"failed:{name}"))
    ]
    check(
        "analyses", not failed, "; ".join(failed) or "all analyses finished",
        "what they did not reach is unknown; please report the fault with the resource's configuration",
    )  # fmt: skip
    ambiguous = facts.rows("SELECT ref, uids FROM ambiguous ORDER BY ref LIMIT 10")
    total = facts.value("SELECT count(*) FROM ambiguous")
    check(
        "ambiguous names", not total,
        f"{total} names lead to several resources and join none"
        + (": " + ", ".join(f"{r} ({len(u)})" for r, u in ambiguous) if ambiguous else ""),
        "import inventory that tells them apart, or a catalogue",
    )  # fmt: skip
    lost = facts.rows(
        """
        SELECT g.name, count(*) FROM signal_names g LEFT JOIN names n ON n.ref = g.name
        LEFT JOIN resources r ON r.uid = coalesce(n.uid, g.name)
        WHERE r.uid IS NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
        """
    )
    check(
        "signals that hit nothing known", not lost,
        ", ".join(f"{n} ({c})" for n, c in lost) or "every signal names a known resource",
        "import the inventory of the accounts and clusters they come from",
    )  # fmt: skip
    unnamed = facts.value("SELECT count(*) FROM resources WHERE uid LIKE 'unnamed:%'")
    check(
        "reports that do not say what was scanned", not unnamed, f"{unnamed} targets",
        "import them with --resource repo:host/owner/name, or list them in a catalogue file",
    )  # fmt: skip
    partial = facts.rows(
        "SELECT name, skipped FROM imports WHERE NOT complete ORDER BY id DESC LIMIT 10"
    )
    check(
        "reports read in part", not partial, ", ".join(n for n, _ in partial) or "none",
        "nothing was closed by them; see `secinbox import` for what was skipped",
    )  # fmt: skip
    from secinbox.iam.universe import UNIVERSE

    check("actions of AWS known", True, UNIVERSE.version())
    feeds = [
        {"feed": f, "released": r, "records": n}
        for f, r, n in facts.rows("SELECT feed, released, records FROM feeds ORDER BY feed")
    ]
    return {
        "version": __version__,
        "home": str(home),
        "counts": counts,
        "feeds": feeds,
        "checks": checks,
    }
