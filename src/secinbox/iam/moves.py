"""What a principal can become: each catalogue row checked against the estate, as edges of a graph.

An edge leads to a principal, or to a hub that stands for many (`every role that trusts Lambda`), so
that `PassRole on *` costs one edge and not one a role.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from secinbox.estate import Item
from secinbox.iam.beforehand import MFA_KEYS
from secinbox.iam.bits import admin_bits, bit, row_bits
from secinbox.iam.catalogue import ADMINISTRATOR, PASSES, TAKES, Passes, Takes
from secinbox.iam.conditions import Tri, all_of
from secinbox.iam.evaluate import Answer, Evaluator
from secinbox.iam.kubernetes.entries import Entry, control
from secinbox.iam.kubernetes.entries import principals as let_in
from secinbox.iam.layers import candidates, unconditional
from secinbox.iam.needs import ANYTHING, Needs, doubt_of, joined
from secinbox.iam.policy import Policy, Statement
from secinbox.iam.request import ANY_NAME, Values
from secinbox.iam.resources import policy_of
from secinbox.iam.sessions import Handed
from secinbox.iam.tagging import words_of
from secinbox.iam.things import LISTED_BY, RUNS_FOR, Thing, Things
from secinbox.iam.trusts import Trusting, Trusts
from secinbox.iam.world import Persona, Principal, World

_ANY_DOCUMENT = ("AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-RunRemoteScript")
# Condition keys that show the role, or its instance profile, which is given to something.
_ROLE_KEYS = (
    "cloudformation:rolearn",
    "codebuild:servicerole",
    "elasticmapreduce:executionrolearn",
)
_PROFILE_KEYS = ("ec2:instanceprofile",)
# What puts another role into a profile that there is.
_REFILLS = ("iam:removerolefrominstanceprofile", "iam:addroletoinstanceprofile")


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


def _told(edge: Edge) -> Edge:
    """With what is done beforehand, where it hangs on a tag that is rewritten."""
    words = words_of(edge.statements)
    return replace(edge, text=f"{words} and {edge.text}") if words else edge


class Moves:
    """Edges of an estate, computed a persona at a time."""

    def __init__(self, world: World, evaluator: Evaluator, things: Things) -> None:
        self.world = world
        self.evaluator = evaluator
        self.things = things
        self.hubs: dict[str, frozenset[str]] = {}
        self._pools: dict[frozenset[str], int] = {}
        self.trusts = Trusts(world, evaluator)
        self.needs = Needs(evaluator)
        self.handed: Mapping[str, tuple[Handed, ...]] = {}  # what AWS hands out, by its giver
        # Asked again and again, and the same as long as the analysis lives.
        self._editable = cache(self._editable_of)
        self._users = cache(self._users_of)
        self._can_make_profile = cache(self._can_make_profile_of)
        self._shared_functions = cache(self._shared_functions_of)

    def mask(self, persona: Persona) -> int:
        """Actions that it may perhaps do: what is worth a look."""
        return self.evaluator.granted(persona)

    # Administrator

    def administrator(self, persona: Persona, after: bool = False) -> Answer:
        """Each of the powers over identities, on anything of the account.

        after: it may rewrite tags before.
        """
        if admin_bits() & ~self.mask(persona):
            return Answer("no")
        shown: dict[int, Statement] = {}
        result: list[Tri] = []
        doubts: dict[str, None] = {}
        for action, rest in ADMINISTRATOR:
            ask = self.evaluator.attain if after else self.evaluator.decide
            where = f"arn:aws:iam::{persona.account}:{rest}"
            found = ask(persona, action, where)
            # Who makes an identity says which boundary it bears.
            for boundary in self.boundaries(persona, action) if found.value != "yes" else ():
                made = ask(persona, action, where, {"iam:permissionsboundary": (boundary,)})
                found = made if made.value == "yes" else found
            if found.value == "no":
                return found
            result.append(True if found.value == "yes" else None)
            doubts.update(dict.fromkeys(found.doubts))
            shown.update((id(s), s) for s in found.statements)
        value = "yes" if all_of(result) else "unknown"
        return Answer(value, tuple(shown.values()), tuple(doubts))

    def boundaries(self, persona: Persona, action: str) -> list[str]:
        """Boundaries that conditions on making an identity name; none for other actions."""
        if action not in ("iam:createrole", "iam:createuser"):
            return []
        return list(dict.fromkeys(
            v for layer in self.evaluator.layers(persona, action) for s in (*layer.allows, *layer.denies)
            for _, key, values in s.conditions if key == "iam:permissionsboundary"
            for v in values if "*" not in v and "?" not in v))  # fmt: skip

    # Edges

    def edges(self, persona: Persona) -> list[Edge]:
        out = [*self._assumes(persona), *self._in_clusters(persona)]
        mask = self.mask(persona)
        if mask:
            out += self._credentials(persona, mask)
            out += self._passes(persona, mask)
            out += self._takes(persona, mask)
            out += self._templates(persona, mask)
            out += self._swaps(persona, mask)
        # To get the role itself is something for a session that may do less than it.
        return [_told(e) for e in out if e.target != persona.arn or persona.cut]

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

    def _assumes(self, persona: Persona) -> Iterator[Edge]:
        layers = self.evaluator.layers(persona, "sts:assumerole")
        pool = set(self.trusts.direct.get(persona.arn, ())) | self.trusts.star
        delegated = self.trusts.by_account.get(persona.account, set())
        if delegated and layers[0].allows:
            plain = self.trusts.plain(persona.account)
            given = self.evaluator.bulk(layers, plain, f"assume {persona.account}")
            if given is not None:
                yield from self._together(persona, given, "sts-001", "assumes",
                                          self._first(layers[0].allows))  # fmt: skip
                pool |= set(candidates(layers[0], dict.fromkeys(sorted(delegated - plain))))
            else:
                pool |= set(candidates(layers[0], dict.fromkeys(sorted(delegated))))
        for arn in sorted(pool):
            role = self.world.principals[arn]
            found = self.trusts.assume(persona, role)
            if found.value != "no":
                yield Edge(persona.arn, arn, "sts-001", "assumes", found.statements,
                           found.value == "yes", doubt_of(found))  # fmt: skip

    def _first(self, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
        return tuple(s for s in statements if s.effect == "Allow")[:1]

    # Credentials of others, and trusts

    def _credentials(self, persona: Persona, mask: int) -> Iterator[Edge]:
        users = self._users(persona.account)
        for action, move in (("iam:createaccesskey", "iam-002"), ("iam:createloginprofile", "iam-004"),
                             ("iam:updateloginprofile", "iam-006")):  # fmt: skip
            if not mask & bit(action) or not users:
                continue
            layers = self.evaluator.layers(persona, action)
            for arn in candidates(layers[0], users):
                found = self.evaluator.attain(persona, action, arn)
                if found.value == "no" or arn == persona.arn:
                    continue
                edge = self._credential(persona, users[arn], action, move, found)
                if edge is not None:
                    yield edge
        if mask & bit("iam:updateassumerolepolicy"):
            yield from self._rewrites(persona)

    def _credential(self, persona: Persona, user: Principal, action: str, move: str,
                    found: Answer) -> Edge | None:  # fmt: skip
        certain, doubt, text = found.value == "yes", doubt_of(found), "creates an access key for"
        if action == "iam:createaccesskey":
            if user.keys is not None and user.keys >= 2:
                other = self.evaluator.attain(persona, "iam:deleteaccesskey", user.arn)
                if other.value == "no":
                    return None
                certain = certain and other.value == "yes"
                move, text = "iam-003", "replaces an access key of"
            if (
                certain
                and user.mfa
                and self._asks_for_mfa(user)
                and not self._adds_mfa(persona, user)
            ):
                certain, doubt = False, "what the user may do without its MFA device"
        else:
            wanted = action == "iam:updateloginprofile"
            text = "sets the password of" if wanted else "gives a password to"
            if user.has_password is None:
                other_action = "iam:createloginprofile" if wanted else "iam:updateloginprofile"
                other = self.evaluator.attain(persona, other_action, user.arn)
                if other.value != "yes":
                    certain, doubt = False, "whether the user has a password was not read"
            elif user.has_password and not wanted:
                other = self.evaluator.attain(persona, "iam:deleteloginprofile", user.arn)
                if other.value == "no":
                    return None
                certain = certain and other.value == "yes"
                text = "replaces the password of"
            elif user.has_password is not wanted:
                return None
            if user.mfa:
                other = self.evaluator.attain(persona, "iam:deactivatemfadevice", user.arn)
                if other.value == "no":
                    return None
                certain = certain and other.value == "yes"
        return Edge(persona.arn, user.arn, move, text, found.statements, certain, doubt)

    def _asks_for_mfa(self, user: Principal) -> bool:
        """Some policy of the user hangs on MFA, which a key alone does not show."""
        policies = [source.policy for source in user.persona.sources]
        policies += [user.persona.boundary] if user.persona.boundary is not None else []
        return any(not MFA_KEYS.isdisjoint(s.keys) for p in policies for s in p.statements)

    def _adds_mfa(self, persona: Persona, user: Principal) -> bool:
        """A user may have several devices: one more is as good as the first."""
        device = f"arn:aws:iam::{user.account}:mfa/{ANY_NAME}"
        asked = (("iam:enablemfadevice", user.arn), ("iam:createvirtualmfadevice", device))
        return all(self.evaluator.attain(persona, a, r).value == "yes" for a, r in asked)

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
            found = self.evaluator.attain(persona, action, arn)
            if found.value == "no" or self.evaluator.denied(persona, "sts:assumerole", arn) is True:
                continue
            if (
                persona.kind == "role"
                and self.evaluator.capped(persona, "sts:assumerole", arn) is False
            ):
                continue
            yield Edge(persona.arn, arn, "iam-012", "rewrites the trust policy of and assumes",
                       found.statements, found.value == "yes", doubt_of(found))  # fmt: skip

    def _editable_of(self, account: str) -> frozenset[str]:
        return frozenset(
            r.arn
            for r in self.world.roles()
            if r.account == account and not r.service_linked and not r.reserved
        )

    def _users_of(self, account: str) -> dict[str, Principal]:
        return {
            p.arn: p
            for p in self.world.principals.values()
            if p.kind == "user" and p.account == account
        }

    # Roles passed to something

    def _passes(self, persona: Persona, mask: int) -> Iterator[Edge]:
        if not mask & bit("iam:passrole"):
            return
        for row in PASSES:
            if row_bits(row.needs) & ~mask:
                continue
            profiled = "profile" in row.place and not self._can_make_profile(persona)
            roles = self.trusts.trusting(persona.account, row.service, profiled)
            if not roles.all:
                continue
            if self._names_role(persona, row):
                for arn in sorted(roles.all):
                    one = frozenset((arn,))
                    alone = Trusting(f"{roles.name} {arn}", roles.sure & one, roles.maybe & one)
                    made = self._made_as(persona, row, arn)
                    if made.value != "no":
                        yield from self._passed(persona, row, alone, made)
                continue
            made = self._made(persona, row)
            if made.value != "no":
                yield from self._passed(persona, row, roles, made)

    def _names_role(self, persona: Persona, row: Passes) -> bool:
        """A condition looks at which role (or profile) is given to what is made."""
        return any(
            not layer.keys.isdisjoint((*_ROLE_KEYS, *_PROFILE_KEYS))
            for need in row.needs
            for layer in self.evaluator.layers(persona, need.partition(" ")[0].lower())
        )

    def _made_as(self, persona: Persona, row: Passes, role: str) -> Answer:
        """Can it be made with this role?"""
        extra: Values = dict.fromkeys(_ROLE_KEYS, (role,))
        profiles = self.world.principals[role].profiles
        if "profile" not in row.place or self._can_make_profile(persona) or not profiles:
            return self._made(persona, row, extra)
        best = Answer("no")
        for profile in profiles:
            best = self._made(persona, row, {**extra, **dict.fromkeys(_PROFILE_KEYS, (profile,))})
            if best.value == "yes":
                break
        return best

    def _passed(
        self, persona: Persona, row: Passes, roles: Trusting, made: Answer
    ) -> Iterator[Edge]:
        service = row.service.removeprefix("federated:")
        layers = self.evaluator.layers(persona, "iam:passrole")
        text = f"passes to {service} to {row.verb} as"
        given = self.evaluator.bulk(layers, roles.all, f"pass {roles.name}")
        if given is not None:
            statements = (*self._first(layers[0].allows), *made.statements)
            certain, doubt = made.value == "yes", doubt_of(made)
            sure = given - roles.maybe if roles.maybe else given
            yield from self._together(persona, sure, row.id, text, statements, certain, doubt)
            if roles.maybe:
                yield from self._together(persona, given & roles.maybe, row.id, text, statements,
                                          False, doubt or "a condition of its trust")  # fmt: skip
            return
        for arn in candidates(layers[0], dict.fromkeys(sorted(roles.all))):
            found = self.evaluator.attain(
                persona, "iam:passrole", arn, {"iam:passedtoservice": (service,)}
            )
            if found.value == "no":
                continue
            certain = found.value == "yes" and made.value == "yes" and arn in roles.sure
            doubt = doubt_of(found) or doubt_of(made)
            if not doubt and arn in roles.maybe:
                doubt = "a condition of its trust"
            yield Edge(persona.arn, arn, row.id, text, (*found.statements, *made.statements),
                       certain, doubt)  # fmt: skip

    def _made(self, persona: Persona, row: Passes, extra: Values | None = None) -> Answer:
        """All needs of the row, in a place where they can be met."""
        place = self._place(persona, row)
        if place.value == "no":
            return place
        kinds = [
            k for k in row.place if k not in ("profile", "cluster", "host", "own-host", "emr-role")
        ]
        if not kinds:
            return joined([place, self.needs.all_of(persona, row.needs, None, extra)])
        best = Answer("no")
        for thing in self.things.in_account(kinds[0], persona.account):
            found = joined([place, self.needs.all_of(persona, row.needs, thing, extra)])
            if found.value == "yes":
                return found
            best = found if found.value == "unknown" else best
        if best.value == "no" and not self._listed(persona.account, kinds[0]):
            doubt = Answer("unknown", (), (f"{kinds[0]}s were not read",))
            if self.needs.all_of(persona, row.needs, ANYTHING, extra).value == "yes":
                return doubt
        return best

    def _listed(self, account: str, kind: str) -> bool:
        operation = LISTED_BY.get(kind)
        return operation is None or self.things.was_read(account, operation)

    def _place(self, persona: Persona, row: Passes) -> Answer:
        found = Answer("yes")
        if "cluster" in row.place and not self.things.in_account("cluster", persona.account):
            found = self.needs.one(persona, "ecs:createcluster", "new:ecs:cluster/?*", None)
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
            roles = self.trusts.trusting(persona.account, service).all
            given = [
                self.evaluator.attain(
                    persona, "iam:passrole", r, {"iam:passedtoservice": (service,)}
                )
                for r in sorted(roles)
            ]
            found = next((g for g in given if g.value == "yes"), Answer("no"))
        return found

    def _own_host(self, persona: Persona) -> Answer:
        action = "ecs:registercontainerinstance"
        for cluster in self.things.in_account("cluster", persona.account):
            found = self.evaluator.attain(persona, action, cluster.uid)
            if found.value != "no":
                return found
        made = self.needs.one(persona, "ecs:createcluster", "new:ecs:cluster/?*", None)
        if made.value == "no":
            return made
        return self.needs.one(persona, action, "new:ecs:cluster/?*", None)

    def _can_make_profile_of(self, persona: Persona) -> bool:
        profile = "new:iam-profile"
        if all(
            self.needs.one(persona, action, profile, None).value == "yes"
            for action in ("iam:createinstanceprofile", "iam:addroletoinstanceprofile")
        ):
            return True
        # A profile holds one role: the one in it can be taken out and another one put in.
        return any(
            all(self.evaluator.attain(persona, a, item.uid).value == "yes" for a in _REFILLS)
            for item in self.things.estate.of_type("aws_iam_instance_profile")
            if item.account == persona.account
        )

    # Things taken over

    def _takes(self, persona: Persona, mask: int) -> Iterator[Edge]:
        for row in TAKES:
            if row_bits(row.needs) & ~mask:
                continue
            things = self.things.in_account(row.kind, persona.account)
            if row.kind == "function":
                yield from self._taken_from_afar(persona, row)
            plain = [t for t in things if t.certain and t.roles]
            if len(plain) > 8 and self._takes_all(persona, row):
                hub = self._hub(
                    f"take {persona.account} {row.kind}", (r for t in plain for r in t.roles)
                )
                yield Edge(persona.arn, hub, row.id, f"can {row.verb} a workload that runs as")
                things = [replace(t, roles=()) if t.certain else t for t in things]
            for thing in things:
                if thing.roles or thing.givers:
                    yield from self._taken(persona, row, thing)
            if not things and not self._listed(persona.account, row.kind):
                yield from self._unseen(persona, row)

    def _unseen(self, persona: Persona, row: Takes) -> Iterator[Edge]:
        """Nobody listed things of this kind: there may be one, with any role that they can have."""
        service = RUNS_FOR.get(row.kind)
        principal = self.world.principals.get(persona.arn)
        if service is None or (principal is not None and principal.service_linked):
            return
        found = self.needs.all_of(persona, row.needs, ANYTHING)
        if found.value == "no":
            return
        roles = self.trusts.trusting(persona.account, service, service == "ec2.amazonaws.com").all
        if roles:
            hub = self._hub(f"unseen {persona.account} {row.kind}", roles)
            yield Edge(persona.arn, hub, row.id, f"can {row.verb} a workload that may run as",
                       found.statements, False, f"{row.kind}s were not read ({LISTED_BY[row.kind]})")  # fmt: skip

    def _takes_all(self, persona: Persona, row: Takes) -> bool:
        return all(
            unconditional(self.evaluator.layers(persona, need.split(" ")[0].lower()))
            for need in row.needs
        )

    def _taken(self, persona: Persona, row: Takes, thing: Thing) -> Iterator[Edge]:
        # A stack keeps its role where the request names none.
        keeps: Values | None = {"cloudformation:rolearn": None} if row.kind == "stack" else None
        if row.id == "lambda-007":
            found = self._layered(persona, row, thing)
        else:
            found = self.needs.all_of(persona, row.needs, thing, keeps)
        if found.value == "no":
            return
        text = f"can {row.verb} {thing.name}{row.then}"
        certain = found.value == "yes" and thing.certain
        for role in thing.roles:
            if role in self.world.principals:
                yield Edge(persona.arn, role, row.id, text, found.statements, certain,
                           thing.doubt or doubt_of(found), thing.uid)  # fmt: skip
        yield from self._given(persona, row.id, text, thing, found.statements, certain,
                               thing.doubt or doubt_of(found))  # fmt: skip

    def _layered(self, persona: Persona, row: Takes, thing: Thing) -> Answer:
        """With a layer of an account of its own, or one that it publishes beside the function."""
        region = thing.uid.split(":")[3]
        there = f"arn:aws:lambda:{region}:{{}}:layer:{ANY_NAME}:1"
        far: Values = {"lambda:layer": (there.format("000000000000"),)}
        found = self.needs.all_of(persona, row.needs, thing, far)
        if found.value == "yes":
            return found
        publish = self.needs.one(
            persona, "lambda:publishlayerversion", "new:lambda:layer:?*", thing
        )
        near: Values = {"lambda:layer": (there.format(thing.account),)}
        here = joined([publish, self.needs.all_of(persona, row.needs, thing, near)])
        return here if here.value == "yes" or found.value == "no" else found

    def _given(self, persona: Persona, move: str, text: str, thing: Thing,
               statements: tuple[Statement, ...], certain: bool, doubt: str,
               entry: Entry | None = None) -> Iterator[Edge]:  # fmt: skip
        """Sessions that are handed to what runs in the thing. entry: in whose namespaces only."""
        for giver in thing.givers:
            space = str(self.world.estate.items[giver].config.get("namespace") or "")
            for handed in (
                self.handed.get(giver, ()) if entry is None or entry.runs_in(space) else ()
            ):
                if handed.persona is not None and handed.let is not False:
                    yield Edge(persona.arn, handed.node, move, text, statements,
                               certain and handed.let is True, doubt or handed.why, thing.uid)  # fmt: skip

    def _in_clusters(self, persona: Persona) -> Iterator[Edge]:
        """An EKS cluster lets it in, and it may run pods there: no permission of AWS is asked for."""
        for entry in let_in(self.world.estate).get(persona.arn, ()):
            found, how = control(self.world.estate, entry)
            for thing in self.things.of("eks-pods"):
                if thing.uid != entry.eks or (found is False and not entry.spaces):
                    continue
                closed = _closed(self.world.estate.items[thing.uid])
                certain, doubt = (
                    found is not None and not closed,
                    closed or (how if found is None else ""),
                )
                if found is False:
                    text = f"runs pods in namespaces {', '.join(entry.spaces)} of cluster {entry.name} with"
                    yield from self._given(
                        persona, "eks-pods", text, thing, (), certain, doubt, entry
                    )
                    continue
                text = f"controls cluster {entry.name} and can run pods there with"
                for role in thing.roles:
                    if role in self.world.principals:
                        yield Edge(
                            persona.arn, role, "eks-pods", text, (), certain, doubt, thing.uid
                        )
                yield from self._given(persona, "eks-pods", text, thing, (), certain, doubt)

    def _taken_from_afar(self, persona: Persona, row: Takes) -> Iterator[Edge]:
        """Functions of other accounts, whose own policy has to let this one in."""
        actions = [n.partition(" ")[0].lower() for n in row.needs if n.endswith(" thing")]
        for thing, policy in self._shared_functions():
            if thing.account == persona.account:
                continue
            said = {
                self.evaluator.attain(persona, a, thing.uid, None, policy).value for a in actions
            }
            if "no" in said:
                continue
            if "unknown" in said:
                thing = replace(thing, certain=False, doubt="a condition of the function's policy")
            yield from self._taken(persona, row, thing)

    def _shared_functions_of(self) -> tuple[tuple[Thing, Policy], ...]:
        """Functions whose own policy lets somebody change them."""
        policies = ((t, policy_of(self.things.estate, t.uid)) for t in self.things.of("function"))
        changes = ("lambda:updatefunctioncode", "lambda:updatefunctionconfiguration")
        return tuple(
            (thing, policy) for thing, policy in policies
            if thing.roles and policy is not None
            and any(s.about(a) for s in policy.statements for a in changes)
        )  # fmt: skip

    def _templates(self, persona: Persona, mask: int) -> Iterator[Edge]:
        """A scaling group starts what its launch template says; nobody checks PassRole for it."""
        if not mask & bit("ec2:createlaunchtemplateversion"):
            return
        for thing in self.things.in_account("template", persona.account):
            needs = ["ec2:CreateLaunchTemplateVersion thing"]
            if thing.parts["follows"] == "$Default":
                needs.append("ec2:ModifyLaunchTemplate thing")
            found = self.needs.all_of(persona, tuple(needs), thing)
            if found.value != "no" and thing.parts["idle"]:
                starts = [
                    self.evaluator.attain(persona, a, thing.parts["group"])
                    for a in (
                        "autoscaling:setdesiredcapacity",
                        "autoscaling:updateautoscalinggroup",
                    )
                ]
                started = next((s for s in starts if s.value == "yes"), Answer("no"))
                found = joined([found, started])
            if found.value == "no":
                continue
            roles = self.trusts.trusting(persona.account, "ec2.amazonaws.com", True)
            for arn in sorted(roles.all):
                yield Edge(persona.arn, arn, "ec2-005",
                               f"puts another instance profile into {thing.name}, so that new instances run as",
                               found.statements, found.value == "yes" and arn in roles.sure,
                               doubt_of(found), thing.uid)  # fmt: skip

    def _swaps(self, persona: Persona, mask: int) -> Iterator[Edge]:
        """Another instance profile for an instance on which the principal can run code."""
        if not mask & bit("iam:passrole"):
            return
        rows = [r for r in TAKES if r.kind in ("managed-instance", "ssh-instance", "instance")]
        for row in rows:
            if row_bits(row.needs) & ~mask:
                continue
            bare = ["bare-instance"] if row.kind == "managed-instance" else []
            for thing in (t for k in (row.kind, *bare)
                          for t in self.things.in_account(k, persona.account)):  # fmt: skip
                yield from self._refilled(persona, row, thing)
                action = ("ec2:replaceiaminstanceprofileassociation" if thing.roles
                          else "ec2:associateiaminstanceprofile")  # fmt: skip
                if not mask & bit(action):
                    continue
                runs = self.needs.all_of(persona, row.needs, thing)
                if runs.value == "no":
                    continue
                for arn in sorted(
                    self.trusts.trusting(persona.account, "ec2.amazonaws.com", True).all
                ):
                    given = self.evaluator.attain(
                        persona,
                        "iam:passrole",
                        arn,
                        {"iam:passedtoservice": ("ec2.amazonaws.com",)},
                    )
                    if given.value == "no":
                        continue
                    profile: Values = {
                        "ec2:newinstanceprofile": self.world.principals[arn].profiles[:1]
                    }
                    found = joined(
                        [runs, self.evaluator.attain(persona, action, thing.uid, profile)]
                    )
                    if found.value == "no":
                        continue
                    yield Edge(persona.arn, arn, "ec2-007",
                               f"swaps the instance profile of {thing.name} and can {row.verb} it: it then runs as",
                               (*found.statements, *given.statements),
                               found.value == given.value == "yes" and thing.certain,
                               thing.doubt, thing.uid)  # fmt: skip

    def _refilled(self, persona: Persona, row: Takes, thing: Thing) -> Iterator[Edge]:
        """Another role in the profile of an instance on which the principal can run code."""
        profile = thing.parts.get("profile", "")
        changes = _REFILLS if thing.roles else _REFILLS[1:]
        if not profile or any(not self.mask(persona) & bit(a) for a in changes):
            return
        found = joined([self.needs.all_of(persona, row.needs, thing),
                        *(self.evaluator.attain(persona, a, profile) for a in changes)])  # fmt: skip
        if found.value == "no":
            return
        name = "ec2.amazonaws.com"
        for arn in sorted(self.trusts.trusting(persona.account, name).all):
            given = self.evaluator.attain(
                persona, "iam:passrole", arn, {"iam:passedtoservice": (name,)}
            )
            if given.value != "no" and arn not in thing.roles:
                yield Edge(persona.arn, arn, "ec2-008",
                           f"puts another role into the instance profile of {thing.name} and can {row.verb} it: "
                           "it then runs as", (*found.statements, *given.statements),
                           found.value == given.value == "yes" and thing.certain,
                           thing.doubt or doubt_of(found) or doubt_of(given), thing.uid)  # fmt: skip


def _closed(cluster: Item) -> str:
    """What is not known of a caller of a cluster whose API answers inside its network only."""
    settings = cluster.config.get("resourcesVpcConfig")
    public = settings.get("endpointPublicAccess") if isinstance(settings, dict) else None
    return "whether it is in the network of the cluster's API" if public is False else ""
