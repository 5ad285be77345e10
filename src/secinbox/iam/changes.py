"""How principals' permissions can be rewritten: by themselves, or by others on their behalf.

P1, P2 and P7 of the archetypes: write a policy, attach one, make a new version, switch versions,
join a group, take away the boundary, delete the policy that denies. Each change gives the principal
in a new state; whether that helps is asked of the new state, so boundaries, organisation policies
and remaining denies still count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from secinbox.iam.bits import write_bits
from secinbox.iam.evaluate import Answer
from secinbox.iam.layers import new_names
from secinbox.iam.moves import Moves
from secinbox.iam.needs import joined
from secinbox.iam.policy import Policy, Statement
from secinbox.iam.request import Values
from secinbox.iam.tagging import words_of
from secinbox.iam.world import ALLOW_ALL, Persona, Principal, Source

MANAGED = "arn:aws:iam::aws:policy/"
_MAX_STATES = 48
_MAX_VERSIONS = 5


@dataclass(frozen=True, eq=False)
class Change:
    """`persona` is the principal after it; `actor` is who did it."""

    persona: Persona
    actor: str
    move: str
    text: str
    statements: tuple[Statement, ...]
    certain: bool
    before: Change | None = None


class Changes:
    """States of principals that some actors can bring about."""

    def __init__(self, moves: Moves) -> None:
        self.moves = moves
        self.world = moves.world
        self.evaluator = moves.evaluator
        self.givers = cache(self._givers_of)

    def writes(self, persona: Persona) -> bool:
        """Has any right to change what somebody may do."""
        return bool(self.moves.mask(persona) & write_bits())

    def states(self, target: Principal, actors: Iterable[Persona]) -> Iterator[Change]:
        """States of the target, nearest first; the target acts too, with what it has by then."""
        others = [a for a in actors if a.arn != target.arn and self.writes(a)]
        start = target.persona
        seen = {_key(start)}
        queue: deque[tuple[Persona, Change | None]] = deque([(start, None)])
        while queue and len(seen) < _MAX_STATES:
            persona, before = queue.popleft()
            own = [persona] if self.writes(persona) else []
            for change in self._changes(target, persona, [*own, *others], before):
                key = _key(change.persona)
                if key in seen:
                    continue
                seen.add(key)
                yield change
                queue.append((change.persona, change))

    # One change

    def _changes(self, target: Principal, persona: Persona, actors: list[Persona],
                 before: Change | None) -> Iterator[Change]:  # fmt: skip
        if target.service_linked or not actors:
            return
        yield from self._above(target, persona, actors, before)
        if target.reserved:
            return
        word = target.kind
        yield from self._grants(target, persona, actors, word, before)
        yield from self._versions(persona, actors, before)
        if word == "user":
            yield from self._joins(target, persona, actors, before)
        yield from self._lifts(target, persona, actors, word, before)

    def _made(self, found: tuple[Persona, Answer] | None, persona: Persona, move: str, text: str,
              before: Change | None) -> Iterator[Change]:  # fmt: skip
        if found is not None:
            actor, given = found
            before_it = words_of(given.statements)
            if actor.arn != persona.arn and actor.changes:  # what another did to be able to
                before_it = " and ".join(filter(None, (*actor.changes, before_it)))
            text = f"{before_it} and {text}" if before_it else text
            certain = given.value == "yes" and (before is None or before.certain)
            yield Change(replace(persona, changes=(*persona.changes, text)), actor.arn, move, text,
                         given.statements, certain, before)  # fmt: skip

    def who(self, actors: list[Persona], action: str, resource: str,
             extra: dict[str, tuple[str, ...] | None] | None = None) -> tuple[Persona, Answer] | None:  # fmt: skip
        """An actor who may, surely or perhaps."""
        maybe = None
        for actor in actors:
            found = self.evaluator.attain(actor, action, resource, extra)
            if found.value == "yes":
                return actor, found
            if found.value == "unknown" and maybe is None:
                maybe = (actor, found)
        return maybe

    def attaches(self, actors: list[Persona], action: str, resource: str, extra: Values | None = None,
                 ) -> tuple[Persona, Answer] | None:  # fmt: skip
        """With a policy that gives everything: Amazon's, one of the account, or a new one.

        extra: condition keys that the request is known to bear.
        """
        choices = [f"{MANAGED}AdministratorAccess", f"{MANAGED}IAMFullAccess"]
        choices += self.givers(resource.split(":")[4])
        maybe = None
        for arn in choices:
            found = self.who(actors, action, resource, {**(extra or {}), "iam:policyarn": (arn,)})
            if found is not None and found[1].value == "yes":
                return found
            maybe = maybe or found
        for name in self._own_names(actors, action):
            made = self.who(actors, "iam:createpolicy", name)
            found = self.who(actors, action, resource, {**(extra or {}), "iam:policyarn": (name,)})
            if made is not None and found is not None and made[1].value == found[1].value == "yes":
                return found
        return maybe

    def _own_names(self, actors: list[Persona], action: str) -> list[str]:
        """Names of policies that a condition on iam:PolicyARN would accept."""
        out: dict[str, None] = {}
        for actor in actors:
            for layer in self.evaluator.layers(actor, action):
                for statement in layer.allows:
                    for _, key, values in statement.conditions:
                        if key == "iam:policyarn":
                            out.update(
                                (v.replace("*", "x").replace("?", "x"), None)
                                for v in values
                                if f":{actor.account}:" in v or ":*:" in v
                            )
        return [n.replace(":x:", f":{actors[0].account}:") for n in out if actors]

    def _givers_of(self, account: str) -> list[str]:
        """Policies of the account that give everything."""
        documents = sorted(self.world.documents)
        return [a for a in documents if a.split(":")[4] == account and self._gives_all(a)]

    def _gives_all(self, arn: str) -> bool:
        policy = self.world.document(arn)
        return policy is not None and any(
            s.effect == "Allow" and not s.conditions and "*" in (s.resources or ())
            and bool({"*", "iam:*"} & set(s.actions or ()))
            for s in policy.statements
        )  # fmt: skip

    def _grants(self, target: Principal, persona: Persona, actors: list[Persona], word: str,
                before: Change | None) -> Iterator[Change]:  # fmt: skip
        arn = persona.arn
        numbers = {"user": ("iam-007", "iam-008"), "role": ("iam-005", "iam-009")}[word]
        granted = _with(persona, Source(f"{arn}#granted", "inline", arn, "granted", ALLOW_ALL))
        found = self.who(actors, f"iam:put{word}policy", arn)
        yield from self._made(
            found, granted, numbers[0], f"writes a policy for {persona.name}", before
        )
        found = self.attaches(actors, f"iam:attach{word}policy", arn)
        yield from self._made(found, granted, numbers[1],
                              f"attaches an administrator policy to {persona.name}", before)  # fmt: skip
        for group in _groups(target, persona):
            label = group.rpartition("/")[2]
            found = self.who(actors, "iam:putgrouppolicy", group)
            yield from self._made(
                found, granted, "iam-011", f"writes a policy for the group {label}", before
            )
            found = self.attaches(actors, "iam:attachgrouppolicy", group)
            yield from self._made(found, granted, "iam-010",
                                  f"attaches an administrator policy to the group {label}", before)  # fmt: skip
        if word == "user":
            found = self._new_group(persona, actors)
            yield from self._made(found, granted, "iam-029",
                                  f"makes a group of administrators and adds {persona.name} to it", before)  # fmt: skip

    def _new_group(self, persona: Persona, actors: list[Persona]) -> tuple[Persona, Answer] | None:
        """One who makes a group, gives it everything and adds somebody to it."""
        for actor in actors:
            template = f"arn:aws:iam::{persona.account}:group/?*"
            for name in self.names([actor], ("iam:creategroup", "iam:addusertogroup"), template):
                given = self.who([actor], "iam:putgrouppolicy", name) or self.attaches(
                    [actor], "iam:attachgrouppolicy", name
                )
                made = [
                    self.who([actor], a, name) for a in ("iam:creategroup", "iam:addusertogroup")
                ]
                answers = [f[1] for f in (given, *made) if f is not None]
                if len(answers) == 3:
                    return actor, joined(answers)
        return None

    def names(self, actors: list[Persona], actions: tuple[str, ...], template: str) -> list[str]:
        """Names of something new that some of the actors could give."""
        return list(dict.fromkeys(
            n for a in actors for action in actions
            for n in new_names(self.evaluator.layers(a, action), template)))  # fmt: skip

    def _above(self, target: Principal, persona: Persona, actors: list[Persona],
               before: Change | None) -> Iterator[Change]:  # fmt: skip
        """The Identity Center gives roles in every account: who writes its permission sets has them.

        Only in the account where it runs; what is made there bears no boundary of the maker's.
        """
        writes = ("sso:putinlinepolicytopermissionset", "sso:attachmanagedpolicytopermissionset")
        home = self.moves.things.identity_home()
        for actor in actors:
            if actor.account not in home:
                continue
            written = next((f for f in (self.who([actor], a, "*") for a in writes) if f), None)
            if written is None:
                continue
            move, text = "sso-002", "writes a permission set that it has"
            if not target.reserved:
                assigned = [self.who([actor], a, "*") for a in (
                    "sso:createpermissionset", "sso:createaccountassignment")]  # fmt: skip
                if not all(f is not None and f[1].value == "yes" for f in assigned):
                    continue
                move, text = "sso-001", "makes a permission set and assigns it to itself"
            arn = persona.arn
            granted = _with(
                persona, Source(f"{arn}#assigned", "inline", arn, "assigned", ALLOW_ALL)
            )
            bare = replace(granted, boundary=None, boundary_unread=False)
            yield from self._made(written, bare, move, text, before)

    def _versions(
        self, persona: Persona, actors: list[Persona], before: Change | None
    ) -> Iterator[Change]:
        for source in persona.sources:
            if source.kind != "attached" or source.name.startswith(MANAGED):
                continue
            label = source.name.rpartition("/")[2]
            found = self.who(actors, "iam:createpolicyversion", source.name)
            if found is not None and not self.room(found[0], source.name):
                found = None
            rewritten = _swapped(persona, source, ALLOW_ALL)
            yield from self._made(
                found, rewritten, "iam-001", f"writes a new version of {label}", before
            )
            others = self.world.versions(source.name)
            if others:
                found = self.who(actors, "iam:setdefaultpolicyversion", source.name)
                for version, policy in others if found else ():
                    older = _swapped(persona, source, policy, version)
                    yield from self._made(found, older, "iam-021",
                                          f"makes {version} of {label} the default version", before)  # fmt: skip
            elif self.world.unread_versions(source.name):
                found = self.who(actors, "iam:setdefaultpolicyversion", source.name)
                text = f"makes another version of {label}, which was not read, the default one"
                maybe = found and (found[0], replace(found[1], value="unknown"))
                yield from self._made(maybe, rewritten, "iam-021", text, before)

    def room(self, actor: Persona, policy: str) -> bool:
        """A policy has five versions at most: another one may ask for one to be deleted first."""
        if len(self.world.versions(policy)) + 1 < _MAX_VERSIONS:
            return True
        found = self.who([actor], "iam:deletepolicyversion", policy)
        return found is not None and found[1].value == "yes"

    def _joins(self, target: Principal, persona: Persona, actors: list[Persona],
               before: Change | None) -> Iterator[Change]:  # fmt: skip
        have = {s.holder for s in persona.sources}
        for arn, group in self.world.groups.items():
            if arn in have or arn in target.groups or group.account != persona.account:
                continue
            found = self.who(actors, "iam:addusertogroup", arn)
            joined = _with(
                persona, Source(f"{arn}#member", "member", arn, arn, Policy(())), *group.sources
            )
            yield from self._made(found, joined, "iam-013",
                                  f"adds {persona.name} to the group {group.name}", before)  # fmt: skip

    def _lifts(self, target: Principal, persona: Persona, actors: list[Persona], word: str,
               before: Change | None) -> Iterator[Change]:  # fmt: skip
        """Guardrails that can be taken away: the boundary, and policies that deny."""
        arn = persona.arn
        if persona.boundary is not None or persona.boundary_unread:
            bare = replace(persona, boundary=None, boundary_unread=False)
            number = "iam-022" if word == "user" else "iam-023"
            found = self.who(actors, f"iam:delete{word}permissionsboundary", arn)
            yield from self._made(
                found, bare, number, f"removes the boundary of {persona.name}", before
            )
            wider: Values = {"iam:permissionsboundary": (f"{MANAGED}AdministratorAccess",)}
            found = self.who(actors, f"iam:put{word}permissionsboundary", arn, wider)
            yield from self._made(
                found, bare, number, f"replaces the boundary of {persona.name}", before
            )
            boundary = target.item.config.get("PermissionsBoundary")
            name = boundary.get("PermissionsBoundaryArn") if isinstance(boundary, dict) else None
            if name and not str(name).startswith(MANAGED):
                found = self.who(actors, "iam:createpolicyversion", str(name))
                if found is not None and not self.room(found[0], str(name)):
                    found = None
                yield from self._made(
                    found, bare, "iam-001", "rewrites the boundary's policy", before
                )
                found = self.who(actors, "iam:setdefaultpolicyversion", str(name))
                for version, policy in self.world.versions(str(name)) if found else ():
                    yield from self._made(found, replace(bare, boundary=policy), "iam-021",
                                          f"makes {version} of its boundary the default version", before)  # fmt: skip
        for source in persona.sources:
            if not any(s.effect == "Deny" for s in source.policy.statements):
                continue
            without = replace(persona, sources=tuple(s for s in persona.sources if s is not source))
            holder = "group" if ":group/" in source.holder else word
            actions = (
                [f"iam:delete{holder}policy", f"iam:put{holder}policy"]
                if source.kind == "inline"
                else [f"iam:detach{holder}policy"]
            )
            if holder == "group":
                actions.append("iam:removeuserfromgroup")
            for action in actions:
                found = self.who(actors, action, source.holder)
                yield from self._made(found, without, "iam-024",
                                      f"takes away {source.name.rpartition('/')[2]}, which denies", before)  # fmt: skip


def _groups(target: Principal, persona: Persona) -> list[str]:
    joined = [s.holder for s in persona.sources if s.kind == "member"]
    return list(dict.fromkeys([*target.groups, *joined]))


def _with(persona: Persona, *more: Source) -> Persona:
    have = {s.id for s in persona.sources}
    return replace(persona, sources=(*persona.sources, *(s for s in more if s.id not in have)))


def _swapped(persona: Persona, source: Source, policy: Policy, version: str = "new") -> Persona:
    newer = replace(source, id=f"{source.id}@{version}", policy=policy)
    return replace(persona, sources=tuple(newer if s is source else s for s in persona.sources))


def _key(persona: Persona) -> tuple[frozenset[str], int | None]:
    unread = 0 if persona.boundary_unread else None
    return (
        frozenset(s.id for s in persona.sources),
        unread if persona.boundary is None else id(persona.boundary),
    )
