"""Roles that strangers may assume, trails."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.arn import parse_arn
from secinbox.estate import Estate, Item
from secinbox.iam.conditions import holds
from secinbox.iam.policy import Statement, parse
from secinbox.network.aws.policies import admits_strangers
from secinbox.network.aws.stores import around
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence

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


def role(estate: Estate, item: Item) -> Verdict:
    """Who may become it: any principal of AWS, or anyone's workload at a shared issuer."""
    document = item.config.get("AssumeRolePolicyDocument")
    if document is None:
        return unknown("its trust policy was not read", item.uid)
    policy = parse(document, "trust policy")
    request = around(estate, item)
    ways = [admits_strangers(policy, ("sts:assumerole",), item.uid, request, "trust policy")]
    walls = [s for s in request.walls if s.about("sts:assumerolewithwebidentity")]
    for statement in policy.statements:
        if statement.effect == "Allow" and statement.about("sts:assumerolewithwebidentity"):
            for kind, value in statement.principals or ():
                if kind == "Federated":
                    ways.append(both([_federated(item, statement, value), *_walled(item, walls)]))
    found = either(ways)
    part = item.unfinished("AssumeRolePolicyDocument")
    return unknown(part, item.uid) if part and found.value == "yes" else found


# Who comes with a token of an issuer belongs to no organisation of AWS.
_WITH_TOKEN: dict[str, tuple[str, ...] | None] = {
    "aws:principalorgid": None, "aws:principalorgpaths": None, "aws:principalaccount": None,
    "aws:principalisawsservice": ("false",), "aws:securetransport": ("true",),
}  # fmt: skip


def _walled(item: Item, walls: list[Statement]) -> Iterator[Verdict]:
    """What the organisation denies to whoever comes with a token."""
    for wall in walls:
        stopped = holds(wall, _WITH_TOKEN) if wall.effect == "Deny" else None
        if stopped is True:
            yield no(f"a resource control policy: {wall.text}", item.uid)
        elif stopped is None:
            keys = ", ".join(sorted(wall.keys - _WITH_TOKEN.keys()))
            yield unknown(f"whom a resource control policy denies ({keys}) is not known", item.uid)


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
