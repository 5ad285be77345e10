"""Who can make itself administrator: the least fixpoint over all moves, with the way there.

Edges are computed once a principal (in each state that it can bring itself into), then searched
backwards from the administrators. Changing somebody else's permissions counts for those who can
become that somebody (both halves), whoever of the identities under control does the change.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, product

from secinbox.estate import Estate
from secinbox.iam.births import Births
from secinbox.iam.bits import write_bits
from secinbox.iam.changes import Change, Changes
from secinbox.iam.evaluate import Answer, Evaluator
from secinbox.iam.moves import Edge, Moves
from secinbox.iam.needs import doubt_of
from secinbox.iam.policy import Statement
from secinbox.iam.sessions import Handed, handed_out
from secinbox.iam.tagging import words_of
from secinbox.iam.things import Things
from secinbox.iam.world import Persona, Principal, World
from secinbox.records import Evidence


@dataclass(frozen=True)
class Step:
    """One move between two identities; usable as an edge of an attack graph."""

    source: str
    target: str
    move: str
    sentence: str
    certain: bool = True
    evidence: tuple[Evidence, ...] = ()
    via: str = ""


@dataclass
class Way:
    """How a principal gets to an administrator. `account` is the one that it then controls."""

    steps: list[Step] = field(default_factory=list)
    account: str = ""
    certain: bool = True
    doubts: tuple[str, ...] = ()


class Escalation:
    """All answers for one estate."""

    def __init__(self, estate: Estate, evaluator: Evaluator | None = None) -> None:
        self.world: World = evaluator.world if evaluator else World(estate)
        self.evaluator = evaluator or Evaluator(self.world)
        self.moves = Moves(self.world, self.evaluator, Things(self.world))
        self.changes = Changes(self.moves)
        self.births = Births(self.changes)
        self.admins: dict[str, Answer] = {}
        self.self_made: dict[str, Change] = {}  # makes itself administrator by its own changes
        self.edges: dict[str, list[Edge]] = {}
        self._states: dict[str, list[Change]] = {}
        # What AWS hands out by itself, by its giver.
        self.handed: dict[str, tuple[Handed, ...]] = handed_out(self.world, self.moves.trusts)
        self.moves.handed = self.handed
        # Everyone who acts, by name: principals, and sessions that may do something else.
        self.personas: dict[str, Persona] = {
            arn: principal.persona for arn, principal in self.world.principals.items()
        }
        for arn, principal in self.world.principals.items():
            self._look_at(arn, principal)
        given = frozenset(self._handed_sessions())
        self.sessions = given | frozenset(self._tagged_sessions())
        self._graph()

    def _look_at(self, arn: str, principal: Principal) -> None:
        found = self.moves.administrator(principal.persona)
        if found.value != "no" and principal.gaps and found.value == "yes":
            # A policy that was not read could deny; it seldom does, and the grant is plain.
            found = Answer(found.value, found.statements, found.doubts)
        self.admins[arn] = found
        if found.value == "yes":
            self.edges[arn] = []
            return
        states: list[Change] = []
        tagged = self._by_tags(principal) if not principal.service_linked else None
        if tagged is not None:
            self.self_made[arn] = tagged
        settled = tagged is not None and tagged.certain
        if not settled and not principal.service_linked and self.changes.writes(principal.persona):
            for change in self.changes.states(principal, ()):
                states.append(change)
                if change.certain and self.moves.administrator(change.persona).value == "yes":
                    self.self_made[arn] = change
                    break
                if (
                    not change.certain
                    and arn not in self.self_made
                    and (self.moves.administrator(change.persona).value == "yes")
                ):
                    self.self_made[arn] = change
        self._states[arn] = states
        made = self.self_made.get(arn)
        if not principal.service_linked and (made is None or not made.certain):
            self._bears(arn, principal, states)
        edges = self.moves.edges(principal.persona)
        for change in states:
            known = {(e.target, e.move) for e in edges}
            edges += [
                e for e in self.moves.edges(change.persona) if (e.target, e.move) not in known
            ]
        self.edges[arn] = [e if e.source == arn else replace(e, source=arn) for e in edges]

    def _bears(self, arn: str, principal: Principal, states: list[Change]) -> None:
        """Administrator by an identity that it makes, as it is or after its own changes."""
        for before in (None, *states):
            persona = principal.persona if before is None else before.persona
            found = self.births.administrator(persona)
            if found is None:
                continue
            found = replace(
                found, before=before, certain=found.certain and (before is None or before.certain)
            )
            if found.certain or arn not in self.self_made:
                self.self_made[arn] = found
            if found.certain:
                return

    def _by_tags(self, principal: Principal) -> Change | None:
        """Administrator once it has rewritten tags that its own policies look at."""
        persona = principal.persona
        found = self.moves.administrator(persona, after=True)
        words = words_of(found.statements)
        if found.value == "no" or not words:
            return None
        text = f"{words}, which makes it administrator"
        return Change(persona, persona.arn, "iam-025", text, found.statements, found.value == "yes")

    # Sessions that something hands out

    def _handed_sessions(self) -> Iterator[str]:
        """Nodes of their own: the role's policies, cut or looked at with other tags."""
        for every in self.handed.values():
            for handed in every:
                if handed.own and handed.persona is not None and handed.let is not False:
                    principal = self.world.principals[handed.role]
                    self.personas[handed.node] = handed.persona
                    self._look_at(handed.node, replace(principal, persona=handed.persona))
                    if handed.to in self.edges:
                        text = "is granted by S3 Access Grants the data of a session of"
                        self.edges[handed.to].append(Edge(
                            handed.to, handed.node, "s3-access-grant", text, (), handed.let is True,
                            handed.why, handed.giver))  # fmt: skip
                    yield handed.node

    # Sessions with tags

    def _tagged_sessions(self) -> Iterator[str]:
        """Roles as somebody may assume them with tags that policies look at, as nodes of their own.

        What such a session may do more is only for those who may give it the tags.
        """
        for role in self.world.roles():
            wanted = self._tags_that_matter(role)
            callers = self._callers(role.arn) if wanted else []
            for tags in wanted if callers else ():
                persona = replace(role.persona, session_tags=tags)
                admin = self.moves.administrator(persona)
                known = {(e.target, e.move) for e in self.edges[role.arn]}
                more = [e for e in self.moves.edges(persona) if (e.target, e.move) not in known]
                if self.admins[role.arn].value == "yes":
                    continue
                raised = self._raises_itself(replace(role, persona=persona))
                if admin.value == "no" and not more and raised is None:
                    continue
                told = " and ".join(f"{k}={v}" for k, v in tags)
                name = f"{role.arn} (session tag {told})"
                entered = [e for c in callers if (e := self._tags(c, role, tags, name)) is not None]
                if entered:
                    self.admins[name] = admin
                    self.edges[name] = [replace(e, source=name) for e in more]
                    if raised is not None:
                        self.self_made[name] = raised
                    for edge in entered:
                        self.edges[edge.source].append(edge)
                    yield name

    def _raises_itself(self, principal: Principal) -> Change | None:
        """The surest change of its own by which a session is administrator."""
        if not self.changes.writes(principal.persona) or principal.arn in self.self_made:
            return None
        maybe: Change | None = None
        for change in self.changes.states(principal, ()):
            if self.moves.administrator(change.persona).value == "yes":
                if change.certain:
                    return change
                maybe = maybe or change
        return maybe

    def _callers(self, role: str) -> list[str]:
        hubs = {h for h, members in self.moves.hubs.items() if role in members}
        return sorted(
            arn for arn, edges in self.edges.items()
            if any(e.move == "sts-001" and (e.target == role or e.target in hubs) for e in edges)
        )  # fmt: skip

    def _tags(self, caller: str, role: Principal, tags: tuple[tuple[str, str], ...], name: str
              ) -> Edge | None:  # fmt: skip
        persona = self.world.principals[caller].persona
        found = self.moves.trusts.tag_session(persona, role, dict(tags))
        if found.value == "no":
            return None
        into = self.moves.trusts.assume(persona, role)
        certain = found.value == into.value == "yes"
        return Edge(caller, name, "sts-002", "assumes", (*into.statements, *found.statements),
                    certain, doubt_of(found) or doubt_of(into))  # fmt: skip

    def _tags_that_matter(self, role: Principal) -> list[tuple[tuple[str, str], ...]]:
        """Values of tags of principals that its own policies, or trusts that let it in, ask for."""
        speaking = [s for source in role.persona.sources for s in source.policy.statements]
        trusts = self.moves.trusts
        into = trusts.direct.get(role.arn, set()) | trusts.by_account.get(role.account, set())
        for arn in sorted(into if role.trust is not None else ()):
            trust = self.world.principals[arn].trust
            speaking += trust.statements if trust else ()
        found: dict[str, dict[str, None]] = {}
        for statement in speaking:
            for _, key, values in statement.conditions:
                prefix, _, tag = key.partition("aws:principaltag/")
                if tag and not prefix:
                    plain = [v for v in values if "${" not in v]
                    found.setdefault(tag, {}).update(
                        (v.replace("*", "x").replace("?", "x"), None) for v in plain
                    )
        have = {k.lower(): v for k, v in role.tags.items()}
        choices = [
            [(k, v) for v in list(values)[:4] if have.get(k) != v] for k, values in found.items()
        ]
        return list(islice(product(*(c for c in choices if c)), 8)) if any(choices) else []

    # Search

    def _graph(self) -> None:
        self._next: dict[bool, dict[str, Edge | None]] = {}
        self.by_others: dict[str, tuple[list[Change], str]] = {}
        for certain in (True, False):
            goals = self._goals(certain)
            reach = self._backwards(goals, certain)
            while True:
                found = self._with_both_halves(reach, certain)
                if not found:
                    break
                goals |= found
                reach = self._backwards(goals, certain)
            self._next[certain] = reach

    def _goals(self, certain: bool) -> set[str]:
        goals = {a for a, found in self.admins.items() if found.value == "yes"}
        goals |= {a for a, c in self.self_made.items() if c.certain or not certain}
        if not certain:
            goals |= {a for a, found in self.admins.items() if found.value == "unknown"}
        goals |= set(self.by_others)
        return goals

    def _backwards(self, goals: set[str], certain: bool) -> dict[str, Edge | None]:
        """For each node the edge that leads nearer to a goal; None at a goal."""
        into: dict[str, list[Edge]] = defaultdict(list)
        for edges in self.edges.values():
            for edge in edges:
                if edge.certain or not certain:
                    into[edge.target].append(edge)
        hubs_of: dict[str, list[str]] = defaultdict(list)
        for hub, members in self.moves.hubs.items():
            for member in members:
                hubs_of[member].append(hub)
        way: dict[str, Edge | None] = dict.fromkeys(sorted(goals))
        self._through: dict[str, str] = {}
        queue = deque(sorted(goals))
        hot: set[str] = set()
        while queue:
            node = queue.popleft()
            for edge in into.get(node, ()):
                if edge.source not in way:
                    way[edge.source] = edge
                    queue.append(edge.source)
            for hub in hubs_of.get(node, ()):
                if hub in hot:
                    continue
                hot.add(hub)
                for edge in into.get(hub, ()):
                    if edge.source not in way:
                        way[edge.source] = Edge(edge.source, node, edge.move, edge.text,
                                                edge.statements, edge.certain, edge.doubt, edge.via)  # fmt: skip
                        queue.append(edge.source)
        return way

    def reachable(self, arn: str, certain: bool = True) -> dict[str, Edge]:
        """Identities under control from here, each with the edge that led to it."""
        out: dict[str, Edge] = {}
        queue = deque([arn])
        seen = {arn}
        while queue:
            for edge in self.edges.get(queue.popleft(), ()):
                if certain and not edge.certain:
                    continue
                for target in sorted(self.moves.hubs.get(edge.target, (edge.target,))):
                    known = target in self.world.principals or target in self.sessions
                    if target not in seen and known:
                        seen.add(target)
                        out[target] = Edge(edge.source, target, edge.move, edge.text, edge.statements,
                                           edge.certain, edge.doubt, edge.via)  # fmt: skip
                        queue.append(target)
        return out

    def _with_both_halves(self, reach: dict[str, Edge | None], certain: bool) -> set[str]:
        """Write another's permissions, and become that other: neither half alone is enough."""
        writers = {
            a for a, p in self.world.principals.items()
            if a not in reach and not p.service_linked
            and any(self.changes.writes(s) for s in self._acting(a, certain))
        }  # fmt: skip
        if not writers:
            return set()
        starts = {a for a in self._sources_of(writers, certain) if a not in reach}
        found: set[str] = set()
        for arn in sorted(starts):
            if arn in self.by_others:
                continue
            under = self.reachable(arn, certain)
            actors = [
                p for a in (arn, *sorted(under)) if a in writers for p in self._acting(a, certain)
            ]
            if not actors:
                continue
            for target in (arn, *sorted(under)):
                if target in self.sessions:  # what is written is written for the role
                    continue
                change = self._improved(target, actors, reach, certain)
                if change is not None:
                    self.by_others[arn] = (_chain(change), target)
                    found.add(arn)
                    break
        return found

    def _acting(self, arn: str, certain: bool) -> list[Persona]:
        """A principal as it is, and once for each right to change others that it can give itself."""
        out = [self.world.principals[arn].persona]
        lacks = write_bits() & ~self.moves.mask(out[0])
        for change in self._states.get(arn, ()):
            gains = self.moves.mask(change.persona) & lacks
            if gains and (change.certain or not certain):
                lacks &= ~gains
                out.append(change.persona)
        return out

    def _improved(self, target: str, actors: list[Persona], reach: dict[str, Edge | None],
                  certain: bool) -> Change | None:  # fmt: skip
        principal = self.world.principals[target]
        others = [a for a in actors if a.arn != target]
        if not others:
            return None
        for change in self.changes.states(principal, others):
            if certain and not change.certain:
                continue
            if self.moves.administrator(change.persona).value == "yes":
                return change
            for edge in self.moves.edges(change.persona):
                if certain and not edge.certain:
                    continue
                members = self.moves.hubs.get(edge.target, frozenset((edge.target,)))
                if any(m in reach for m in members):
                    return change
        return None

    def raised(self, target: str, actor: str) -> Change | None:
        """What one identity does so that another is administrator; who has only one of them is not."""
        maybe: Change | None = None
        for change in self.changes.states(
            self.world.principals[target], [self.world.principals[actor].persona]
        ):
            if self.moves.administrator(change.persona).value == "yes":
                if change.certain:
                    return change
                maybe = maybe or change
        return maybe

    def _sources_of(self, nodes: Iterable[str], certain: bool) -> set[str]:
        """Everyone who can become one of these, themselves included."""
        return set(self._backwards(set(nodes), certain))

    # Answers

    def way(self, arn: str) -> Way | None:
        """How this principal becomes administrator; None when it cannot (or already is)."""
        if self.admins[arn].value == "yes":
            return None
        for certain in (True, False):
            if arn in self._next[certain]:
                found = self._follow(arn, certain)
                if found is not None:
                    return found
        return None

    def _follow(self, arn: str, certain: bool) -> Way | None:
        steps: list[Step] = []
        node, doubts, seen = arn, [], {arn}
        while True:
            edge = self._next[certain].get(node)
            if edge is None:
                break
            steps.append(_step(edge))
            if edge.doubt:
                doubts.append(edge.doubt)
            node = edge.target
            if node in seen:
                return None
            seen.add(node)
        if self.admins[node].value == "unknown" and node not in self.self_made:
            doubts += self.admins[node].doubts
        if node in self.self_made:
            chain = _chain(self.self_made[node])
            steps += [_change_step(c, node) for c in chain]
            if not self.self_made[node].certain:
                doubts.append("a condition that is not known")
        elif self.admins[node].value == "no" and node in self.by_others:
            chain, target = self.by_others[node]
            steps += [_change_step(c, target) for c in chain]
            steps += self._to(node, target, certain)
            node = target
        account = node.split(":")[4]
        sure = certain and self.admins[node].value != "unknown"
        if node in self.self_made and not self.self_made[node].certain:
            sure = False
        return Way(steps, account, sure, tuple(dict.fromkeys(d for d in doubts if d)))

    def _to(self, start: str, target: str, certain: bool) -> list[Step]:
        if start == target:
            return []
        tree = self.reachable(start, certain)
        out: list[Step] = []
        node = target
        while node != start and node in tree:
            out.append(_step(tree[node]))
            node = tree[node].source
        return out[::-1]


def escalation_of(estate: Estate) -> Escalation:
    """The answers for an estate, computed once for all who ask."""
    return estate.once("escalation", lambda: Escalation(estate))


def _chain(change: Change) -> list[Change]:
    out: list[Change] = []
    current: Change | None = change
    while current is not None:
        out.append(current)
        current = current.before
    return out[::-1]


def _statements(statements: tuple[Statement, ...], source: str) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(kind="policy", text=s.text, source=source)
        for s in {id(s): s for s in statements}.values()
    )


def _short(arn: str) -> str:
    return arn.split(":", 5)[-1]


def _step(edge: Edge) -> Step:
    sentence = f"{_short(edge.source)} {edge.text} {_short(edge.target)} ({edge.move})"
    return Step(edge.source, edge.target, edge.move, sentence, edge.certain,
                _statements(edge.statements, edge.source), edge.via)  # fmt: skip


def _change_step(change: Change, target: str) -> Step:
    sentence = f"{_short(change.actor)} {change.text} ({change.move})"
    return Step(change.actor, target, change.move, sentence, change.certain,
                _statements(change.statements, change.actor))  # fmt: skip


def edge_steps(escalation: Escalation) -> list[Step]:
    """Each edge once; a hub stands for all its members (see `Moves.hubs`)."""
    out: list[Step] = []
    for arn in sorted(escalation.edges):
        for edge in escalation.edges[arn]:
            if edge.target in escalation.moves.hubs:
                out.append(Step(arn, edge.target, edge.move, f"{_short(arn)} {edge.text}",
                                edge.certain, _statements(edge.statements, arn), edge.via))  # fmt: skip
            elif edge.target != arn:
                out.append(_step(edge))
    return out


def raising_steps(escalation: Escalation, target: str, actor: str) -> list[Step]:
    """The changes of `raised` in order; none where there are none."""
    change = escalation.raised(target, actor)
    return [] if change is None else [_change_step(c, target) for c in _chain(change)]


def change_steps(escalation: Escalation) -> list[tuple[str, list[Step]]]:
    """(identity, changes) of everyone who becomes administrator by rewriting permissions."""
    out = [
        (arn, [_change_step(c, arn) for c in _chain(change)])
        for arn, change in sorted(escalation.self_made.items())
    ]
    for arn in sorted(escalation.by_others):
        way = escalation.way(arn)
        if way is not None and way.steps:
            out.append((arn, way.steps))
    return out


def steps_of(escalation: Escalation) -> list[Step]:
    """Each edge between two principals, and each change that makes one administrator."""
    out: list[Step] = []
    hubs = escalation.moves.hubs
    for arn in sorted(escalation.edges):
        for edge in escalation.edges[arn]:
            for target in sorted(hubs.get(edge.target, (edge.target,))):
                if target != arn:
                    out.append(_step(Edge(arn, target, edge.move, edge.text, edge.statements,
                                          edge.certain, edge.doubt, edge.via)))  # fmt: skip
    for arn, change in sorted(escalation.self_made.items()):
        out += [_change_step(c, arn) for c in _chain(change)]
    for _, (chain, target) in sorted(escalation.by_others.items()):
        out += [_change_step(c, target) for c in chain]
    return out
