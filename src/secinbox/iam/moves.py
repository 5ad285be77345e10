"""What a principal can become: each catalogue row checked against the estate, as edges of a graph.

An edge leads to a principal, or to a hub that stands for many (`every role that trusts Lambda`), so
that `PassRole on *` costs one edge and not one a role.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache

from secinbox.iam.catalogue import ADMINISTRATOR, PASSES, TAKES, Passes, Takes
from secinbox.iam.conditions import Tri, all_of, any_of, holds
from secinbox.iam.evaluate import (
    Answer,
    Evaluator,
    Values,
    candidates,
    new_names,
    principal_form,
    unconditional,
)
from secinbox.iam.matching import action_matches
from secinbox.iam.policy import Policy, Statement
from secinbox.iam.things import LISTED_BY, Thing, Things
from secinbox.iam.world import Persona, Principal, World

_ANY_DOCUMENT = ("AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-RunRemoteScript")


@dataclass(frozen=True, eq=False)
class Edge:
    """One way to become `target` (an ARN, or a hub). Not certain: it hangs on something unknown."""

    source: str
    target: str
    move: str
    text: str
    statements: tuple[Statement, ...] = ()
    certain: bool = True
    doubt: str = ""
    via: str = ""  # the thing that is taken over or made


@dataclass(frozen=True)
class Trusting:
    """Roles that trust a service: surely, and under a condition that is not known."""

    name: str
    sure: frozenset[str]
    maybe: frozenset[str]

    @cached_property
    def all(self) -> frozenset[str]:
        return self.sure | self.maybe if self.maybe else self.sure


class Moves:
    """Edges of an estate, computed a persona at a time."""

    def __init__(self, world: World, evaluator: Evaluator, things: Things) -> None:
        self.world = world
        self.evaluator = evaluator
        self.things = things
        self.hubs: dict[str, frozenset[str]] = {}
        self._masks: dict[int, int] = {}
        self._pools: dict[frozenset[str], int] = {}
        self._direct: dict[str, set[str]] = defaultdict(set)
        self._by_account: dict[str, set[str]] = defaultdict(set)
        self._star: set[str] = set()
        self._index_trusts()

    # Which of the catalogue's actions policies speak of, as bits

    def mask(self, persona: Persona) -> int:
        """Catalogue actions that some Allow (and the boundary) speaks of: what is worth a look."""
        allowed = 0
        for source in persona.sources:
            allowed |= self._policy_mask(source.policy)
        if persona.boundary is not None:
            allowed &= self._policy_mask(persona.boundary)
        return allowed

    def _policy_mask(self, policy: Policy) -> int:
        found = self._masks.get(id(policy))
        if found is None:
            found = 0
            for statement in policy.statements:
                if statement.effect == "Allow":
                    found |= _statement_mask(statement)
                elif statement.effect == "broken":
                    found = _ALL_BITS
            self._masks[id(policy)] = found
        return found

    # Administrator

    def administrator(self, persona: Persona) -> Answer:
        """Each of the powers over identities, on anything of the account."""
        if self.mask(persona) & _ADMIN_BITS != _ADMIN_BITS:
            return Answer("no")
        shown: dict[int, Statement] = {}
        result: list[Tri] = []
        doubts: dict[str, None] = {}
        for action, rest in ADMINISTRATOR:
            found = self.evaluator.decide(persona, action, f"arn:aws:iam::{persona.account}:{rest}")
            if found.value == "no":
                return found
            result.append(True if found.value == "yes" else None)
            doubts.update(dict.fromkeys(found.doubts))
            shown.update((id(s), s) for s in found.statements)
        value = "yes" if all_of(result) else "unknown"
        return Answer(value, tuple(shown.values()), tuple(doubts))

    # Edges

    def edges(self, persona: Persona) -> list[Edge]:
        out = list(self._assumes(persona))
        mask = self.mask(persona)
        if mask:
            out += self._credentials(persona, mask)
            out += self._passes(persona, mask)
            out += self._takes(persona, mask)
            out += self._templates(persona, mask)
            out += self._swaps(persona, mask)
        return [e for e in out if e.target != persona.arn]

    def _hub(self, name: str, members: Iterable[str]) -> str:
        key = f"hub:{name}"
        if key not in self.hubs:
            self.hubs[key] = frozenset(members)
        return key

    def _together(self, persona: Persona, members: frozenset[str], move: str, text: str,
                  statements: tuple[Statement, ...], certain: bool = True, doubt: str = "",
                  ) -> Iterator[Edge]:  # fmt: skip
        """One edge for many: the same set of targets is the same hub, whoever leads there."""
        if not members:
            return
        if len(members) == 1:
            target = next(iter(members))
        else:
            number = self._pools.setdefault(members, len(self._pools))
            target = self._hub(str(number), members)
        yield Edge(persona.arn, target, move, text, statements, certain, doubt)

    # sts:AssumeRole

    def _index_trusts(self) -> None:
        for role in self.world.roles():
            for statement in role.trust.statements if role.trust else ():
                if statement.effect != "Allow" or not statement.about("sts:assumerole"):
                    continue
                if statement.not_principals is not None:
                    self._star.add(role.arn)
                for kind, value in statement.principals or ():
                    if kind not in ("AWS", "*"):
                        continue
                    if value == "*":
                        self._star.add(role.arn)
                    elif value.isdigit():
                        self._by_account[value].add(role.arn)
                    elif value.endswith(":root"):
                        self._by_account[value.split(":")[4]].add(role.arn)
                    elif ":assumed-role/" in value:
                        words = value.split(":assumed-role/", 1)[1].split("/")
                        account = value.split(":")[4]
                        for principal in self.world.roles():
                            same = principal.account == account
                            if same and principal.persona.name == words[0]:
                                self._direct[principal.arn].add(role.arn)
                    else:
                        self._direct[self.world.by_unique_id.get(value, value)].add(role.arn)

    def _assumes(self, persona: Persona) -> Iterator[Edge]:
        layers = self.evaluator.layers(persona, "sts:assumerole")
        pool = set(self._direct.get(persona.arn, ())) | self._star
        delegated = self._by_account.get(persona.account, set())
        if delegated and layers[0].allows:
            plain = self._plain_trusts(persona.account)
            given = self.evaluator.bulk(layers, plain, f"assume {persona.account}")
            if given is not None:
                yield from self._together(persona, given, "sts-001", "assumes",
                                          self._first(layers[0].allows))  # fmt: skip
                pool |= set(candidates(layers[0], dict.fromkeys(sorted(delegated - plain))))
            else:
                pool |= set(candidates(layers[0], dict.fromkeys(sorted(delegated))))
        for arn in sorted(pool):
            role = self.world.principals[arn]
            found = self.assume(persona, role)
            if found.value != "no":
                yield Edge(persona.arn, arn, "sts-001", "assumes", found.statements,
                           found.value == "yes", _doubt(found))  # fmt: skip

    def _first(self, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
        return tuple(s for s in statements if s.effect == "Allow")[:1]

    @cache  # noqa: B019 - lives as long as the analysis
    def _plain_trusts(self, account: str) -> frozenset[str]:
        pool = self._by_account.get(account, ())
        return frozenset(r for r in pool if self._plain_trust(r, account))

    def _plain_trust(self, arn: str, account: str) -> bool:
        """Trusts the account itself, without condition or Deny, and is in it: no look at callers."""
        role = self.world.principals[arn]
        if role.service_linked or role.account != account or role.trust is None:
            return False
        rails = self.world.guardrails.get(account)
        if rails is not None and rails.resource:
            return False
        about = [s for s in role.trust.statements if s.about("sts:assumerole")]
        if any(s.effect != "Allow" for s in about):
            return False
        return any(
            not s.conditions
            and any(v in (account, f"arn:aws:iam::{account}:root") for _, v in s.principals or ())
            for s in about
        )

    def assume(self, persona: Persona, role: Principal) -> Answer:
        """Both halves of sts:AssumeRole: the trust, and the caller's own policies."""
        if role.service_linked or role.trust is None or role.arn == persona.arn:
            return Answer("no")
        action = "sts:assumerole"
        allows, denies = self.evaluator.about(role.trust, action)
        base = self.evaluator.context(persona, action, role.arn)
        base["sts:rolesessionname"] = ("secinbox-any",)
        self._external_id(persona, role, base)
        rails = self.world.guardrails.get(role.account)
        for level in rails.resource if rails else ():
            for policy in level:
                denies = (*denies, *self.evaluator.about(policy, action)[1])
        keys = {k for s in (*allows, *denies) for k in s.keys}
        results = [
            self._assumed(persona, role, allows, denies, world)
            for world in self.evaluator.worlds((*allows, *denies), keys, base)
        ]
        result = any_of(results)
        identity = self.evaluator.decide(persona, action, role.arn)
        named = tuple(s for s in allows if principal_form(s, persona, self.world))[:1]
        value = "yes" if result else "unknown" if result is None else "no"
        doubts = tuple(sorted({k for s in named for k in s.keys if k not in base}))
        return Answer(value, (*identity.statements, *named), (*doubts, *identity.doubts))

    def _assumed(self, persona: Persona, role: Principal, allows: tuple[Statement, ...],
                 denies: tuple[Statement, ...], base: Values) -> Tri:  # fmt: skip
        action = "sts:assumerole"
        stopped: list[Tri] = []
        for statement in denies:
            if statement.effect == "broken":
                stopped.append(None)
            elif _meant(statement, persona, self.world):
                stopped.append(holds(statement, base))
        if True in stopped:
            return False
        direct, delegated = self._trusted(allows, persona, base)
        if direct is False and delegated is False:
            return False
        identity = self.evaluator.decide(persona, action, role.arn)
        own = True if identity.value == "yes" else None if identity.value == "unknown" else False
        refused = self.evaluator.denied(persona, action, role.arn)
        if refused is True:
            return False
        if role.account == persona.account:
            # A trust that names a user settles it, past the user's boundary; not so for a role.
            caps = self._caps(persona, role.arn)
            result = any_of([all_of([direct, caps]), all_of([delegated, own])])
        else:
            result = all_of([any_of([direct, delegated]), own])
        return None if result is True and (None in stopped or refused is None) else result

    def _caps(self, persona: Persona, role: str) -> Tri:
        asked = (
            persona
            if persona.kind == "role"
            else replace(persona, boundary=None, boundary_unread=False)
        )
        return self.evaluator.capped(asked, "sts:assumerole", role)

    def _trusted(
        self, allows: tuple[Statement, ...], persona: Persona, base: Values
    ) -> tuple[Tri, Tri]:
        direct: list[Tri] = []
        delegated: list[Tri] = []
        for statement in allows:
            if statement.effect == "broken":
                direct.append(None)
                continue
            form = principal_form(statement, persona, self.world)
            if form == "direct" and not statement.conditions and _anybody(statement):
                # What anybody at all may do is no power of this principal's: the role itself is
                # what is open. Its own policy must send it there.
                form = "account"
            if form:
                (direct if form == "direct" else delegated).append(holds(statement, base))
        return any_of(direct) if direct else False, any_of(delegated) if delegated else False

    def _external_id(self, persona: Persona, role: Principal, base: Values) -> None:
        """An external id is no secret from somebody who may read the trust policy."""
        wanted = [
            v
            for s in (role.trust.statements if role.trust else ())
            for _, k, values in s.conditions
            if k == "sts:externalid"
            for v in values
        ]
        if not wanted:
            return
        readers = (("iam:getrole", role.arn), ("iam:listroles", "*"),
                   ("iam:getaccountauthorizationdetails", "*"))  # fmt: skip
        if any(self.evaluator.decide(persona, a, r).value == "yes" for a, r in readers):
            base["sts:externalid"] = (wanted[0].replace("*", "x"),)

    # Credentials of others, and trusts

    def _credentials(self, persona: Persona, mask: int) -> Iterator[Edge]:
        users = self._users(persona.account)
        for action, move in (("iam:createaccesskey", "iam-002"), ("iam:createloginprofile", "iam-004"),
                             ("iam:updateloginprofile", "iam-006")):  # fmt: skip
            if not mask & _bit(action) or not users:
                continue
            layers = self.evaluator.layers(persona, action)
            for arn in candidates(layers[0], users):
                found = self.evaluator.decide(persona, action, arn)
                if found.value == "no" or arn == persona.arn:
                    continue
                edge = self._credential(persona, users[arn], action, move, found)
                if edge is not None:
                    yield edge
        if mask & _bit("iam:updateassumerolepolicy"):
            yield from self._rewrites(persona)

    def _credential(self, persona: Persona, user: Principal, action: str, move: str,
                    found: Answer) -> Edge | None:  # fmt: skip
        certain, doubt, text = found.value == "yes", _doubt(found), "creates an access key for"
        if action == "iam:createaccesskey":
            if user.keys is not None and user.keys >= 2:
                other = self.evaluator.decide(persona, "iam:deleteaccesskey", user.arn)
                if other.value == "no":
                    return None
                certain = certain and other.value == "yes"
                move, text = "iam-003", "replaces an access key of"
        else:
            wanted = action == "iam:updateloginprofile"
            text = "sets the password of" if wanted else "gives a password to"
            if user.has_password is None:
                other_action = "iam:createloginprofile" if wanted else "iam:updateloginprofile"
                other = self.evaluator.decide(persona, other_action, user.arn)
                if other.value != "yes":
                    certain, doubt = False, "whether the user has a password was not read"
            elif user.has_password is not wanted:
                return None
            if user.mfa:
                other = self.evaluator.decide(persona, "iam:deactivatemfadevice", user.arn)
                if other.value == "no":
                    return None
                certain = certain and other.value == "yes"
        return Edge(persona.arn, user.arn, move, text, found.statements, certain, doubt)

    def _rewrites(self, persona: Persona) -> Iterator[Edge]:
        action = "iam:updateassumerolepolicy"
        roles = self._editable(persona.account)
        layers = self.evaluator.layers(persona, action)
        sts = self.evaluator.layers(persona, "sts:assumerole")
        free = not any(layer.denies for layer in sts) and (
            len(sts) == 1
            or (persona.kind == "user" and len(sts) == 2 and persona.boundary is not None)
        )
        given = self.evaluator.bulk(layers, roles, f"edit {persona.account}") if free else None
        if given is not None:
            yield from self._together(persona, given, "iam-012",
                                      "rewrites the trust policy of and assumes",
                                      self._first(layers[0].allows))  # fmt: skip
            return
        for arn in candidates(layers[0], roles):
            found = self.evaluator.decide(persona, action, arn)
            if found.value == "no" or self.evaluator.denied(persona, "sts:assumerole", arn) is True:
                continue
            if (
                persona.kind == "role"
                and self.evaluator.capped(persona, "sts:assumerole", arn) is False
            ):
                continue
            yield Edge(persona.arn, arn, "iam-012", "rewrites the trust policy of and assumes",
                       found.statements, found.value == "yes", _doubt(found))  # fmt: skip

    @cache  # noqa: B019 - lives as long as the analysis
    def _editable(self, account: str) -> frozenset[str]:
        return frozenset(
            r.arn
            for r in self.world.roles()
            if r.account == account and not r.service_linked and not r.reserved
        )

    @cache  # noqa: B019 - lives as long as the analysis
    def _users(self, account: str) -> dict[str, Principal]:
        return {
            p.arn: p
            for p in self.world.principals.values()
            if p.kind == "user" and p.account == account
        }

    # Roles passed to something

    @cache  # noqa: B019 - lives as long as the analysis
    def trusting(self, account: str, service: str, profiled: bool = False) -> Trusting:
        """Roles of the account that a service may assume for somebody of the account."""
        sure: set[str] = set()
        maybe: set[str] = set()
        for role in self.world.roles():
            if role.account != account or role.service_linked or role.trust is None:
                continue
            if profiled and not role.profiles:
                continue
            value = trusts_service(role.trust, service, account)
            if value is not False:
                (sure if value else maybe).add(role.arn)
        name = f"{account} {service}{' profile' if profiled else ''}"
        return Trusting(name, frozenset(sure), frozenset(maybe))

    def _passes(self, persona: Persona, mask: int) -> Iterator[Edge]:
        if not mask & _bit("iam:passrole"):
            return
        for row in PASSES:
            if _row_mask(row.needs) & ~mask:
                continue
            profiled = "profile" in row.place and not self._can_make_profile(persona)
            roles = self.trusting(persona.account, row.service, profiled)
            if not roles.all:
                continue
            made = self._made(persona, row)
            if made.value != "no":
                yield from self._passed(persona, row, roles, made)

    def _passed(
        self, persona: Persona, row: Passes, roles: Trusting, made: Answer
    ) -> Iterator[Edge]:
        service = row.service.removeprefix("federated:")
        layers = self.evaluator.layers(persona, "iam:passrole")
        text = f"passes to {service} to {row.verb} as"
        given = self.evaluator.bulk(layers, roles.all, f"pass {roles.name}")
        if given is not None:
            statements = (*self._first(layers[0].allows), *made.statements)
            certain, doubt = made.value == "yes", _doubt(made)
            sure = given - roles.maybe if roles.maybe else given
            yield from self._together(persona, sure, row.id, text, statements, certain, doubt)
            if roles.maybe:
                yield from self._together(persona, given & roles.maybe, row.id, text, statements,
                                          False, doubt or "a condition of its trust")  # fmt: skip
            return
        for arn in candidates(layers[0], dict.fromkeys(sorted(roles.all))):
            found = self.evaluator.decide(
                persona, "iam:passrole", arn, {"iam:passedtoservice": (service,)}
            )
            if found.value == "no":
                continue
            certain = found.value == "yes" and made.value == "yes" and arn in roles.sure
            doubt = _doubt(found) or _doubt(made)
            if not doubt and arn in roles.maybe:
                doubt = "a condition of its trust"
            yield Edge(persona.arn, arn, row.id, text, (*found.statements, *made.statements),
                       certain, doubt)  # fmt: skip

    def _made(self, persona: Persona, row: Passes) -> Answer:
        """All needs of the row, in a place where they can be met."""
        place = self._place(persona, row)
        if place.value == "no":
            return place
        kinds = [
            k for k in row.place if k not in ("profile", "cluster", "host", "own-host", "emr-role")
        ]
        if not kinds:
            return _joined([place, self._needs(persona, row.needs, None)])
        best = Answer("no")
        for thing in self.things.in_account(kinds[0], persona.account):
            found = _joined([place, self._needs(persona, row.needs, thing)])
            if found.value == "yes":
                return found
            best = found if found.value == "unknown" else best
        if best.value == "no" and not self._listed(persona.account, kinds[0]):
            doubt = Answer("unknown", (), (f"{kinds[0]}s were not read",))
            if self._needs(persona, row.needs, _ANYTHING).value == "yes":
                return doubt
        return best

    def _listed(self, account: str, kind: str) -> bool:
        operation = LISTED_BY.get(kind)
        return operation is None or self.things.was_read(account, operation)

    def _place(self, persona: Persona, row: Passes) -> Answer:
        found = Answer("yes")
        if "cluster" in row.place and not self.things.in_account("cluster", persona.account):
            found = self._need(persona, "ecs:createcluster", "new:ecs:cluster/?*", None)
            if found.value == "no" and not self._listed(persona.account, "cluster"):
                found = Answer("unknown", (), ("clusters were not read",))
        if "host" in row.place and not self.things.in_account("host", persona.account):
            clusters = self.things.in_account("cluster", persona.account)
            unread = not self.things.was_read(persona.account, "ecs.list_container_instances")
            found = (
                Answer("unknown", (), ("container instances were not read",))
                if clusters and unread and not self._listed(persona.account, "host")
                else Answer("no")
            )
        if "own-host" in row.place:
            found = self._own_host(persona)
        if "emr-role" in row.place:
            service = "elasticmapreduce.amazonaws.com"
            roles = self.trusting(persona.account, service).all
            given = [
                self.evaluator.decide(
                    persona, "iam:passrole", r, {"iam:passedtoservice": (service,)}
                )
                for r in sorted(roles)
            ]
            found = next((g for g in given if g.value == "yes"), Answer("no"))
        return found

    def _own_host(self, persona: Persona) -> Answer:
        action = "ecs:registercontainerinstance"
        for cluster in self.things.in_account("cluster", persona.account):
            found = self.evaluator.decide(persona, action, cluster.uid)
            if found.value != "no":
                return found
        made = self._need(persona, "ecs:createcluster", "new:ecs:cluster/?*", None)
        if made.value == "no":
            return made
        return self._need(persona, action, "new:ecs:cluster/?*", None)

    @cache  # noqa: B019 - lives as long as the analysis
    def _can_make_profile(self, persona: Persona) -> bool:
        profile = "new:iam-profile"
        return all(
            self._need(persona, action, profile, None).value == "yes"
            for action in ("iam:createinstanceprofile", "iam:addroletoinstanceprofile")
        )

    # Needs

    def _needs(self, persona: Persona, needs: tuple[str, ...], thing: Thing | None) -> Answer:
        """All needs; those of the same new thing must hold for one and the same name."""
        groups: dict[str, list[str]] = defaultdict(list)
        for need in needs:
            action, _, where = need.partition(" ")
            groups[where].append(action.lower())
        answers = []
        for where, actions in groups.items():
            if where.startswith(("new:", "arn:")) and len(actions) > 1:
                answers.append(self._same_name(persona, actions, where))
            else:
                answers += [self._need(persona, action, where, thing) for action in actions]
            if answers[-1].value == "no":
                return answers[-1]
        return _joined(answers)

    def _template(self, persona: Persona, where: str) -> str:
        if where == "new:iam-profile":
            return f"arn:aws:iam::{persona.account}:instance-profile/?*"
        if where.startswith("new:"):
            service, _, rest = where.removeprefix("new:").partition(":")
            return f"arn:aws:{service}:*:{persona.account}:{rest}"
        return where

    def _names(self, persona: Persona, action: str, where: str) -> list[str]:
        return new_names(self.evaluator.layers(persona, action), self._template(persona, where))

    def _same_name(self, persona: Persona, actions: list[str], where: str) -> Answer:
        names = dict.fromkeys(n for a in actions for n in self._names(persona, a, where))
        best = Answer("no")
        for name in names:
            found = _joined([self.evaluator.decide(persona, a, name) for a in actions])
            if found.value == "yes":
                return found
            best = found if found.value == "unknown" else best
        return best

    def _need(self, persona: Persona, action: str, where: str, thing: Thing | None) -> Answer:
        action = action.lower()
        if where == "*":
            return self.evaluator.decide(persona, action, "*")
        if where.startswith("thing"):
            if thing is None:
                return Answer("no")
            if thing is _ANYTHING:
                allows = self.evaluator.layers(persona, action)[0].allows
                return Answer("yes" if allows else "no")
            _, _, part = where.partition(":")
            return self.evaluator.decide(
                persona, action, thing.parts.get(part, "") if part else thing.uid
            )
        if where == "run-document":
            region = thing.uid.split(":")[3] if thing is not None else "us-east-1"
            names = [f"arn:aws:ssm:{region}::document/{d}" for d in _ANY_DOCUMENT]
            found = [self.evaluator.decide(persona, action, n) for n in names]
        else:
            found = [
                self.evaluator.decide(persona, action, n)
                for n in self._names(persona, action, where)
            ]
        for value in ("yes", "unknown"):
            chosen = next((f for f in found if f.value == value), None)
            if chosen is not None:
                return chosen
        return Answer("no")

    # Things taken over

    def _takes(self, persona: Persona, mask: int) -> Iterator[Edge]:
        for row in TAKES:
            if _row_mask(row.needs) & ~mask:
                continue
            things = self.things.in_account(row.kind, persona.account)
            plain = [t for t in things if t.certain and t.roles]
            if len(plain) > 8 and self._takes_all(persona, row):
                hub = self._hub(
                    f"take {persona.account} {row.kind}", (r for t in plain for r in t.roles)
                )
                yield Edge(persona.arn, hub, row.id, f"can {row.verb} a workload that runs as")
                things = [t for t in things if not t.certain]
            for thing in things:
                if thing.roles:
                    yield from self._taken(persona, row, thing)

    def _takes_all(self, persona: Persona, row: Takes) -> bool:
        return all(
            unconditional(self.evaluator.layers(persona, need.split(" ")[0].lower()))
            for need in row.needs
        )

    def _taken(self, persona: Persona, row: Takes, thing: Thing) -> Iterator[Edge]:
        found = self._needs(persona, row.needs, thing)
        if found.value == "no":
            return
        for role in thing.roles:
            if role in self.world.principals:
                certain = found.value == "yes" and thing.certain
                yield Edge(persona.arn, role, row.id, f"can {row.verb} {thing.name}, which runs as",
                           found.statements, certain, thing.doubt or _doubt(found), thing.uid)  # fmt: skip

    def _templates(self, persona: Persona, mask: int) -> Iterator[Edge]:
        """A scaling group starts what its launch template says; nobody checks PassRole for it."""
        if not mask & _bit("ec2:createlaunchtemplateversion"):
            return
        for thing in self.things.in_account("template", persona.account):
            needs = ["ec2:CreateLaunchTemplateVersion thing"]
            if thing.parts["follows"] == "$Default":
                needs.append("ec2:ModifyLaunchTemplate thing")
            found = self._needs(persona, tuple(needs), thing)
            if found.value != "no" and thing.parts["idle"]:
                starts = [
                    self.evaluator.decide(persona, a, thing.parts["group"])
                    for a in (
                        "autoscaling:setdesiredcapacity",
                        "autoscaling:updateautoscalinggroup",
                    )
                ]
                started = next((s for s in starts if s.value == "yes"), Answer("no"))
                found = _joined([found, started])
            if found.value == "no":
                continue
            roles = self.trusting(persona.account, "ec2.amazonaws.com", True)
            for arn in sorted(roles.all):
                yield Edge(persona.arn, arn, "ec2-005",
                               f"puts another instance profile into {thing.name}, so that new instances run as",
                               found.statements, found.value == "yes" and arn in roles.sure,
                               _doubt(found), thing.uid)  # fmt: skip

    def _swaps(self, persona: Persona, mask: int) -> Iterator[Edge]:
        """Another instance profile for an instance on which the principal can run code."""
        if not mask & _bit("iam:passrole"):
            return
        rows = [r for r in TAKES if r.kind in ("managed-instance", "ssh-instance", "instance")]
        for row in rows:
            if _row_mask(row.needs) & ~mask:
                continue
            for thing in self.things.in_account(row.kind, persona.account):
                action = ("ec2:replaceiaminstanceprofileassociation" if thing.roles
                          else "ec2:associateiaminstanceprofile")  # fmt: skip
                if not mask & _bit(action):
                    continue
                found = _joined([self._needs(persona, row.needs, thing),
                                 self.evaluator.decide(persona, action, thing.uid)])  # fmt: skip
                if found.value == "no":
                    continue
                for arn in sorted(self.trusting(persona.account, "ec2.amazonaws.com", True).all):
                    given = self.evaluator.decide(
                        persona,
                        "iam:passrole",
                        arn,
                        {"iam:passedtoservice": ("ec2.amazonaws.com",)},
                    )
                    if given.value == "no":
                        continue
                    yield Edge(persona.arn, arn, "ec2-007",
                               f"swaps the instance profile of {thing.name} and can {row.verb} it: it then runs as",
                               (*found.statements, *given.statements),
                               found.value == given.value == "yes" and thing.certain,
                               thing.doubt, thing.uid)  # fmt: skip


_ANYTHING = Thing("", "")


def _joined(answers: Iterable[Answer]) -> Answer:
    """All must be yes."""
    found = list(answers)
    for value in ("no", "unknown"):
        chosen = [a for a in found if a.value == value]
        if chosen:
            return Answer(value, tuple(s for a in chosen for s in a.statements),
                          tuple(d for a in chosen for d in a.doubts))  # fmt: skip
    seen: dict[int, Statement] = {id(s): s for a in found for s in a.statements}
    return Answer("yes", tuple(seen.values()))


def _doubt(found: Answer) -> str:
    return ", ".join(found.doubts) if found.value == "unknown" else ""


def _meant(statement: Statement, persona: Persona, world: World) -> bool:
    """A Deny of a trust (or of the organisation, which names no principal) means this caller."""
    if statement.principals is None and statement.not_principals is None:
        return True
    if statement.not_principals is not None:
        return principal_form(statement, persona, world) == "direct"
    return bool(principal_form(statement, persona, world))


def _anybody(statement: Statement) -> bool:
    return statement.not_principals is not None or any(
        value == "*" and kind in ("*", "AWS") for kind, value in statement.principals or ()
    )


def trusts_service(trust: Policy, service: str, account: str) -> Tri:
    """May the service assume the role for a caller of the account?"""
    kind, _, name = service.rpartition("federated:")
    federated = bool(_)
    action = "sts:assumerolewithwebidentity" if federated else "sts:assumerole"
    wanted = ("Federated" if federated else "Service", name or kind)
    context: Values = {
        "aws:sourceaccount": (account,),
        "aws:principalisawsservice": ("true",),
        "aws:sourceorgid": None,
    }
    results: list[Tri] = []
    for statement in trust.statements:
        if statement.effect == "broken":
            results.append(None)
            continue
        if not statement.about(action):
            continue
        named = wanted in (statement.principals or ())
        if statement.effect == "Deny":
            if (named or ("*", "*") in (statement.principals or ())) and not statement.conditions:
                return False
            continue
        if named:
            results.append(_service_conditions(statement, context, account))
    return any_of(results) if results else False


def _service_conditions(statement: Statement, context: Values, account: str) -> Tri:
    """aws:SourceArn names something that the caller makes; only another account's is out of reach."""
    results: list[Tri] = []
    for condition in statement.conditions:
        _, key, values = condition
        if key in ("aws:sourcearn", "sts:externalid") or key.endswith((":aud", ":amr", ":sub")):
            foreign = key == "aws:sourcearn" and not any(
                account in v or "*" in v.split(":")[4:5] or v == "*" for v in values
            )
            results.append(not foreign)
        else:
            results.append(holds(Statement("Allow", conditions=(condition,)), context))
    return all_of(results) if results else True


_OTHER_ACTIONS = (
    "iam:passrole", "iam:createaccesskey", "iam:createloginprofile", "iam:updateloginprofile",
    "iam:updateassumerolepolicy", "iam:addusertogroup", "iam:putgrouppolicy",
    "iam:attachgrouppolicy", "iam:setdefaultpolicyversion", "iam:deleteuserpermissionsboundary",
    "iam:putuserpermissionsboundary", "iam:deleterolepermissionsboundary",
    "iam:putrolepermissionsboundary", "iam:deleteuserpolicy", "iam:detachuserpolicy",
    "iam:deleterolepolicy", "iam:detachrolepolicy", "iam:deletegrouppolicy",
    "iam:detachgrouppolicy", "iam:removeuserfromgroup", "iam:deletepolicyversion",
    "ec2:associateiaminstanceprofile", "ec2:replaceiaminstanceprofileassociation",
    "ec2:createlaunchtemplateversion",
)  # fmt: skip
_ACTIONS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *(a for a, _ in ADMINISTRATOR),
            *_OTHER_ACTIONS,
            *(n.split(" ")[0].lower() for row in PASSES for n in row.needs),
            *(n.split(" ")[0].lower() for row in TAKES for n in row.needs),
        ]
    )
)
_INDEX = {action: 1 << i for i, action in enumerate(_ACTIONS)}
_ALL_BITS = (1 << len(_ACTIONS)) - 1
_BY_SERVICE: dict[str, list[str]] = defaultdict(list)
for _action in _ACTIONS:
    _BY_SERVICE[_action.partition(":")[0]].append(_action)


def _bit(action: str) -> int:
    return _INDEX[action]


_ADMIN_BITS = sum(_bit(a) for a, _ in ADMINISTRATOR)
# Actions by which somebody changes what a principal may do.
WRITES: tuple[str, ...] = (
    "iam:putuserpolicy", "iam:attachuserpolicy", "iam:putrolepolicy", "iam:attachrolepolicy",
    "iam:createpolicyversion", *(a for a in _OTHER_ACTIONS if a.startswith("iam:") and a not in (
        "iam:passrole", "iam:createaccesskey", "iam:createloginprofile", "iam:updateloginprofile",
        "iam:updateassumerolepolicy", "iam:deletepolicyversion")),
)  # fmt: skip
WRITE_BITS = sum(_bit(a) for a in WRITES)


@lru_cache(maxsize=65536)
def _pattern_mask(pattern: str) -> int:
    if pattern == "*":
        return _ALL_BITS
    service = pattern.partition(":")[0]
    names = _ACTIONS if service == "*" else _BY_SERVICE.get(service, ())
    return sum(_INDEX[a] for a in names if action_matches(pattern, a))


def _statement_mask(statement: Statement) -> int:
    patterns = statement.actions if statement.actions is not None else statement.not_actions or ()
    found = 0
    for pattern in patterns:
        found |= _pattern_mask(pattern)
    return found if statement.actions is not None else _ALL_BITS & ~found


@lru_cache(maxsize=1024)
def _row_mask(needs: tuple[str, ...]) -> int:
    found = 0
    for need in needs:
        found |= _bit(need.split(" ")[0].lower())
    return found
