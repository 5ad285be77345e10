"""Distributions, roles that strangers may assume, trails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from secinbox.arn import parse_arn
from secinbox.estate import Estate, Item
from secinbox.iam.matching import common
from secinbox.iam.policy import Statement, parse
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.policies import Surroundings, admits_strangers
from secinbox.network.aws.vpc import entries
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence

# CloudFront


def distribution(item: Item) -> Verdict:
    enabled = item.config.get("Enabled")
    if enabled is None:
        return unknown("whether it is enabled was not read", item.uid)
    if enabled is not True:
        return no("the distribution is disabled", item.uid)
    if item.unfinished("DefaultCacheBehavior"):
        return unknown(item.unfinished("DefaultCacheBehavior"), item.uid)
    if _signed_only(item):
        return no("every behaviour asks for signed URLs or cookies", item.uid)
    host = str(item.config.get("DomainName") or item.uid)
    return yes(Evidence(kind="endpoint", text="an enabled distribution answers everyone",
                        source=host, steps=("Internet", host), ports="tcp 80, 443"))  # fmt: skip


def _behaviours(item: Item) -> list[dict[str, Any]]:
    found = [b for b in walk(item.config, "DefaultCacheBehavior") if isinstance(b, dict)]
    return found + [b for b in walk(item.config, "CacheBehaviors.Items[]") if isinstance(b, dict)]


def _signed(behaviour: dict[str, Any]) -> bool:
    return any(
        isinstance(behaviour.get(k), dict) and behaviour[k].get("Enabled") is True
        for k in ("TrustedSigners", "TrustedKeyGroups")
    )


def _signed_only(item: Item) -> bool:
    behaviours = _behaviours(item)
    return bool(behaviours) and all(_signed(b) for b in behaviours)


def origins(
    item: Item, verdict: Verdict, buckets: dict[str, Item]
) -> Iterator[tuple[str, Verdict]]:
    """Buckets that a public distribution serves to everyone although they are private."""
    if verdict.value == "no":
        return
    known = [] if item.unfinished("DefaultCacheBehavior") else _behaviours(item)
    open_targets = {str(b.get("TargetOriginId")) for b in known if not _signed(b)}
    for origin in entries(list(walk(item.config, "Origins.Items[]"))):
        if open_targets and str(origin.get("Id")) not in open_targets:
            continue
        found = re.fullmatch(
            r"(.+)\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?",
            str(origin.get("DomainName") or ""),
        )
        bucket = buckets.get(found.group(1)) if found else None
        if bucket is None:
            continue
        gate = _served(item, origin, bucket)
        if gate.value != "yes":
            yield bucket.uid, gate
            continue
        if verdict.value != "yes":
            yield bucket.uid, verdict
            continue
        host = verdict.evidence[0].source
        text = f"private, but served to everyone by the distribution {host}"
        yield bucket.uid, yes(Evidence(kind="route", text=text, source=item.uid, via=(item.uid,),
                                       ports="tcp 80, 443",
                                       steps=("Internet", host, bucket.uid)))  # fmt: skip


def _served(item: Item, origin: dict[str, Any], bucket: Item) -> Verdict:
    """The bucket's policy lets this distribution (or its origin access identity) read."""
    found = answer(bucket, "get_bucket_policy")
    if isinstance(found, Unread):
        return unknown(f"bucket policy: {found.text}", bucket.uid)
    policy = parse((found or {}).get("Policy") or {"Statement": []}, "bucket policy")
    identity = str(
        (origin.get("S3OriginConfig") or {}).get("OriginAccessIdentity") or ""
    ).rpartition("/")[2]
    for statement in policy.statements:
        if statement.effect != "Allow" or not statement.about("s3:getobject"):
            continue
        if _names_distribution(statement, item):
            return yes()
        if identity and _names_identity(statement, identity):
            return yes()
    return no("the bucket's policy does not let the distribution read", bucket.uid)


def _names_distribution(statement: Statement, item: Item) -> bool:
    if ("Service", "cloudfront.amazonaws.com") not in (statement.principals or ()):
        return False
    for operator, key, values in statement.conditions:
        if key == "aws:sourcearn" and not operator.lower().startswith(("stringnot", "arnnot")):
            if not any(common(v, item.uid) for v in values):
                return False
        elif key == "aws:sourceaccount" and values:
            account = item.uid.split(":")[4]
            if account not in values:
                return False
    return True


def _names_identity(statement: Statement, identity: str) -> bool:
    return any(
        kind == "CanonicalUser" or value.endswith(identity)
        for kind, value in statement.principals or ()
    )


# Roles


# Issuers that give tokens to everybody's workloads: only the subject says whose it is.
_SHARED_ISSUERS = {
    "token.actions.githubusercontent.com": ("sub", "repository", "repository_owner", "repository_id",
                                            "repository_owner_id", "job_workflow_ref"),
    "gitlab.com": ("sub", "project_path", "namespace_path", "namespace_id", "project_id"),
    "app.terraform.io": ("sub",),
    "agent.buildkite.com": ("sub",),
    "oidc.fly.io": ("sub",),
    "oidc.vercel.com": ("sub",),
    "api.bitbucket.org": ("sub",),
    "cognito-identity.amazonaws.com": ("aud", "sub"),
    "accounts.google.com": ("aud", "sub", "oaud"),
    "graph.facebook.com": ("app_id",),
    "www.amazon.com": ("app_id",),
}  # fmt: skip


def role(item: Item) -> Verdict:
    """Who may become it: any principal of AWS, or anyone's workload at a shared issuer."""
    document = item.config.get("AssumeRolePolicyDocument")
    if document is None:
        return unknown("its trust policy was not read", item.uid)
    policy = parse(document, "trust policy")
    ways = [
        admits_strangers(
            policy,
            ("sts:assumerole",),
            item.uid,
            Surroundings(item.account, item.tags),
            "trust policy",
        )
    ]
    for statement in policy.statements:
        if statement.effect == "Allow" and statement.about("sts:assumerolewithwebidentity"):
            for kind, value in statement.principals or ():
                if kind == "Federated":
                    ways.append(_federated(item, statement, value))
    found = either(ways)
    part = item.unfinished("AssumeRolePolicyDocument")
    return unknown(part, item.uid) if part and found.value == "yes" else found


def _federated(item: Item, statement: Statement, provider: str) -> Verdict:
    issuer = provider.rpartition("oidc-provider/")[2].removeprefix("https://")
    claims = next(
        (c for i, c in _SHARED_ISSUERS.items() if issuer == i or issuer.startswith(i + "/")), None
    )
    if claims is None:
        return no(f"{issuer} gives tokens to one organisation only", item.uid)
    bindings = [
        (operator, key, values)
        for operator, key, values in statement.conditions
        if key.partition(":")[0] == issuer.lower() and key.partition(":")[2] in claims
        and operator.lower().removeprefix("forallvalues:").removeprefix("foranyvalue:")
        in ("stringequals", "stringlike", "stringequalsignorecase")
    ]  # fmt: skip
    for _, key, values in bindings:
        if not any(_of_everyone(key.partition(":")[2], v) for v in values):
            return no(f"trust policy: {key} is pinned to {', '.join(values[:3])}", item.uid)
    shown = (
        "; ".join(f"{k} {', '.join(v)}" for _, k, v in bindings) or "no condition on the subject"
    )
    text = f"trust policy admits any workload at {issuer} ({shown})"
    return yes(Evidence(kind="policy", text=text, source=item.uid,
                        steps=(f"Anyone at {issuer}", "sts:AssumeRoleWithWebIdentity", item.uid)))  # fmt: skip


def _of_everyone(claim: str, pattern: str) -> bool:
    """Could a stranger have a claim like this? `repo:org*` also is `repo:org-evil/...`."""
    if "*" not in pattern and "?" not in pattern:
        return False
    owner = pattern
    if claim == "sub" and ":" in pattern:
        word, _, rest = pattern.partition(":")
        if "*" in word or "?" in word:
            return True
        owner = rest
    head, slash, _ = owner.partition("/")
    if word_like(pattern):
        # organization:NAME:project:..., one name between colons
        head, slash = owner.partition(":")[0], ":"
    return "*" in head or "?" in head if slash else True


def word_like(pattern: str) -> bool:
    return pattern.startswith("organization:")


# Trails


def trail(item: Item, buckets: dict[str, Item], verdicts: dict[str, Verdict]) -> Verdict:
    """A trail is as public as the bucket that it writes to."""
    name = str(item.config.get("S3BucketName") or "")
    bucket = buckets.get(name)
    if bucket is None or bucket.uid not in verdicts:
        return unknown(f"its bucket {name or '(not named)'} was not read", item.uid)
    found = verdicts[bucket.uid]
    if found.value != "yes":
        return found
    first = found.evidence[0]
    return yes(Evidence(kind=first.kind, text=f"its log bucket {name} is public: {first.text}",
                        source=bucket.uid, steps=(*first.steps, item.name)))  # fmt: skip


def bucket_names(estate: Estate) -> dict[str, Item]:
    return {
        (arn.id if (arn := parse_arn(i.uid)) else i.name): i
        for i in estate.of_type("aws_s3_bucket")
    }
