"""May this principal do this? Explicit deny, boundary, organisation, resource policy, conditions.

Follows the IAM User Guide, "Policy evaluation logic" (same account and across accounts). Answers
are yes, no or unknown; unknown only where a condition hangs on something that nobody knows. What a
caller chooses freely (names, tags of a request, regions) is solved for: yes when some choice works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from secinbox.iam.beforehand import beforehand
from secinbox.iam.callers import names, past_boundary, past_session, principal_form
from secinbox.iam.conditions import INTERNET, Tri, all_of, any_of, expand, holds, missing_variable
from secinbox.iam.guardrails import binds, walls_of
from secinbox.iam.layers import Layer
from secinbox.iam.matching import arn_matches, has_wildcard
from secinbox.iam.policy import Policy, Statement, parse
from secinbox.iam.request import Requests, Values, absent_tags, chosen, worlds
from secinbox.iam.tagging import Tagging, uncertain
from secinbox.iam.telling import MANY
from secinbox.iam.universe import EVERYTHING
from secinbox.iam.world import Persona, World

_NOTHING: Values = {}


@dataclass(frozen=True)
class Answer:
    """`value` is yes, no or unknown; `statements` decided it."""

    value: str
    statements: tuple[Statement, ...] = ()
    doubts: tuple[str, ...] = ()  # condition keys that nobody knows

    def __bool__(self) -> bool:
        return self.value == "yes"


UNREAD = "a policy that was not read"


def open_keys(keys: Iterable[str], base: Values) -> tuple[str, ...]:
    """Condition keys of which nobody knows the value; an unknown always says what it hangs on."""
    unknown = {k for k in keys if k not in base and not chosen(k)}
    unknown |= {k for k in keys if base.get(k) == (INTERNET,)}
    return tuple(sorted(unknown)) or (UNREAD,)


def _worded(value: Tri) -> str:
    return "unknown" if value is None else "yes" if value else "no"


class Evaluator:
    """Answers for one estate; remembers which statements speak of which action."""

    def __init__(self, world: World, now: datetime | None = None) -> None:
        self.world = world
        self.now = now or datetime.now(UTC)
        self._about: dict[tuple[int, str], tuple[tuple[Statement, ...], tuple[Statement, ...]]] = {}
        self._layers: dict[tuple[int, str], tuple[Layer, ...]] = {}
        self._shares: dict[tuple[object, ...], int] = {}
        self._share_of: dict[int, int] = {}
        self._granted: dict[int, int] = {}  # share -> actions
        self._covered: dict[tuple[str, str], frozenset[str]] = {}
        self._rcps = bool(world.estate.of_type("aws_organizations_policy"))
        self._keep: list[Any] = []  # objects whose id() is a key stay alive
        self.requests = Requests(world, self.now)
        self.tagging = Tagging(self)

    # For people and other modules

    def can(
        self, principal: str, action: str, resource: str,
        context: Mapping[str, Any] | None = None, session: Any = None,
    ) -> Answer:  # fmt: skip
        """May `principal` (an ARN of this estate) do `action` on `resource`, resource policy included?

        context: condition keys that are known, `{"aws:SourceIp": "203.0.113.7"}`; None: absent.
        session: the policy that was passed when the role was assumed, as a document.
        """
        found = self.world.principals.get(principal)
        if found is None:
            return Answer("unknown", doubts=(f"{principal} is not in the inventory",))
        persona = found.persona
        if session is not None:
            persona = replace(persona, session=parse(session, "session policy"))
        extra: Values = {}
        for key, value in (context or {}).items():
            listed = value if isinstance(value, (list, tuple)) else [value]
            extra[key.lower()] = None if value is None else tuple(str(v) for v in listed)
        from secinbox.iam.resources import policy_of, was_read

        own = policy_of(self.world.estate, resource)
        elsewhere = self.elsewhere(persona, resource, extra)
        if own is None and elsewhere and not was_read(self.world.estate, resource):
            asked = self.decide(persona, action, resource, extra)
            doubt = "whether the resource's own policy lets another account in was not read"
            return asked if asked.value == "no" else Answer("unknown", asked.statements, (doubt,))
        return self.decide_with(persona, action, resource, own, extra)

    # Deciding

    def about(
        self, policy: Policy, action: str
    ) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
        """Allow and Deny statements of a policy that speak of the action."""
        key = (id(policy), action)
        found = self._about.get(key)
        if found is None:
            self._keep.append(policy)
            speaking = [s for s in policy.statements if s.about(action)]
            found = (
                tuple(s for s in speaking if s.effect != "Deny"),
                tuple(s for s in speaking if s.effect != "Allow"),
            )
            self._about[key] = found
        return found

    def layers(self, persona: Persona, action: str) -> tuple[Layer, ...]:
        """Identity, boundary and the organisation's levels, as far as they speak of the action."""
        key = (self.share(persona), action)
        found = self._layers.get(key)
        if found is None:
            found = tuple(self._build(persona, action))
            self._layers[key] = found
        return found

    def share(self, persona: Persona) -> int:
        """A number that principals with the same policies, boundary and account have in common."""
        found = self._share_of.get(id(persona))
        if found is None:
            self._keep.append(persona)  # an id() is only good while its object lives
            principal = self.world.principals.get(persona.arn)
            key = (
                tuple(id(s.policy) for s in persona.sources),
                id(persona.boundary),
                id(persona.session),
                persona.session_unread,
                persona.boundary_unread,
                persona.account,
                bool(principal and principal.service_linked),
            )
            found = self._shares.setdefault(key, len(self._shares))
            self._share_of[id(persona)] = found
        return found

    def granted(self, persona: Persona) -> int:
        """The known actions (bits) that it may do in some request, resource policies aside.

        Allowed by its policies and each layer over them, and not denied always and everywhere: what
        is not in it is a certain no. Computed once for all with the same policies.
        """
        key = self.share(persona)
        found = self._granted.get(key)
        if found is None:
            found = EVERYTHING
            for policies in self._over(persona):
                allowed = denied = 0
                for policy in policies:
                    allowed |= policy.allowed
                    denied |= policy.forbidden
                found &= allowed & ~denied
            self._granted[key] = found
        return found

    def _over(self, persona: Persona) -> Iterator[Iterable[Policy]]:
        """Groups of policies of which one must allow and none deny."""
        yield [s.policy for s in persona.sources]
        if persona.boundary is not None:
            yield [persona.boundary]
        if persona.session is not None:
            yield [persona.session]
        yield from self._levels(persona)

    def _levels(self, persona: Persona) -> tuple[tuple[Policy, ...], ...]:
        """Service control policies over it, level by level."""
        rails = self.world.guardrails.get(persona.account)
        principal = self.world.principals.get(persona.arn)
        free = rails is None or (principal is not None and principal.service_linked)
        return () if free or rails is None else rails.service

    def bulk(
        self, layers: tuple[Layer, ...], pool: frozenset[str], name: str
    ) -> frozenset[str] | None:
        """The members of a pool that are allowed; None when the request has to be looked at.

        name: says which pool it is, so that a pattern is compared with its members once.
        """
        if not all(layer.plain for layer in layers):
            return None
        out = pool
        for layer in layers:
            granted = [self._members(s, pool, name) for s in layer.allows]
            if not any(g is pool for g in granted):
                union = granted[0] if len(granted) == 1 else frozenset().union(*granted)
                out = union if out is pool else out & union
            for statement in layer.denies:
                out -= self._members(statement, pool, name)
        return out

    def _members(self, statement: Statement, pool: frozenset[str], name: str) -> frozenset[str]:
        if statement.resources is None and statement.not_resources is None:
            return pool
        found: frozenset[str] = frozenset()
        for pattern in statement.resources or statement.not_resources or ():
            if pattern == "*":
                found = pool
                break
            key = (name, pattern)
            if key not in self._covered:
                self._covered[key] = (
                    frozenset(m for m in pool if arn_matches(pattern, m))
                    if has_wildcard(pattern) or pattern.count(":") < 5
                    else frozenset((pattern,)) & pool
                )
            found = found | self._covered[key] if found else self._covered[key]
        return found if statement.resources is not None else pool - found

    def _build(self, persona: Persona, action: str) -> Iterable[Layer]:
        yield self._layer([s.policy for s in persona.sources], action)
        if persona.boundary is not None:
            yield replace(self._layer([persona.boundary], action), boundary=True)
        elif persona.boundary_unread:
            yield Layer((), (), unread=True, boundary=True)
        if persona.session is not None:
            yield replace(self._layer([persona.session], action), session=True)
        if persona.session_unread:
            yield Layer((), (), unread=True, session=True)
        for level in self._levels(persona):
            yield self._layer(level, action)

    def _layer(self, policies: Iterable[Policy], action: str) -> Layer:
        allows: list[Statement] = []
        denies: list[Statement] = []
        for policy in policies:
            a, d = self.about(policy, action)
            allows += a
            denies += d
        return Layer(tuple(allows), tuple(denies))

    def decide(
        self, persona: Persona, action: str, resource: str, extra: Values | None = None
    ) -> Answer:
        """Identity side only: policies, boundary, organisation."""
        return self._solve(persona, action.lower(), resource, extra or {}, None)

    def decide_with(
        self, persona: Persona, action: str, resource: str, own: Policy | None,
        extra: Values | None = None,
    ) -> Answer:  # fmt: skip
        """With the resource's own policy, in its account or across accounts.

        Without one nobody of another account gets in.
        """
        if own is None and self.elsewhere(persona, resource, extra or {}):
            return Answer("no")
        return self._solve(persona, action.lower(), resource, extra or {}, own)

    def elsewhere(self, persona: Persona, resource: str, extra: Values) -> bool:
        """The resource is of another account than the principal."""
        named = extra.get("aws:resourceaccount")
        owner = named[0] if named else self.requests.owner(persona, resource)
        return bool(owner) and owner not in ("aws", persona.account)

    def attain(
        self, persona: Persona, action: str, resource: str, extra: Values | None = None,
        own: Policy | None = None,
    ) -> Answer:  # fmt: skip
        """Like `decide_with`, or yes when it is yes after the principal has done something before: has
        rewritten some tags, has registered an MFA device, asks through a stack."""
        action, extra = action.lower(), extra or {}
        best = self._solve(persona, action, resource, extra, own)
        layers = self.layers(persona, action)
        if own is not None:
            layers = (*layers, self._layer([own], action))
        if best.value == "yes":
            return best
        asked_for = frozenset().union(*(layer.keys for layer in layers))
        for values, done in beforehand(self, persona, action, asked_for):
            asked = self._solve(persona, action, resource, {**extra, **values}, own)
            if asked.value == "yes":
                return replace(asked, statements=(*done, *asked.statements))
        if not any(layer.tagged for layer in layers):
            return best
        speaking = [s for layer in layers for s in (*layer.allows, *layer.denies)]
        base = self.requests.of(persona, action, resource)
        base.update(extra)
        rewrites = self.tagging.rewrites(persona, resource, speaking, base)
        for rewrite in rewrites:
            asked = self._solve(persona, action, resource, {**extra, **rewrite.values}, own)
            found = uncertain(asked, rewrite)
            if found.value == "yes" or (found.value == "unknown" and best.value == "no"):
                best = replace(found, statements=(*rewrite.statements, *found.statements))
            if best.value == "yes":
                return best
        return rewrites.judged(best)

    def _solve(
        self, persona: Persona, action: str, resource: str, extra: Values, own: Policy | None
    ) -> Answer:
        layers = self.layers(persona, action)
        own_layer = self._layer([own], action) if own is not None else None
        if not layers[0].allows and own_layer is None:
            return Answer("no")
        walls = self.walls(persona, action, resource, extra)
        if own_layer is None and all(layer.plain for layer in layers) and not walls:
            value, statements = _in_world(persona, layers, None, (), resource, _NOTHING, self)
            doubts = (UNREAD,) if value is None else ()
            return Answer(_worded(value), tuple(statements), doubts)
        speaking = [*walls, *(s for layer in layers for s in (*layer.allows, *layer.denies))]
        if own_layer is not None:
            speaking += [*own_layer.allows, *own_layer.denies]
        base = self.requests.of(persona, action, resource)
        base.update(extra)
        keys = {k for s in speaking for k in s.names}
        best: Tri = False
        decisive: list[Statement] = []
        tried = worlds(speaking, keys, base)
        for values in tried:
            found, statements = _in_world(persona, layers, own_layer, walls, resource, values, self)
            if found is True:
                return Answer("yes", tuple(statements))
            if found is None:
                best, decisive = None, statements
            elif best is False and not decisive:
                decisive = statements
        if best is False and not tried.whole:
            return Answer("unknown", tuple(decisive), (MANY,))
        return Answer(_worded(best), tuple(decisive), open_keys(keys, base) if best is None else ())

    def walls(
        self, persona: Persona, action: str, resource: str, extra: Values
    ) -> tuple[Statement, ...]:
        """What resource control policies of the resource's account say of the action."""
        if not self._rcps:
            return ()
        principal = self.world.principals.get(persona.arn)
        if principal is not None and principal.service_linked:
            return ()
        named = extra.get("aws:resourceaccount")
        owner = named[0] if named else self.requests.owner(persona, resource)
        return tuple(s for s in walls_of(self.world.estate, owner) if binds(s, action))

    def denied(
        self, persona: Persona, action: str, resource: str, extra: Values | None = None
    ) -> Tri:
        """An explicit Deny of any layer."""
        if not any(layer.denies for layer in self.layers(persona, action.lower())):
            return False
        base = self.requests.of(persona, action.lower(), resource)
        base.update(extra or {})
        found: list[Tri] = []
        for layer in self.layers(persona, action.lower()):
            absent_tags({k for s in layer.denies for k in s.names}, base)
            found += [_applies(s, resource, base) for s in layer.denies]
        return any_of(found)

    def capped(
        self, persona: Persona, action: str, resource: str, extra: Values | None = None
    ) -> Tri:
        """Do boundary and organisation allow it (whatever the identity policies say)?"""
        if len(self.layers(persona, action.lower())) == 1:
            return True
        base = self.requests.of(persona, action.lower(), resource)
        base.update(extra or {})
        found: list[Tri] = []
        for layer in self.layers(persona, action.lower())[1:]:
            if layer.unread:
                found.append(None)
            else:
                absent_tags({k for s in layer.allows for k in s.names}, base)
                found.append(any_of([_applies(s, resource, base) for s in layer.allows]))
        return all_of(found) if found else True


def _applies(statement: Statement, resource: str, values: Values) -> Tri:
    """Resource and conditions of a statement that speaks of the action."""
    if statement.effect == "broken":
        return None
    covered = covers(statement, resource, values)
    if covered is False or not statement.conditions:
        return covered
    return all_of([covered, holds(statement, values)])


def covers(statement: Statement, resource: str, values: Values) -> Tri:
    """Does the Resource or NotResource part cover the ARN? Variables are filled in."""
    if statement.resources is not None:
        return _any_pattern(statement, statement.resources, resource, values)
    if statement.not_resources is not None:
        found = _any_pattern(statement, statement.not_resources, resource, values)
        return None if found is None else not found
    return True  # trust and resource policies speak of what they hang on


def _any_pattern(
    statement: Statement, patterns: tuple[str, ...], resource: str, values: Values
) -> Tri:
    found: list[Tri] = []
    for pattern in patterns:
        if "${" in pattern and statement.variables:
            filled = expand(pattern, values)
            # Nothing matches a variable that stands for nothing.
            lacking = filled is None and missing_variable(pattern, values)
            found.append(
                False if lacking else None if filled is None else arn_matches(filled, resource)
            )
        elif arn_matches(pattern, resource):
            return True
    return any_of(found) if found else False


def _in_world(
    persona: Persona, layers: tuple[Layer, ...], own: Layer | None, walls: tuple[Statement, ...],
    resource: str, values: Values, evaluator: Evaluator,
) -> tuple[Tri, list[Statement]]:  # fmt: skip
    denies: list[Tri] = []
    for statement in walls:
        hit = _applies(statement, resource, values)
        if hit is True:
            return False, [statement]
        denies.append(hit)
    for layer in layers:
        for statement in layer.denies:
            hit = _applies(statement, resource, values)
            if hit is True:
                return False, [statement]
            denies.append(hit)
    granted: list[Tri] = []
    shown: list[Statement] = []
    for layer in layers:
        hit, statement_found = _allowed(layer, resource, values)
        granted.append(hit)
        if statement_found is not None:
            shown.append(statement_found)
    identity = granted[0]
    pairs = list(zip(layers, granted, strict=True))[1:]
    bound = all_of([g for layer, g in pairs if layer.boundary])
    passed = all_of([g for layer, g in pairs if layer.session])
    rails = all_of([g for layer, g in pairs if not layer.boundary and not layer.session])
    if own is None:
        result = all_of([identity, bound, passed, rails])
    else:
        result, more = _with_own(persona, own, resource, values, identity, bound, passed, evaluator)
        result = all_of([result, rails])
        if more and more.effect == "Deny":
            return False, [more]
        shown += [more] if more else []
    if result is not False and None in denies:
        result = None
    return result, shown


def _allowed(layer: Layer, resource: str, values: Values) -> tuple[Tri, Statement | None]:
    if layer.unread:
        return None, None
    maybe: Statement | None = None
    for statement in layer.allows:
        hit = _applies(statement, resource, values)
        if hit is True:
            return True, statement
        if hit is None and maybe is None:
            maybe = statement
    return (None, maybe) if maybe is not None else (False, None)


def _with_own(
    persona: Persona, own: Layer, resource: str, values: Values, identity: Tri, bound: Tri,
    passed: Tri,
    evaluator: Evaluator,
) -> tuple[Tri, Statement | None]:  # fmt: skip
    """IAM User Guide: a resource policy that names a user or `*` settles it inside the account."""
    doubtful = False
    for statement in own.denies:
        hit = all_of(
            [names(statement, persona, evaluator.world), _applies(statement, resource, values)]
        )
        if hit is True:
            return False, statement
        doubtful = doubtful or hit is None
    direct: Tri = False
    delegated: Tri = False
    past: Tri = False
    named: Tri = False
    shown: Statement | None = None
    for statement in own.allows:
        who = principal_form(statement, persona, evaluator.world)
        if not who:
            continue
        hit = _applies(statement, resource, values)
        if hit is False:
            continue
        shown = shown or statement
        if who == "account":
            delegated = any_of([delegated, hit])
        else:
            direct = any_of([direct, hit])
            if past_boundary(statement, persona):
                past = any_of([past, hit])
            if past_session(statement):
                named = any_of([named, hit])
    owner = (values.get("aws:resourceaccount") or ("",))[0]
    if owner and owner != persona.account:
        both_sides = any_of([direct, delegated])
        result = all_of([both_sides, identity, bound, passed])
    else:
        # Identity policies count for a key only where its own policy hands over to the account.
        of_key = resource.split(":")[2:3] == ["kms"]
        by_account = all_of([delegated, identity]) if of_key else identity
        limited = any_of([past, all_of([any_of([direct, by_account]), bound])])
        result = any_of([named, all_of([limited, passed])])
    return (None if doubtful and result else result), shown
