"""The world of the stored facts."""

from __future__ import annotations

from collections import defaultdict
from fnmatch import fnmatchcase

import msgspec

from secinbox.facts.store import Facts
from secinbox.paths import providers
from secinbox.paths.world import Alarm, Leak, Weakness, World
from secinbox.records import Evidence
from secinbox.risks import Assessment
from secinbox.sources._code import OPENS, digest

# Most useful weaknesses of one resource: the rest would open the same door.
_BEST = 12
_CODE = ("static_code_vulnerability", "runtime_code_vulnerability")
# Sensors that see what happens inside, not who knocks.
_ATTEMPTS = ("modsecurity", "suricata", "waf", "snort", "fail2ban", "cloudflare")
_POISON = (
    "dangerous-triggers", "template-injection", "pull_request_target", "pwn-request",
    "untrusted-checkout", "code-injection/critical", "CKV_GHA_3", "self-hosted-runner",
)  # fmt: skip

_EVIDENCE = msgspec.json.Decoder(list[Evidence])


def world_of(assessment: Assessment) -> World:
    """Inventory, exposure, weaknesses, leaks and signals, as the moves want them."""
    facts = assessment.facts
    return World(
        estate=assessment.estate,
        public=_public(facts),
        weaknesses=_weaknesses(facts),
        leaks=_leaks(facts, assessment.clock.date().isoformat()),
        alarms=_alarms(assessment),
        tops=dict(facts.rows("SELECT uid, top FROM tops")),
        crown=_declared(assessment),
        holders=_holders(facts),
        pipelines=_pipelines(facts),
        repositories=[r[0] for r in facts.rows(
            "SELECT uid FROM resources WHERE uid LIKE 'repo:%' ORDER BY uid")],
    )  # fmt: skip


def _declared(assessment: Assessment) -> dict[str, str]:
    """Crown jewels of the settings, by any name of theirs or a pattern of uids."""
    out: dict[str, str] = {}
    for wanted in assessment.settings.crown_jewels:
        found = assessment.estate.find(wanted)
        matched = [found.uid] if found is not None else [
            uid for uid in assessment.estate.items if fnmatchcase(uid, wanted)
        ]  # fmt: skip
        out.update(dict.fromkeys(matched, "is declared a crown jewel"))
    return out


def _public(facts: Facts) -> dict[str, list[Evidence]]:
    out: dict[str, list[Evidence]] = {}
    for uid, text in facts.rows(
        "SELECT subject, evidence FROM risk_values "
        "WHERE risk = 'public_accessibility' AND value = 1 ORDER BY subject"
    ):
        out[uid] = _EVIDENCE.decode(text or "[]")
    return out


# The fields of a Weakness, in order; long texts and vectors are in the leading statement.
_COLUMNS = """
    f.id, f.type, f.rule, f.title, f.severity, f.vulnerability, f.package,
    coalesce(nullif(f.fix, ''), f.fixed_version, '') AS fix,
    coalesce(nullif(s.vector, ''), v.vector, '') AS vector,
    coalesce(f.score, v.score) AS score, coalesce(v.maturity, 0) AS maturity,
    coalesce(v.epss, 0) AS epss, f.resource, f.tools, left(coalesce(s.description, ''), 500)
"""
_JOINS = """
    LEFT JOIN vulnerability_facts v ON v.vulnerability = f.vulnerability
    LEFT JOIN statements s ON s.id = f.lead
"""


def _weaknesses(facts: Facts) -> dict[str, list[Weakness]]:
    """By the resource on which they are live: the workload, not its image."""
    facts.con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE weak AS
        SELECT live, id FROM (
            SELECT coalesce(p.live, f.resource) AS live, f.id, f.type, f.severity,
                   coalesce(v.maturity, 0) AS maturity, coalesce(v.epss, 0) AS epss
            FROM findings f LEFT JOIN footprints p ON p.resource = f.resource
            LEFT JOIN vulnerability_facts v ON v.vulnerability = f.vulnerability
            WHERE f.status = 'open' AND f.type IN ('library_vulnerability',
              'container_image_vulnerability', 'host_vulnerability', 'static_code_vulnerability',
              'runtime_code_vulnerability')
              AND (f.severity >= 4 OR coalesce(v.maturity, 0) >= 2
                   OR (f.severity >= 3 AND f.type LIKE '%code%')))
        SEMI JOIN (SELECT uid FROM resources WHERE inventoried) r ON r.uid = live
        QUALIFY row_number() OVER (PARTITION BY live, type LIKE '%code%'
            ORDER BY maturity DESC, severity DESC, epss DESC, id) <= {_BEST}
        """
    )
    out: dict[str, list[Weakness]] = defaultdict(list)
    for live, *row in facts.rows(
        f"SELECT w.live, {_COLUMNS} FROM weak w JOIN findings f ON f.id = w.id {_JOINS} "
        "ORDER BY w.live, f.id"
    ):
        out[live].append(Weakness(*row))
    return dict(out)


def _holders(facts: Facts) -> dict[str, list[str]]:
    out: dict[str, list[str]] = defaultdict(list)
    for resource, live in facts.rows(
        "SELECT f.resource, f.live FROM footprints f SEMI JOIN "
        "(SELECT resource FROM findings WHERE type = 'secret' AND status = 'open') s "
        "ON s.resource = f.resource ORDER BY ALL"
    ):
        out[resource].append(live)
    return dict(out)


def _leaks(facts: Facts, today: str) -> list[Leak]:
    """Secrets whose hash is that of a key or account that the inventory knows, or whose scanner told
    beside them what they open.

    Scanners' secrets are kept as hashes only; a key's id is no secret, so its hash can be made.
    """
    keys = {digest(text): uid for text, uid in providers.keys(facts).items()}
    named = providers.told(facts)
    if not keys and not named:
        return []
    out: dict[tuple[str, str], Leak] = {}
    for finding, resource, location, title, anchor, verified, description in facts.rows(
        """
        SELECT s.finding, s.resource, s.location, s.title, s.anchor, s.verified, s.description
        FROM statements s
        SEMI JOIN findings f ON f.id = s.finding AND f.status = 'open'
        WHERE s.type = 'secret' AND s.closed IS NULL ORDER BY s.resource, s.location, s.finding
        """
    ):
        opens = keys.get(anchor.rpartition(":")[2].partition("#")[0])
        opens = opens or _named(named, description or "", today)
        if opens:
            out.setdefault(
                (resource, opens), Leak(finding, resource, location, title, opens, bool(verified))
            )
    return list(out.values())


def _named(named: dict[str, str], description: str, today: str) -> str:
    """What a secret opens that its scanner told by name; empty where nobody knows it, or it is over."""
    found = OPENS.search(description)
    if not found or (found.group(2) and found.group(2) < today):
        return ""
    name, _, container = found.group(1).partition("/")
    uid = named.get(name, "")
    return f"{uid}/blobservices/default/containers/{container}" if uid and container else uid


def _alarms(assessment: Assessment) -> list[Alarm]:
    days = assessment.settings.signal_days
    out = []
    for uid, id_, title, time in assessment.facts.rows(
        f"""
        SELECT coalesce(t.top, n.uid, g.name) AS uid, min(s.id), min(s.title), max(s.time)
        FROM signal_names g JOIN signals s ON s.id = g.id
        LEFT JOIN names n ON n.ref = g.name
        LEFT JOIN tops t ON t.uid = coalesce(n.uid, g.name)
        JOIN resources r ON r.uid = coalesce(t.top, n.uid, g.name) AND r.inventoried
        WHERE s.severity >= 4 AND s.time > ?::TIMESTAMP - INTERVAL {int(days)} DAY AND s.time <= ?
          AND NOT list_contains(?, lower(s.tool))
        GROUP BY 1 ORDER BY 1
        """,
        [assessment.clock, assessment.clock, list(_ATTEMPTS)],
    ):
        out.append(Alarm(id_, uid, title, time.isoformat()))
    return out


def _pipelines(facts: Facts) -> list[Weakness]:
    words = " OR ".join(["f.rule ILIKE ?"] * len(_POISON))
    return [
        Weakness(*row)
        for row in facts.rows(
            f"SELECT {_COLUMNS} FROM findings f {_JOINS} "
            f"WHERE f.status = 'open' AND f.resource LIKE 'repo:%' AND ({words}) ORDER BY f.id",
            [f"%{w}%" for w in _POISON],
        )
    ]
