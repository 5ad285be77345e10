"""sts:AssumeRole: who is trusted by which role, both halves, and which services are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property

from secinbox.iam.callers import names, past_boundary, principal_form
from secinbox.iam.conditions import Tri, all_of, any_of, expand, holds
from secinbox.iam.evaluate import Answer, Evaluator, open_keys
from secinbox.iam.policy import Policy, Statement
from secinbox.iam.request import Values, worlds
from secinbox.iam.tagging import speaks_of_tags, uncertain
from secinbox.iam.telling import MANY
from secinbox.iam.world import Persona, Principal, World


@dataclass(frozen=True)
class Trusting:
    """Roles that trust a service: surely, and under a condition that is not known."""

    name: str
    sure: frozenset[str]
    maybe: frozenset[str]

    @cached_property
    def all(self) -> frozenset[str]:
        return self.sure | self.maybe if self.maybe else self.sure


class Trusts:
    """Trust policies of an estate, indexed by whom they name."""

    def __init__(self, world: World, evaluator: Evaluator) -> None:
        self.world = world
        self.evaluator = evaluator
        self.direct: dict[str, set[str]] = defaultdict(set)
        self.by_account: dict[str, set[str]] = defaultdict(set)
        self.star: set[str] = set()
        # Asked again and again, and the same as long as the analysis lives.
        self.plain = cache(self._plain_of)
        self.trusting = cache(self._trusting_of)
        self._bare = cache(_without_boundary)
        self._index()

    def _index(self) -> None:
        for role in self.world.roles():
            for statement in role.trust.statements if role.trust else ():
                if statement.effect != "Allow" or not statement.about("sts:assumerole"):
                    continue
                if statement.not_principals is not None:
                    self.star.add(role.arn)
                for kind, value in statement.principals or ():
                    if kind not in ("AWS", "*"):
                        continue
                    if value == "*":
                        self.star.add(role.arn)
                    elif value.isdigit():
                        self.by_account[value].add(role.arn)
                    elif value.endswith(":root"):
                        self.by_account[value.split(":")[4]].add(role.arn)
                    elif ":assumed-role/" in value:
                        words = value.split(":assumed-role/", 1)[1].split("/")
                        account = value.split(":")[4]
                        for principal in self.world.roles():
                            same = principal.account == account
                            if same and principal.persona.name == words[0]:
                                self.direct[principal.arn].add(role.arn)
                    else:
                        self.direct[self.world.by_unique_id.get(value, value)].add(role.arn)

    def _plain_of(self, account: str) -> frozenset[str]:
        pool = self.by_account.get(account, ())
        return frozenset(r for r in pool if self._is_plain(r, account))

    def _is_plain(self, arn: str, account: str) -> bool:
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
        """Both halves of sts:AssumeRole: the trust, and the caller's own policies.

        Yes also where it is so after the caller has rewritten tags of itself or of the role.
        """
        itself = role.arn == persona.arn and not persona.cut
        if role.service_linked or role.trust is None or itself:
            return Answer("no")
        best = self._asked(persona, role, role.trust, "sts:assumerole", {})
        if best.value == "yes":
            return best
        layers = self.evaluator.layers(persona, "sts:assumerole")
        own = self.evaluator.about(role.trust, "sts:assumerole")
        speaking = [*own[0], *own[1], *(s for la in layers for s in (*la.allows, *la.denies))]
        if not speaks_of_tags(speaking):
            return best
        base = self.evaluator.requests.of(persona, "sts:assumerole", role.arn)
        rewrites = self.evaluator.tagging.rewrites(persona, role.arn, speaking, base)
        for rewrite in rewrites:
            found = uncertain(
                self._asked(persona, role, role.trust, "sts:assumerole", rewrite.values), rewrite
            )
            if found.value == "yes" or (found.value == "unknown" and best.value == "no"):
                best = replace(found, statements=(*rewrite.statements, *found.statements))
            if best.value == "yes":
                return best
        return rewrites.judged(best)

    def tag_session(self, persona: Persona, role: Principal, tags: Mapping[str, str]) -> Answer:
        """Both halves of sts:TagSession: may the caller give its session of the role these tags?"""
        if role.trust is None:
            return Answer("no")
        extra: Values = {f"aws:requesttag/{k}": (v,) for k, v in tags.items()}
        return self._asked(persona, role, role.trust, "sts:tagsession",
                           {**extra, "aws:tagkeys": tuple(tags)})  # fmt: skip

    def may(self, persona: Persona, role: Principal, action: str, extra: Values) -> Answer:
        """Both halves of one action of sts on the role, with what else is known of the request."""
        if role.trust is None:
            return Answer("unknown", doubts=("the trust policy",))
        return self._asked(persona, role, role.trust, action, extra)

    def _asked(self, persona: Persona, role: Principal, trust: Policy, action: str, extra: Values
               ) -> Answer:  # fmt: skip
        allows, denies = self.evaluator.about(trust, action)
        base = self.evaluator.requests.of(persona, action, role.arn)
        base.update(extra)
        base["sts:rolesessionname"] = (_session_name(role, base),)
        if "sts:externalid" not in extra:
            self._external_id(persona, role, base)
        rails = self.world.guardrails.get(role.account)
        for level in rails.resource if rails else ():
            for policy in level:
                denies = (*denies, *self.evaluator.about(policy, action)[1])
        keys = {k for s in (*allows, *denies) for k in s.names}
        if action == "sts:assumerole" and "sts:sourceidentity" in keys:
            # Who names a source identity needs that right on both sides.
            names = self._asked(persona, role, trust, "sts:setsourceidentity", extra)
            if names.value == "no":
                base["sts:sourceidentity"] = None
        tried = worlds((*allows, *denies), keys, base)
        results = [
            self._assumed(persona, role, action, allows, denies, world, extra) for world in tried
        ]
        result = any_of(results)
        if result is False and not tried.whole:
            return Answer("unknown", (), (MANY,))
        identity = self.evaluator.decide(persona, action, role.arn, extra)
        named = tuple(s for s in allows if principal_form(s, persona, self.world))[:1]
        value = "yes" if result else "unknown" if result is None else "no"
        doubts = identity.doubts or open_keys((k for s in named for k in s.keys), base)
        return Answer(value, (*identity.statements, *named), doubts if result is None else ())

    def _assumed(
        self, persona: Persona, role: Principal, action: str, allows: tuple[Statement, ...],
        denies: tuple[Statement, ...], base: Values, extra: Values,
    ) -> Tri:  # fmt: skip
        stopped: list[Tri] = []
        for statement in denies:
            if statement.effect == "broken":
                stopped.append(None)
            elif _meant(statement, persona, self.world):
                stopped.append(holds(statement, base))
        if True in stopped:
            return False
        direct, delegated, past = self._trusted(allows, persona, base)
        if direct is False and delegated is False:
            return False
        identity = self.evaluator.decide(persona, action, role.arn, extra)
        own = True if identity.value == "yes" else None if identity.value == "unknown" else False
        refused = self.evaluator.denied(persona, action, role.arn, extra)
        if refused is True:
            return False
        if role.account == persona.account:
            # A trust that names a user or a session settles it, past the boundary; not so a role.
            rails = self.evaluator.capped(self._bare(persona), action, role.arn, extra)
            caps = self.evaluator.capped(persona, action, role.arn, extra)
            result = any_of(
                [all_of([past, rails]), all_of([direct, caps]), all_of([delegated, own])]
            )
        else:
            result = all_of([any_of([direct, delegated]), own])
        return None if result is True and (None in stopped or refused is None) else result

    def _trusted(
        self, allows: tuple[Statement, ...], persona: Persona, base: Values
    ) -> tuple[Tri, Tri, Tri]:
        """Named itself, by its account, and so named that its boundary does not count."""
        direct: list[Tri] = []
        delegated: list[Tri] = []
        past: list[Tri] = []
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
            if form == "direct" and past_boundary(statement, persona):
                past.append(direct[-1])
        return any_of(direct), any_of(delegated), any_of(past)

    def _external_id(self, persona: Persona, role: Principal, base: Values) -> None:
        """An external id is no secret from somebody who may read the trust policy.

        The calls that tell it know only the caller's own account.
        """
        if role.account != persona.account:
            return
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

    def _trusting_of(self, account: str, service: str, profiled: bool = False) -> Trusting:
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


def _without_boundary(persona: Persona) -> Persona:
    if persona.boundary is None and not persona.boundary_unread:
        return persona
    return replace(persona, boundary=None, boundary_unread=False)


def _meant(statement: Statement, persona: Persona, world: World) -> bool:
    """A Deny of a trust (or of the organisation, which names no principal) means this caller."""
    if statement.principals is None and statement.not_principals is None:
        return True
    return bool(names(statement, persona, world))


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


def admits_account(
    trust: Policy, space: str, name: str, issuers: frozenset[str] | None = None
) -> Tri:
    """May a service account of a cluster act as the role by a token of the cluster's issuer?

    issuers: those that may be the cluster's own, without scheme; None where nobody knows.
    """
    subject = f"system:serviceaccount:{space}:{name}"
    results: list[Tri] = []
    for statement in trust.statements:
        if statement.effect == "broken":
            results.append(None)
        if statement.effect != "Allow" or not statement.about("sts:assumerolewithwebidentity"):
            continue
        for kind, value in statement.principals or ():
            if kind == "Federated":
                issuer = value.rpartition("oidc-provider/")[2].lower()
                if issuers is not None and issuer not in issuers:
                    continue
                results.append(holds(statement, {f"{issuer}:sub": (subject,),
                                                 f"{issuer}:aud": ("sts.amazonaws.com",)}))  # fmt: skip
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


def _session_name(role: Principal, base: Values) -> str:
    """A name that the trust asks for: whoever assumes a role names the session."""
    for statement in role.trust.statements if role.trust else ():
        for operator, key, values in statement.conditions if statement.effect == "Allow" else ():
            if key == "sts:rolesessionname" and "not" not in operator.lower():
                for value in values:
                    name = expand(value, base)
                    if name:
                        return name.replace("*", "x").replace("?", "x")
    return "secinbox-any"
