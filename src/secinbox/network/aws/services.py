"""Roles that strangers may assume, trails."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.arn import parse_arn
from secinbox.estate import Estate, Item
from secinbox.iam.conditions import Tri, all_of, condition_holds, holds
from secinbox.iam.matching import glob
from secinbox.iam.policy import Condition, Policy, Statement, parse
from secinbox.iam.providers import missing
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk
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
    "accounts.google.com": ("aud", "sub", "oaud"),
    "graph.facebook.com": ("app_id",),
    "www.amazon.com": ("app_id",),
}  # fmt: skip


_COMPARED = ("stringequals", "stringlike", "stringequalsignorecase")
_WEB = "sts:AssumeRoleWithWebIdentity"
_POOLS = "cognito-identity.amazonaws.com"


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
                if kind != "Federated":
                    continue
                pooled = value == _POOLS
                led = (
                    _pooled(estate, item, statement)
                    if pooled
                    else _federated(estate, item, statement, value)
                )
                told = () if pooled else _denied(policy, item, value)
                ways.append(both([led, *told, *_walled(item, walls)]))
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


def _pooled(estate: Estate, item: Item, statement: Statement) -> Verdict:
    """An identity pool of Cognito that gives the role to anyone who asks, without a sign-in."""
    guests, pools = True, list[str]()
    for operator, key, values in statement.conditions:
        if "not" in operator.lower():
            continue
        if key == f"{_POOLS}:amr" and not any(glob(v, "unauthenticated") for v in values):
            guests = False
        elif key == f"{_POOLS}:aud":
            pools += values
        elif key == f"{_POOLS}:sub" and not any("*" in v for v in values):
            return no(f"trust policy: {key} is pinned to {', '.join(values[:3])}", item.uid)
    if not pools:
        text = "trust policy admits identity pools of any AWS account"
        return yes(Evidence(kind="policy", text=text, source=item.uid,
                            steps=("Anyone's identity pool", _WEB, item.uid)))  # fmt: skip
    if not guests:
        return no("trust policy: it is for those who signed in", item.uid)
    known = {str(i.config.get("IdentityPoolId")): i
             for i in estate.of_type("aws_cognito_identity_identity_pool")}  # fmt: skip
    return either([_of_pool(item, name, known.get(name)) for name in pools])


def _of_pool(role: Item, name: str, pool: Item | None) -> Verdict:
    open_to_guests = pool.config.get("AllowUnauthenticatedIdentities") if pool else None
    if pool is None or open_to_guests is None:
        return unknown(f"whether the identity pool {name} lets guests in was not read", role.uid)
    if open_to_guests is not True:
        return no(f"the identity pool {name} lets no guests in", role.uid)
    found = answer(pool, "get_identity_pool_roles")
    classic = pool.config.get("AllowClassicFlow") is True
    if isinstance(found, Unread) and not classic:
        return unknown(f"roles of the identity pool {name}: {found.text}", role.uid)
    told = {} if isinstance(found, Unread) or not found else found
    if not classic and role.uid not in walk(dict(told), "Roles.unauthenticated"):
        return no(f"the identity pool {name} gives guests another role", role.uid)
    cut = "" if classic else ", cut to the services that guests may use"
    return yes(Evidence(kind="policy", text=f"the identity pool {name} gives it to anyone without a sign-in{cut}",
                        source=pool.uid, via=(pool.uid,),
                        steps=("Anyone", f"identity pool {name}", role.uid)))  # fmt: skip


def _federated(estate: Estate, item: Item, statement: Statement, provider: str) -> Verdict:
    gone = missing(estate, provider)
    if gone:
        return no(gone, item.uid)
    issuer = provider.rpartition("oidc-provider/")[2].removeprefix("https://")
    # With a path behind the host it is the issuer of one tenant.
    claims = _SHARED_ISSUERS.get(issuer.rstrip("/"))
    if claims is None:
        return no(f"{issuer} gives tokens to one organisation only", item.uid)
    bindings = []
    for operator, key, values in statement.conditions:
        owner, _, claim = key.partition(":")
        word = operator.lower().removeprefix("forallvalues:").removeprefix("foranyvalue:")
        plain = word.removesuffix("ifexists")
        # Every token has a subject; other claims may be missing, and then ...IfExists holds.
        if (
            owner == issuer.lower() and claim in claims and plain in _COMPARED
            and (plain == word or claim in ("sub", "aud"))
        ):  # fmt: skip
            bindings.append((plain, key, values))
    for plain, key, values in bindings:
        # Only ...Like takes a star for anything.
        loose = plain == "stringlike" and any(
            _of_everyone(key.partition(":")[2], v) for v in values
        )
        if not loose:
            return no(f"trust policy: {key} is pinned to {', '.join(values[:3])}", item.uid)
    shown = (
        "; ".join(f"{k} {', '.join(v)}" for _, k, v in bindings) or "no condition on the subject"
    )
    text = f"trust policy admits any workload at {issuer} ({shown})"
    return yes(Evidence(kind="policy", text=text, source=item.uid,
                        steps=(f"Anyone at {issuer}", _WEB, item.uid)))  # fmt: skip


def _denied(policy: Policy, item: Item, provider: str) -> Iterator[Verdict]:
    """What the trust policy itself denies to a stranger with a token of that provider."""
    for statement in policy.statements:
        if statement.effect != "Deny" or not statement.about("sts:assumerolewithwebidentity"):
            continue
        named = statement.principals or ()
        if named and not any(v in ("*", provider) for _, v in named):
            continue
        stopped = all_of([_hits_strangers(c, provider) for c in statement.conditions] or [True])
        if stopped is True:
            yield no(f"trust policy: {statement.text}", item.uid)
        elif stopped is None:
            keys = ", ".join(sorted(statement.keys))
            yield unknown(f"whom the trust policy denies ({keys}) is not known", item.uid)


def _hits_strangers(condition: Condition, provider: str) -> Tri:
    """Does a condition of a denial hold for whatever token a stranger may bring?"""
    operator, key, values = condition
    owner, _, claim = key.partition(":")
    issuer = provider.rpartition("oidc-provider/")[2].removeprefix("https://")
    if owner != issuer.lower():
        return condition_holds(condition, _WITH_TOKEN)
    word = operator.lower().removeprefix("forallvalues:").removeprefix("foranyvalue:")
    plain = word.removesuffix("ifexists")
    if claim not in _SHARED_ISSUERS.get(issuer.rstrip("/"), ()):
        return None
    likes = plain.endswith("like")
    if plain.replace("not", "") not in _COMPARED:
        return None
    if "not" in plain:
        # Whoever is not one of these: a stranger, unless a pattern fits his claim, too.
        return not (likes and any(_of_everyone(claim, v) for v in values))
    return likes and any(v in ("*", "repo:*", "project_path:*") for v in values)


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
