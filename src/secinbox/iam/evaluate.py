"""May this principal do this? Explicit deny, boundary, organisation, resource policy, conditions.

Follows the IAM User Guide, "Policy evaluation logic" (same account and across accounts). Answers
are yes, no or unknown; unknown only where a condition hangs on something that nobody knows. What a
caller chooses freely (names, tags of a request, regions) is solved for: yes when some choice works.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice, product
from typing import Any

from secinbox.iam.callers import names, principal_form
from secinbox.iam.conditions import INTERNET, Tri, all_of, any_of, expand, holds
from secinbox.iam.matching import arn_matches, common_arn, glob, has_wildcard
from secinbox.iam.policy import Policy, Statement
from secinbox.iam.tagging import Tagging, speaks_of_tags, uncertain
from secinbox.iam.world import Persona, World

Values = dict[str, tuple[str, ...] | None]

# Keys whose value the caller decides.
_CHOSEN = (
    "aws:requesttag/", "aws:tagkeys", "aws:requestedregion", "aws:referer", "aws:useragent",
    "aws:sourceidentity", "sts:rolesessionname", "sts:sourceidentity", "sts:transitivetagkeys",
    "iam:associatedresourcearn", "iam:policyarn", "iam:awsservicename", "ecs:cluster",
    "ecs:container-name", "ecs:task-definition", "ecs:service", "ecs:enable-execute-command",
    "lambda:layer", "lambda:functionarn", "lambda:principal", "lambda:functionurlauthtype",
    "lambda:vpcids", "lambda:subnetids", "lambda:securitygroupids", "lambda:codesigningconfigarn",
    "lambda:invokedviafunctionurl",
    "cloudformation:templateurl", "cloudformation:rolearn", "cloudformation:resourcetypes",
    "cloudformation:changesetname", "cloudformation:stackpolicyurl", "cloudformation:createaction",
    "cloudformation:importresourcetypes", "cloudformation:targetregion",
    "sagemaker:", "glue:", "codebuild:", "states:", "scheduler:", "events:", "batch:",
    "ssm:sessiondocumentaccesscheck", "ssm:documenttype", "ssm:documentcategories",
    "ec2:instancetype", "ec2:instanceprofile", "ec2:newinstanceprofile", "ec2:metadatahttptokens", "ec2:region",
    "ec2:metadatahttpputresponsehoplimit", "ec2:metadatahttpendpoint", "ec2:tenancy",
    "ec2:availabilityzone", "ec2:volumetype", "ec2:volumesize", "ec2:encrypted", "ec2:keypairname",
    "ec2:launchtemplate", "ec2:islaunchtemplateresource", "ec2:createaction", "ec2:osuser",
    "ec2:attribute", "ec2:imagetype", "ec2:public", "ec2:owner", "ec2:imageid", "ec2:subnetid",
    "s3:prefix", "s3:delimiter", "s3:max-keys", "s3:x-amz-", "s3:versionid", "s3:tlsversion",
    "s3:signatureversion", "s3:authtype", "dynamodb:attributes", "dynamodb:select",
    "dynamodb:leadingkeys", "dynamodb:returnvalues", "kms:encryptioncontext",
)  # fmt: skip
_NOT_CHOSEN = ("ec2:resourcetag/", "sagemaker:resourcetag/", "glue:resourcetag/",
               "codebuild:resourcetag/", "states:resourcetag/", "batch:resourcetag/")  # fmt: skip
_NEW = "secinbox-any"
_NOTHING: Values = {}


def chosen(key: str) -> bool:
    return key.startswith(_CHOSEN) and not key.startswith(_NOT_CHOSEN)


@dataclass(frozen=True)
class Answer:
    """`value` is yes, no or unknown; `statements` decided it."""

    value: str
    statements: tuple[Statement, ...] = ()
    doubts: tuple[str, ...] = ()  # condition keys that nobody knows

    def __bool__(self) -> bool:
        return self.value == "yes"


def _worded(value: Tri) -> str:
    return "unknown" if value is None else "yes" if value else "no"


@dataclass(eq=False)
class Layer:
    """Policies of which one must allow: identity, boundary, one level of the organisation."""

    allows: tuple[Statement, ...]
    denies: tuple[Statement, ...]
    unread: bool = False

    @cached_property
    def plain(self) -> bool:
        """Only actions and resources decide: nobody has to look at the request."""
        return not self.unread and all(s.plain for s in (*self.allows, *self.denies))

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset(k for s in (*self.allows, *self.denies) for k in s.keys)

    @cached_property
    def tagged(self) -> bool:
        """Some answer hangs on a tag of a principal or of a resource."""
        return speaks_of_tags((*self.allows, *self.denies))


class Evaluator:
    """Answers for one estate; remembers which statements speak of which action."""

    def __init__(self, world: World, now: datetime | None = None) -> None:
        self.world = world
        self.now = now or datetime.now(UTC)
        self._about: dict[tuple[int, str], tuple[tuple[Statement, ...], tuple[Statement, ...]]] = {}
        self._layers: dict[tuple[int, str], tuple[Layer, ...]] = {}
        self._shares: dict[tuple[object, ...], int] = {}
        self._share_of: dict[int, int] = {}
        self._covered: dict[tuple[str, str], frozenset[str]] = {}
        self._now_text = self.now.isoformat()
        self._epoch = str(int(self.now.timestamp()))
        self._keep: list[Any] = []  # objects whose id() is a key stay alive
        self.tagging = Tagging(self)

    # For people and other modules

    def can(
        self, principal: str, action: str, resource: str, context: Mapping[str, Any] | None = None
    ) -> Answer:
        """May `principal` (an ARN of this estate) do `action` on `resource`, resource policy included?

        context: condition keys that are known, `{"aws:SourceIp": "203.0.113.7"}`; None: absent.
        """
        found = self.world.principals.get(principal)
        if found is None:
            return Answer("unknown", doubts=(f"{principal} is not in the inventory",))
        extra: Values = {}
        for key, value in (context or {}).items():
            listed = value if isinstance(value, (list, tuple)) else [value]
            extra[key.lower()] = None if value is None else tuple(str(v) for v in listed)
        from secinbox.iam.resources import policy_of

        own = policy_of(self.world.estate, resource)
        return self.decide_with(found.persona, action, resource, own, extra)

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
                persona.boundary_unread,
                persona.account,
                bool(principal and principal.service_linked),
            )
            found = self._shares.setdefault(key, len(self._shares))
            self._share_of[id(persona)] = found
        return found

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
            yield self._layer([persona.boundary], action)
        elif persona.boundary_unread:
            yield Layer((), (), unread=True)
        rails = self.world.guardrails.get(persona.account)
        principal = self.world.principals.get(persona.arn)
        if rails is not None and not (principal and principal.service_linked):
            for level in rails.service:
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
        """With the resource's own policy, in its account or across accounts."""
        return self._solve(persona, action.lower(), resource, extra or {}, own)

    def attain(
        self, persona: Persona, action: str, resource: str, extra: Values | None = None,
        own: Policy | None = None,
    ) -> Answer:  # fmt: skip
        """Like `decide_with`, or yes when it is yes after the principal has rewritten some tags."""
        action, extra = action.lower(), extra or {}
        best = self._solve(persona, action, resource, extra, own)
        layers = self.layers(persona, action)
        if own is not None:
            layers = (*layers, self._layer([own], action))
        if best.value == "yes" or not any(layer.tagged for layer in layers):
            return best
        speaking = [s for layer in layers for s in (*layer.allows, *layer.denies)]
        base = self.context(persona, action, resource)
        base.update(extra)
        for rewrite in self.tagging.rewrites(persona, resource, speaking, base):
            asked = self._solve(persona, action, resource, {**extra, **rewrite.values}, own)
            found = uncertain(asked, rewrite)
            if found.value == "yes" or (found.value == "unknown" and best.value == "no"):
                best = replace(found, statements=(*rewrite.statements, *found.statements))
            if best.value == "yes":
                break
        return best

    def _solve(
        self, persona: Persona, action: str, resource: str, extra: Values, own: Policy | None
    ) -> Answer:
        layers = self.layers(persona, action)
        own_layer = self._layer([own], action) if own is not None else None
        if not layers[0].allows and own_layer is None:
            return Answer("no")
        if own_layer is None and all(layer.plain for layer in layers):
            value, statements = _in_world(persona, layers, None, resource, _NOTHING, self)
            return Answer(_worded(value), tuple(statements))
        speaking = [s for layer in layers for s in (*layer.allows, *layer.denies)]
        if own_layer is not None:
            speaking += [*own_layer.allows, *own_layer.denies]
        base = self.context(persona, action, resource)
        base.update(extra)
        keys = {k for s in speaking for k in s.names}
        best: Tri = False
        decisive: list[Statement] = []
        for values in self.worlds(speaking, keys, base):
            found, statements = _in_world(persona, layers, own_layer, resource, values, self)
            if found is True:
                return Answer("yes", tuple(statements))
            if found is None:
                best, decisive = None, statements
            elif best is False and not decisive:
                decisive = statements
        doubts = tuple(sorted(k for k in keys if k not in base and not chosen(k)))
        return Answer(_worded(best), tuple(decisive), doubts if best is None else ())

    def denied(
        self, persona: Persona, action: str, resource: str, extra: Values | None = None
    ) -> Tri:
        """An explicit Deny of any layer."""
        if not any(layer.denies for layer in self.layers(persona, action.lower())):
            return False
        base = self.context(persona, action.lower(), resource)
        base.update(extra or {})
        found: list[Tri] = []
        for layer in self.layers(persona, action.lower()):
            self._absent_tags({k for s in layer.denies for k in s.names}, base)
            found += [_applies(s, resource, base) for s in layer.denies]
        return any_of(found)

    def capped(
        self, persona: Persona, action: str, resource: str, extra: Values | None = None
    ) -> Tri:
        """Do boundary and organisation allow it (whatever the identity policies say)?"""
        if len(self.layers(persona, action.lower())) == 1:
            return True
        base = self.context(persona, action.lower(), resource)
        base.update(extra or {})
        found: list[Tri] = []
        for layer in self.layers(persona, action.lower())[1:]:
            if layer.unread:
                found.append(None)
            else:
                self._absent_tags({k for s in layer.allows for k in s.names}, base)
                found.append(any_of([_applies(s, resource, base) for s in layer.allows]))
        return all_of(found) if found else True

    # Context

    def context(self, persona: Persona, action: str, resource: str) -> Values:
        """What is known of a request that this principal makes itself, from anywhere."""
        principal = self.world.principals.get(persona.arn)
        account = persona.account
        rails = self.world.guardrails.get(account)
        parts = resource.split(":", 5)
        owner = parts[4] if len(parts) == 6 and parts[4] else account
        values: Values = {
            "aws:principalarn": (persona.arn,),
            "aws:principalaccount": (account,),
            "aws:principaltype": ("User" if persona.kind == "user" else "AssumedRole",),
            "aws:principalisawsservice": ("false",),
            "aws:viaawsservice": ("false",),
            "aws:calledvia": None,
            "aws:calledviafirst": None,
            "aws:calledvialast": None,
            "aws:securetransport": ("true",),
            "aws:currenttime": (self._now_text,),
            "aws:epochtime": (self._epoch,),
            "aws:sourceip": (INTERNET,),
            "aws:vpcsourceip": None,
            "aws:sourcearn": None,
            "aws:sourceaccount": None,
            "aws:principalservicename": None,
            "aws:resourceaccount": (owner,),
        }
        if action.startswith(("iam:", "organizations:", "cloudfront:", "route53:")):
            values["aws:requestedregion"] = ("us-east-1",)
        if rails is not None and rails.organization:
            values["aws:principalorgid"] = (rails.organization,)
        if persona.kind == "user":
            values["aws:username"] = (persona.name,)
            values["aws:tokenissuetime"] = None  # a user's own key is no session
            values["aws:federatedprovider"] = None
            if principal is not None and principal.unique_id:
                values["aws:userid"] = (principal.unique_id,)
            if principal is not None and principal.mfa is not None:
                console = principal.keys == 0 and principal.has_password
                # A session of the console says "false"; a key of long standing says nothing.
                values["aws:multifactorauthpresent"] = (
                    ("true",) if principal.mfa else ("false",) if console else None
                )
        else:
            values["aws:username"] = None
            values["aws:tokenissuetime"] = (self._now_text,)
            if principal is not None and principal.unique_id:
                values["aws:userid"] = (f"{principal.unique_id}:{_NEW}",)
        if principal is not None:
            values.update(_Tags("aws:principaltag/", principal.tags).pairs())
        values.update({f"aws:principaltag/{k}": (v,) for k, v in persona.session_tags})
        self._describe(values, resource)
        return values

    def _describe(self, values: Values, resource: str) -> None:
        """Tags of a resource that is known, and the boundary of a principal that is acted on."""
        item = self.world.estate.items.get(resource)
        if item is None:
            return
        service = resource.split(":")[2] if resource.count(":") > 2 else ""
        for prefix in ("aws:resourcetag/", f"{service}:resourcetag/"):
            values.update(_Tags(prefix, item.tags).pairs())
        if service == "ec2":
            values.update(_Tags("ssm:resourcetag/", item.tags).pairs())
        if item.type == "aws_ec2_instance":
            profile = item.config.get("IamInstanceProfile")
            named = profile.get("Arn") if isinstance(profile, dict) else None
            if named:
                values["ec2:instanceprofile"] = (str(named),)
        if item.type in ("aws_iam_user", "aws_iam_role"):
            found = item.config.get("PermissionsBoundary")
            arn = found.get("PermissionsBoundaryArn") if isinstance(found, dict) else None
            values["iam:permissionsboundary"] = (str(arn),) if arn else None

    def worlds(
        self, statements: Iterable[Statement], keys: set[str], base: Values
    ) -> Iterable[Values]:
        """The base with each combination of choices that the statements can tell apart."""
        statements = list(statements)
        self._absent_tags(keys, base)
        options: dict[str, list[tuple[str, ...] | None]] = {}
        for key in sorted(keys):
            if key in base or not chosen(key):
                continue
            mentioned: dict[tuple[str, ...] | None, None] = {}
            for statement in statements:
                for _, name, values in statement.conditions:
                    if name == key:
                        for value in values:
                            if key == "iam:associatedresourcearn" and not _its_own(value, base):
                                continue
                            mentioned[(value.replace("*", "x").replace("?", "x"),)] = None
                        if len(values) > 1 and key == "aws:tagkeys":
                            mentioned[values] = None
            options[key] = [*islice(mentioned, 8), (_NEW,), None]
        if not options:
            return [base]
        names = list(options)
        return (
            {**base, **dict(zip(names, values, strict=True))}
            for values in islice(product(*(options[n] for n in names)), 256)
        )

    def _absent_tags(self, keys: set[str], base: Values) -> None:
        """A tag that a known principal or resource does not have is absent, not unknown."""
        for key in keys:
            if key in base or "tag/" not in key:
                continue
            prefix = key.split("/", 1)[0] + "/"
            if prefix + "\0" in base:
                base[key] = None


class _Tags:
    """Tags under a prefix, with a mark that there are no others."""

    def __init__(self, prefix: str, tags: Mapping[str, str]) -> None:
        self.prefix, self.tags = prefix, tags

    def pairs(self) -> Values:
        out: Values = {f"{self.prefix}{k.lower()}": (v,) for k, v in self.tags.items()}
        out[self.prefix + "\0"] = None
        return out


def _its_own(pattern: str, base: Values) -> bool:
    """A service gives a passed role to things of its own only, never to those of another one."""
    service = (base.get("iam:passedtoservice") or ("",))[0].removesuffix(".amazonaws.com")
    parts = pattern.split(":", 5)
    home = service.removesuffix("-tasks").rpartition(".")[2]
    return not service or len(parts) < 6 or glob(parts[2], home)


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
            found.append(None if filled is None else arn_matches(filled, resource))
        elif arn_matches(pattern, resource):
            return True
    return any_of(found) if found else False


def _in_world(
    persona: Persona, layers: tuple[Layer, ...], own: Layer | None, resource: str,
    values: Values, evaluator: Evaluator,
) -> tuple[Tri, list[Statement]]:  # fmt: skip
    denies: list[Tri] = []
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
    caps = all_of(granted[1:]) if len(granted) > 1 else True
    if own is None:
        result = all_of([identity, caps])
    else:
        result, more = _with_own(persona, own, resource, values, identity, caps, evaluator)
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
    persona: Persona, own: Layer, resource: str, values: Values, identity: Tri, caps: Tri,
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
    owner = (values.get("aws:resourceaccount") or ("",))[0]
    if owner and owner != persona.account:
        both_sides = any_of([direct, delegated])
        result = all_of([both_sides, identity, caps])
    elif resource.split(":")[2:3] == ["kms"]:
        # Identity policies count only where the key's policy hands over to the account.
        through_account = all_of([delegated, identity])
        result = all_of([any_of([direct, through_account]), caps])
    elif persona.kind == "user":
        result = any_of([direct, all_of([identity, caps])])
    else:
        result = all_of([any_of([direct, identity]), caps])
    return (None if doubtful and result else result), shown


def unconditional(layers: tuple[Layer, ...]) -> bool:
    """Allowed on every resource, whatever the request looks like."""
    if any(layer.denies or layer.unread for layer in layers):
        return False
    return all(
        any(
            s.effect == "Allow"
            and not s.conditions
            and s.resources is not None
            and "*" in s.resources
            for s in layer.allows
        )
        for layer in layers
    )


def candidates(layer: Layer, pool: Mapping[str, Any] | Iterable[str]) -> list[str]:
    """Members of the pool that an Allow of the layer could cover; a filter before deciding."""
    members = pool if isinstance(pool, dict) else dict.fromkeys(pool)
    out: dict[str, None] = {}
    for statement in layer.allows:
        if statement.resources is None:
            return list(members)
        for pattern in statement.resources:
            if pattern == "*" or "${" in pattern:
                return list(members)
            if not has_wildcard(pattern):
                if pattern in members:
                    out[pattern] = None
            else:
                out.update((m, None) for m in members if arn_matches(pattern, m))
    return list(out)


def new_names(layers: tuple[Layer, ...], template: str) -> list[str]:
    """ARNs of something new that the policies could let one create; `?*` is its name."""
    out: dict[str, None] = {}
    default = template.replace("?*", _NEW).replace(":*:", ":us-east-1:")
    for layer in layers[:1]:
        for statement in layer.allows:
            if statement.resources is None:
                out[default] = None
            for pattern in statement.resources or ():
                if pattern == "*" or "${" in pattern:
                    out[default] = None
                    continue
                found = common_arn(pattern, template)
                if found is not None:
                    out[found] = None
    return list(out)
