"""Does a resource policy let strangers in: anyone on the Internet, or any account of the cloud?

The policy is tried with requests of a stranger: values that nobody of the owner's organisation
has, absent values for what AWS adds to calls on somebody's behalf (aws:SourceArn ...), every value
that the policy itself mentions for what a caller chooses freely (aws:Referer, aws:UserAgent ...).
Source addresses are cut into the ranges that the policy speaks of, and the open ones are added up.
Sources: S3 User Guide, "The meaning of public"; IAM User Guide, "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, product
from math import prod

from secinbox.iam.conditions import Tri, all_of, any_of, condition_holds
from secinbox.iam.guardrails import binds
from secinbox.iam.matching import arn_matches, common, common_arn, glob
from secinbox.iam.policy import Policy, Statement
from secinbox.iam.telling import told_apart
from secinbox.network.ranges import (
    IntSet,
    boundaries,
    cidr_texts,
    clients,
    everything,
    interval_of,
    is_wide,
    parse_network,
)
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence

STRANGER = "000000000000"  # an account that is nobody's
_MOST = 4096  # requests that are tried of one policy
_NAME = "secinbox-stranger"
_SOME = "secinbox-any"  # a part of a name that no policy speaks of

# What AWS puts into a call that a service makes for somebody; a stranger's own call lacks it.
_ABSENT = (
    "aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid",
    "aws:sourceorgpaths", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast",
    "aws:vpcsourceip", "aws:principalservicename", "aws:principalservicenameslist",
    "aws:federatedprovider", "aws:sourceidentity", "elasticfilesystem:accessedviamounttarget",
    "s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:accesspointnetworkorigin",
    "kms:grantisforawsresource", "kms:viaservice",
)  # fmt: skip
# A stranger has one, but never the owner's: any value that is written out is somebody else's.
_FOREIGN = {
    "aws:principalorgid": "o-stranger00",
    "aws:principalorgpaths": "o-stranger00/r-0000/",
    "aws:principalaccount": STRANGER,
    "aws:sourcevpc": "vpc-00000000000000000",
    "aws:sourcevpce": "vpce-00000000000000000",
    "aws:sourcevpcarn": f"arn:aws:ec2:us-east-1:{STRANGER}:vpc/vpc-00000000000000000",
    "aws:vpceaccount": STRANGER,
    "aws:vpceorgid": "o-stranger00",
    "aws:vpceorgpaths": "o-stranger00/r-0000/",
    "aws:userid": f"AIDA{_NAME}",
    "kms:calleraccount": STRANGER,
    "sts:externalid": "unknown-to-a-stranger",
}
_CHOSEN = (
    "aws:referer", "aws:useragent", "aws:securetransport", "aws:multifactorauthpresent",
    "aws:multifactorauthage", "aws:principaltype", "aws:requestedregion", "aws:tokenissuetime",
    "aws:username", "aws:requesttag/", "aws:tagkeys", "aws:principaltag/", "s3:prefix",
    "s3:delimiter", "s3:max-keys", "s3:x-amz-", "s3:versionid", "s3:tlsversion",
    "s3:signatureversion", "s3:authtype", "s3:signatureage", "s3:object", "sns:protocol",
    "sns:endpoint", "sts:rolesessionname", "sts:sourceidentity", "sts:transitivetagkeys",
    "kms:encryptioncontext", "kms:grantoperations", "kms:encryptionalgorithm", "execute-api:",
)  # fmt: skip

# And these a stranger can do without: an account of no organisation, a call that no endpoint carries.
_LACKED = (
    "aws:principalorgid", "aws:principalorgpaths", "aws:sourcevpc", "aws:sourcevpce",
    "aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths",
)  # fmt: skip


@dataclass
class Surroundings:
    """What is known of the resource that the policy hangs on."""

    account: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    now: datetime | None = None
    walls: tuple[Statement, ...] = ()  # what the organisation denies to whoever asks for it


def admits_strangers(
    policy: Policy, actions: Iterable[str], resource: str, around: Surroundings, what: str
) -> Verdict:
    """yes with the statement; no with what narrows it; unknown where a condition is not understood.

    actions: those that matter, in lower case, `sqs:*` for any of a service. resource: the ARN that
    is asked for, e.g. `arn:aws:s3:::bucket/key`.
    """
    asked = _asked(policy, actions)
    best: Verdict | None = None
    for action in asked:
        found = _one(policy, action, resource, around, what)
        if found.value == "yes":
            return found
        if (
            best is None
            or (best.value == "no" and found.value == "unknown")
            or (best.value == "no" and len(found.evidence[0].text) > len(best.evidence[0].text))
        ):
            best = found
    if policy.problems:
        return unknown(f"the {what} cannot be read: {'; '.join(policy.problems)}")
    return best or no(f"the {what} allows nothing to strangers")


def _asked(policy: Policy, actions: Iterable[str]) -> list[str]:
    """`sqs:*` becomes the actions that the policy's statements name, as far as they fit."""
    out: dict[str, None] = {}
    for action in actions:
        if not action.endswith("*"):
            out[action] = None
            continue
        service = action.removesuffix("*")
        for statement in policy.statements:
            for pattern in statement.actions or ():
                text = common(pattern, f"{service}?*")
                if pattern in ("*", action):
                    out[f"{service}anything"] = None
                elif text:
                    out[text] = None  # `kms:generatedatakey*` means that one, too
            if statement.not_actions is not None:
                out[f"{service}anything"] = None
    return list(out)


def _one(policy: Policy, action: str, resource: str, around: Surroundings, what: str) -> Verdict:
    statements = (*policy.statements, *(w for w in around.walls if binds(w, action)))
    about = [s for s in statements if s.effect != "broken" and s.about(action)]
    best: Verdict | None = None
    for place in _places(about, resource):
        found = _at([s for s in about if _covers(s, place)], resource, around, what)
        if found.value == "yes":
            return found
        if best is None or best.value == "no":
            best = found
    return best or no(f"the {what} names no stranger")


def _places(about: list[Statement], resource: str) -> list[str]:
    """Where it is tried: of "some object", one for each allowance that speaks of a part of them.

    A denial for other objects does not stop these.
    """
    if not resource.endswith("/*"):
        return [resource]
    out: dict[str, None] = {}
    some = resource[:-1] + _SOME
    for statement in about:
        if statement.effect != "Allow":
            continue
        if statement.resources is None or any(
            _resource_matches(p, some) for p in statement.resources
        ):
            out[some] = None
            continue
        for pattern in statement.resources:
            shared = common_arn(_without_variables(pattern), resource[:-1] + "?*")
            if shared is not None:
                out[shared] = None
    return list(out)


def _at(about: list[Statement], resource: str, around: Surroundings, what: str) -> Verdict:
    allows = [s for s in about if s.effect == "Allow" and _is_stranger(s) is not False]
    if not allows:
        return no(f"the {what} names no stranger")
    denies = [s for s in about if s.effect == "Deny"]
    keys = {key for s in (*allows, *denies) for key in s.keys}
    by_version = {v: _open_addresses(allows, denies, keys, around, v) for v in (4, 6)}
    if any(is_wide(sure, v) for v, (sure, _) in by_version.items()):
        used = _decisive(allows, denies, around)
        return yes(
            Evidence(
                kind="policy",
                text=f"{what}: {used.text}",
                source=resource,
                steps=("Anyone", used.sid or "statement", resource),
            )
        )
    if any(is_wide(sure | maybe, v) for v, (sure, maybe) in by_version.items()):
        doubtful = sorted(k for k in keys if not _understood(k, around))
        names = ", ".join(doubtful) or "a condition"
        return unknown(f"the {what} lets strangers in if {names} holds, which is not known")
    some = "; ".join(
        text for v, (sure, _) in by_version.items() if (text := cidr_texts(clients(sure, v), v))
    )
    if some:
        return no(f"the {what} admits only {some}", sources_allowed=some)
    return no(f"the {what} is narrowed: {_narrowing(allows, denies)}")


def _narrowing(allows: list[Statement], denies: list[Statement]) -> str:
    conditions = sorted({k for s in allows for k in s.keys})
    if conditions:
        return f"condition on {', '.join(conditions)}"
    return denies[0].text if denies else "nothing is allowed"


def _covers(statement: Statement, resource: str) -> bool:
    """Policies of some services have no Resource: they speak of what they hang on."""
    if statement.resources is not None:
        return any(_resource_matches(p, resource) for p in statement.resources)
    if statement.not_resources is not None:
        return not any(_resource_matches(p, resource) for p in statement.not_resources)
    return True


def _resource_matches(pattern: str, resource: str) -> bool:
    return arn_matches(_without_variables(pattern), resource)


def _without_variables(pattern: str) -> str:
    return pattern.split("${", 1)[0] + "*" if "${" in pattern else pattern


def _is_stranger(statement: Statement) -> bool:
    """Could the principal of a stranger be meant?"""
    if statement.not_principals is not None:
        return not any(value == "*" for _, value in statement.not_principals)
    return any(value == "*" and kind in ("*", "AWS") for kind, value in statement.principals or ())


def _open_addresses(
    allows: list[Statement], denies: list[Statement], keys: set[str], around: Surroundings,
    version: int,
) -> tuple[IntSet, IntSet]:  # fmt: skip
    """Source addresses from which a stranger is surely let in, and those where nobody knows."""
    cuts = []
    for statement in (*allows, *denies):
        for _, key, values in statement.conditions:
            if key == "aws:sourceip":
                nets = (parse_network(v) for v in values)
                cuts += [interval_of(n) for n in nets if n is not None and n.version == version]
    whole = everything(version).intervals[0]
    worlds, all_of_them = _worlds(allows, denies, keys, around)
    sure, maybe = [], []
    for low, high in boundaries(cuts, whole):
        results = [_decide(allows, denies, w, low, version) for w in worlds]
        found = any_of(results)
        if found is True:
            sure.append((low, high))
        elif found is None or not all_of_them:
            maybe.append((low, high))
    return IntSet.of(sure), IntSet.of(maybe)


def _decide(
    allows: list[Statement], denies: list[Statement], world: dict[str, tuple[str, ...] | None],
    address: int, version: int,
) -> Tri:  # fmt: skip
    stopped = any_of([_holds(s, world, address, version) for s in denies if _denied_principal(s)])
    if stopped is True:
        return False
    allowed = any_of([_holds(s, world, address, version) for s in allows])
    return None if stopped is None and allowed is not False else allowed


def _denied_principal(statement: Statement) -> bool:
    """Deny with NotPrincipal hits every stranger; with Principal only `*` does."""
    if statement.not_principals is not None:
        return True
    return any(value == "*" and kind in ("*", "AWS") for kind, value in statement.principals or ())


def _holds(
    statement: Statement, world: dict[str, tuple[str, ...] | None], address: int, version: int
) -> Tri:
    results: list[Tri] = []
    for condition in statement.conditions:
        operator, key, values = condition
        if key == "aws:sourceip" and operator.lower().removesuffix("ifexists") in (
            "ipaddress",
            "notipaddress",
        ):
            nets = [parse_network(v) for v in values]
            if any(n is None for n in nets):
                results.append(None)
                continue
            inside = any(
                n is not None and n.version == version
                and interval_of(n)[0] <= address <= interval_of(n)[1]
                for n in nets
            )  # fmt: skip
            results.append(inside != operator.lower().startswith("not"))
        else:
            results.append(condition_holds(condition, world, statement.variables))
    return all_of(results) if results else True


def _understood(key: str, around: Surroundings) -> bool:
    return (
        key in _FOREIGN
        or key in _ABSENT
        or key in around.known
        or key.startswith(_CHOSEN)
        or key in ("aws:sourceip", "aws:principalarn", "aws:currenttime", "aws:epochtime")
    )


def _worlds(
    allows: list[Statement], denies: list[Statement], keys: set[str], around: Surroundings
) -> tuple[list[dict[str, tuple[str, ...] | None]], bool]:
    """Requests that a stranger could send, as far as the policy tells them apart; whether these are all."""
    now = around.now or datetime.now(UTC)
    base: dict[str, tuple[str, ...] | None] = dict.fromkeys(_ABSENT)
    base |= {key: (value,) for key, value in _FOREIGN.items()}
    base |= {
        "aws:principalisawsservice": ("false",),
        "aws:viaawsservice": ("false",),
        "aws:currenttime": (now.isoformat(),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:resourceaccount": (around.account,) if around.account else None,
        "aws:principalarn": (f"arn:aws:iam::{STRANGER}:user/{_NAME}",),
    }
    for key, value in around.tags.items():
        base[f"aws:resourcetag/{key.lower()}"] = (value,)
    base |= around.known
    options: dict[str, list[tuple[str, ...] | None]] = {}
    for key in sorted(keys - set(around.known)):
        mentioned = _mentioned(allows, denies, key)
        if key.startswith(_CHOSEN):
            options[key] = [None, (_NAME,), *((v,) for v in mentioned)]
            if key == "aws:securetransport":
                options[key] = [("true",), ("false",)]
            elif key == "aws:principaltype":
                options[key] = [("Anonymous",), ("User",), ("AssumedRole",), ("Account",)]
        elif key == "aws:principalarn":
            # Someone else's account may have a role of that name.
            foreign = [
                f
                for v in mentioned
                if (f := common_arn(v, f"arn:aws:*::{STRANGER}:?*")) is not None
            ]
            options[key] = [(f,) for f in (f"arn:aws:iam::{STRANGER}:user/{_NAME}", *foreign)]
        elif key in ("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner"):
            options[key] = _on_behalf(key, mentioned)
        elif key in ("kms:viaservice",):
            options[key] = [None, *((v,) for v in mentioned)]
        elif key in _FOREIGN:
            fitting = [
                (f,)
                for v in mentioned
                if ("*" in v or "?" in v) and glob(v, _FOREIGN[key])
                for f in (_FOREIGN[key],)
            ]
            options[key] = [(_FOREIGN[key],), *fitting, *((None,) if key in _LACKED else ())]
    names = list(options)
    rows = [told_apart(options[n], (n,), (*allows, *denies)) for n in names]
    worlds = [{**base, **dict(zip(names, values, strict=True))}
              for values in islice(product(*rows), _MOST)]  # fmt: skip
    return worlds, prod(len(r) for r in rows) <= _MOST


def _on_behalf(key: str, mentioned: list[str]) -> list[tuple[str, ...] | None]:
    """A stranger's resource in a service that calls for it: only where the pattern fits one."""
    out: list[tuple[str, ...] | None] = [None]
    for value in mentioned:
        if key == "aws:sourcearn":
            foreign = common_arn(value, f"arn:aws:*:*:{STRANGER}:?*")
            bucket = f"arn:aws:s3:::{_NAME}"
            out += [(f,) for f in (foreign, bucket if glob(value, bucket) else None) if f]
        elif glob(value, STRANGER):
            out.append((STRANGER,))
    return out


def _mentioned(allows: list[Statement], denies: list[Statement], key: str) -> list[str]:
    out: dict[str, None] = {}
    for statement in (*allows, *denies):
        for _, name, values in statement.conditions:
            if name == key:
                for value in values:
                    out[
                        value.replace("*", "x").replace("?", "x")
                        if key.startswith(_CHOSEN)
                        else value
                    ] = None
    return list(out)


def _decisive(allows: list[Statement], denies: list[Statement], around: Surroundings) -> Statement:
    """The statement to show: the one with the fewest conditions."""
    return min(allows, key=lambda s: (len(s.conditions), s.sid))
