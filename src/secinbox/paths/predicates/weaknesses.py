"""Getting in: known vulnerabilities, flaws in own code, and what runs already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.predicates.exposure import connects
from secinbox.paths.world import Weakness, World
from secinbox.records import Evidence

# -log of the weight of success: active exploitation, a weaponised exploit, a proof of concept, none
_BY_MATURITY = {3: 0.1, 2: 0.35, 1: 0.7, 0: 1.6}
_WORD = {3: "active", 2: "weaponised", 1: "poc", 0: "known"}
# Weaknesses in code by what they give (CWE): running code, requests from inside.
_EXEC_CWE = frozenset({"77", "78", "94", "95", "96", "98", "434", "502", "917", "1336", "913"})
_SSRF_CWE = frozenset({"918"})
_EXEC_WORDS = re.compile(
    r"command.?injection|code.?injection|os.?command|remote code|\brce\b|deseriali[sz]|"
    r"\beval\b|template.?injection|shell.?(true|injection)|pickle|yaml.?load|exec.?(used|detected)"
    r"|unrestricted.?(file.?)?upload", re.I
)  # fmt: skip
_SSRF_WORDS = re.compile(r"\bssrf\b|server.?side.?request|request.?forgery.*server", re.I)


@cache
def remote(vector: str) -> bool | None:
    """Over the network, without privileges or a user's help; None where no vector says it."""
    parts = dict(p.split(":", 1) for p in vector.split("/") if ":" in p)
    if not parts:
        return None
    if "Au" in parts:  # CVSS 2
        return parts.get("AV") == "N" and parts["Au"] == "N"
    return parts.get("AV") == "N" and parts.get("PR") == "N" and parts.get("UI", "N") == "N"


@cache
def takes_over(vector: str) -> bool | None:
    """Integrity is lost whole: what running code on it needs; None without a vector."""
    parts = dict(p.split(":", 1) for p in vector.split("/") if ":" in p)
    impact = parts.get("VI") or parts.get("I")
    return None if impact is None else impact in ("H", "C", "P" if "Au" in parts else "C")


def exploitable(weakness: Weakness) -> bool:
    """A vulnerability that gives code execution to whoever can connect."""
    if not weakness.vulnerability:
        return False
    far, whole = remote(weakness.vector), takes_over(weakness.vector)
    if far is None or whole is None:
        return weakness.severity >= 5 or (weakness.severity >= 4 and weakness.maturity >= 2)
    return far and whole and (weakness.severity >= 4 or weakness.maturity >= 2)


def _cost(weakness: Weakness) -> float:
    from math import log

    by_score = -log(max(weakness.epss, 0.01))
    return min(_BY_MATURITY[weakness.maturity], by_score)


def _upgrade(weakness: Weakness, world: World) -> Action:
    what = weakness.package or weakness.vulnerability or weakness.title
    to = f" to {weakness.fix}" if weakness.fix else ""
    verb = "Upgrade" if weakness.fix else "Fix"
    return Action(f"weakness:{weakness.package or weakness.rule}@{weakness.resource}",
                  f"{verb} {what}{to} in {world.label(weakness.resource)}",
                  weakness.resource, (weakness.finding,))  # fmt: skip


def _shown(weakness: Weakness) -> Evidence:
    name = weakness.vulnerability or weakness.title
    where = f" in {weakness.package}" if weakness.package else ""
    return Evidence(kind="finding", text=f"{name}{where} ({weakness.tools})",
                    source=weakness.finding, maturity=_WORD[weakness.maturity])  # fmt: skip


@pairs
def known_vulnerability(world: World) -> Iterator[Pair]:
    """A vulnerability that a client can use, on what it can connect to."""
    for uid in sorted(world.weaknesses):
        found = [w for w in world.weaknesses[uid] if exploitable(w)]
        if not found:
            continue
        found.sort(key=lambda w: (_cost(w), w.finding))
        best = found[0]
        # A package of the operating system may never be loaded by what listens.
        idle = best.type in ("container_image_vulnerability", "host_vulnerability")
        doubt = ""
        if idle and best.maturity < 2:
            doubt = f"whether what listens uses {best.package or 'the vulnerable package'}"
        yield Pair(uid, uid, detail=f"{best.vulnerability} in {best.package or 'it'}", doubt=doubt,
                   cost=_cost(best) + (0.7 if doubt else 0.0), exploit=_WORD[best.maturity],
                   evidence=tuple(_shown(w) for w in found[:3]),
                   actions=(_fix_all(found, world),),
                   resources=tuple(dict.fromkeys(w.resource for w in found[:3])))  # fmt: skip


def _fix_all(found: list[Weakness], world: World) -> Action:
    """One thing to do when one upgrade closes the step; else all of them together."""
    actions = {a.key: a for a in (_upgrade(w, world) for w in found)}
    if len(actions) == 1:
        only = next(iter(actions.values()))
        return Action(only.key, only.title, only.resource, tuple(w.finding for w in found))
    first = next(iter(actions.values()))
    return Action("weaknesses:" + "+".join(sorted(actions)),
                  f"{first.title}, and {len(actions) - 1} more fixes", first.resource,
                  tuple(w.finding for w in found), float(len(actions)))  # fmt: skip


@pairs
def flaw_in_code(world: World) -> Iterator[Pair]:
    """A static or runtime finding in the code that gives code execution."""
    yield from _code(world, _EXEC_CWE, _EXEC_WORDS)


@pairs
def request_forgery(world: World) -> Iterator[Pair]:
    """A static or runtime finding that makes the service send the attacker's requests."""
    yield from _code(world, _SSRF_CWE, _SSRF_WORDS)


def flawed(weakness: Weakness) -> bool:
    """A flaw in own code that gives code execution."""
    return (
        weakness.type in ("static_code_vulnerability", "runtime_code_vulnerability")
        and weakness.severity >= 3
        and _gives(weakness, _EXEC_CWE, _EXEC_WORDS)
    )


def _gives(weakness: Weakness, cwes: frozenset[str], words: re.Pattern[str]) -> bool:
    text = f"{weakness.rule} {weakness.title} {weakness.description[:400]}"
    named = set(re.findall(r"CWE-0*(\d+)", text, re.I))
    return bool(named & cwes or words.search(f"{weakness.rule} {weakness.title}"))


def _code(world: World, cwes: frozenset[str], words: re.Pattern[str]) -> Iterator[Pair]:
    for uid in sorted(world.weaknesses):
        for weakness in world.weaknesses[uid]:
            if weakness.type not in ("static_code_vulnerability", "runtime_code_vulnerability"):
                continue
            if weakness.severity < 3 or not _gives(weakness, cwes, words):
                continue
            sure = weakness.type == "runtime_code_vulnerability"
            doubt = "" if sure else "whether a request reaches this code"
            yield Pair(uid, uid, detail=weakness.title, doubt=doubt,
                       cost=0.5 if sure else 1.2, exploit="known", evidence=(_shown(weakness),),
                       actions=(_upgrade(weakness, world),),
                       resources=(weakness.resource,))  # fmt: skip


@lasting
@pairs
def service_that_answers(world: World) -> Iterator[Pair]:
    """Anything that clients can talk to and that runs code of somebody's."""
    for uid, item in sorted(world.estate.items.items()):
        if world.top(uid) == uid and connects(item) and runs_code(item.type):
            yield Pair(uid, uid, exploit="unknown")


_NO_CODE = (
    "load_balancer", "loadbalancer", "rest_api", "_api", "distribution", "rds_instance",
    "rds_cluster", "redshift_cluster", "eks_cluster", "elasticache_cluster", "docdb_cluster",
    "service_ingress", "kubernetes_service", "kubernetes_ingress", "kubernetes_gateway",
    "kubernetes_node", "sql_server", "sql_instance", "container_cluster", "managed_cluster",
    "loadbalancers", "applicationgateways", "managedclusters", "sql_servers", "flexibleservers",
    "forwarding_rule", "application_gateway", "msk_cluster", "mq_broker", "_accelerator",
    "_relationaldatabase",
)  # fmt: skip


def runs_code(kind: str) -> bool:
    """Whether its owner's code runs on things of this type."""
    return not kind.endswith(_NO_CODE)


@pairs
def running_intruder(world: World) -> Iterator[Pair]:
    """A sensor saw something run that should not."""
    for alarm in world.alarms:
        evidence = Evidence(kind="signal", text=alarm.title, source=alarm.id, date=alarm.time)
        yield Pair(f"signal:{alarm.id}", alarm.resource, detail=alarm.title, evidence=(evidence,),
                   actions=(Action(f"signal:{alarm.id}", f"Investigate: {alarm.title}",
                                   alarm.resource, effort=2.0),))  # fmt: skip


@pairs
def malicious_package(world: World) -> Iterator[Pair]:
    """A package known to be malware is part of what runs."""
    for uid in sorted(world.weaknesses):
        for weakness in world.weaknesses[uid]:
            if weakness.vulnerability.startswith("MAL-"):
                yield Pair(f"package:{weakness.package}", uid, detail=weakness.package,
                           evidence=(_shown(weakness),), exploit="active",
                           actions=(_upgrade(weakness, world),),
                           resources=(weakness.resource,))  # fmt: skip
