"""Who takes a role on, and from where: identities that were read, and whom its trust names besides.

Inside the estate both halves of sts:AssumeRole count (the trust, and what the caller may do itself), as in
the moves; of anybody else only the trust is known. Administrators of the account are left out: they
write the trust.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from secinbox.iam.escalation import Escalation
from secinbox.iam.policy import Statement, condition_text
from secinbox.iam.world import Principal

_MOVE = "sts-001"
_MAX_NAMED = 4


class Takers:
    """Answers for one estate; sets of callers that many roles have in common are looked at once."""

    def __init__(self, escalation: Escalation) -> None:
        self._escalation = escalation
        self._direct: dict[tuple[str, bool], set[str]] = defaultdict(set)
        self._by_hub: dict[tuple[str, bool], set[str]] = defaultdict(set)
        hubs = escalation.moves.hubs
        for source, edges in escalation.edges.items():
            if source not in escalation.world.principals:
                continue
            for edge in edges:
                if edge.move == _MOVE:
                    into = self._by_hub if edge.target in hubs else self._direct
                    into[edge.target, edge.certain].add(source)
        self._hubs_of: dict[str, list[str]] = defaultdict(list)
        for hub in sorted({h for h, _ in self._by_hub}):
            for role in hubs[hub]:
                self._hubs_of[role].append(hub)
        self._led = {
            a.split(":")[4] for a, found in escalation.admins.items() if found.value == "yes"
        }
        self._joined: dict[tuple[tuple[str, ...], bool], frozenset[str]] = {}

    def words(self, role: Principal) -> str:
        """In one line: "taken on by role a, service ec2.amazonaws.com"."""
        if role.trust is None:
            return "who takes it on: its trust policy was not read"
        sure = self._callers(role.arn, True)
        found = self._listed(sure - {role.arn}, role.account)
        perhaps = self._callers(role.arn, False) - sure - {role.arn}
        if perhaps:
            found.append(f"perhaps {' and '.join(self._listed(perhaps, role.account))}")
        found += dict.fromkeys(self._others(role))
        if not found:
            return "taken on by nobody but administrators"
        return f"taken on by {', '.join(found)}"

    def _callers(self, role: str, certain: bool) -> frozenset[str]:
        hubs = tuple(h for h in self._hubs_of.get(role, ()) if (h, certain) in self._by_hub)
        key = (hubs, certain)
        if key not in self._joined:
            self._joined[key] = frozenset().union(*(self._by_hub[h, certain] for h in hubs))
        own = self._direct.get((role, certain))
        return self._joined[key] | own if own else self._joined[key]

    def _listed(self, callers: frozenset[str], account: str) -> list[str]:
        named = sorted(callers)[:_MAX_NAMED]
        out = [_named(arn, account) for arn in named]
        more = len(callers) - len(named)
        return [*out, f"{more} more identities"] if more > 0 else out

    def _others(self, role: Principal) -> Iterator[str]:
        """Whom the trust names that the inventory does not hold."""
        world = self._escalation.world
        for statement in role.trust.statements if role.trust else ():
            if statement.effect == "broken":
                yield "somebody whom an unreadable statement names"
            if statement.effect != "Allow":
                continue
            if statement.not_principals is not None:
                yield f"everybody but {_short([v for _, v in statement.not_principals])}"
            for kind, value in statement.principals or ():
                limits = _limits(statement)
                if kind == "Service":
                    yield f"service {value}{limits}"
                elif kind == "Federated":
                    yield f"{value.rpartition(':')[2]}{limits}"
                elif value == "*":
                    yield f"anybody{limits or ' of AWS'}"
                elif value.isdigit() or value.endswith(":root"):
                    number = value if value.isdigit() else value.split(":")[4]
                    if number not in world.accounts:
                        yield f"account {number}, which was not read{limits}"
                    elif number != role.account and number in self._led:
                        yield f"administrators of account {number}{limits}"
                elif value not in world.principals and not _of_known(value, world.accounts):
                    yield f"{value}, which was not read{limits}"


def _of_known(value: str, accounts: list[str]) -> bool:
    """An identity of an account that was read: it is among the callers, or it is gone."""
    parts = value.split(":")
    return len(parts) > 4 and parts[4] in accounts


def _named(arn: str, account: str) -> str:
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    where = arn.split(":")[4]
    return f"{kind} {name.rpartition('/')[2]}{'' if where == account else f' of account {where}'}"


def _limits(statement: Statement) -> str:
    told = [condition_text(c) for c in statement.conditions]
    return f" (if {' and '.join(told)})" if told else ""


def _short(values: list[str]) -> str:
    more = f" and {len(values) - 2} more" if len(values) > 2 else ""
    return ", ".join(values[:2]) + more
