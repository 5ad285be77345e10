"""What the posture formats (OCSF, ASFF, Prowler) share: cloud resources, checks, product names."""

from __future__ import annotations

import re

from secinbox.arn import parse_arn
from secinbox.fingerprint import image_uid
from secinbox.records import Alias, Resource
from secinbox.sources._names import (
    address_name,
    aws_resource,
    aws_type,
    is_private,
    kubernetes_resource,
)

_ECR_IMAGE = re.compile(
    r"arn:(aws[a-z-]*):ecr:([a-z0-9-]+):(\d{12}):repository/(.+)/(sha256:[0-9a-f]+)"
)
_ACCOUNT = re.compile(r"AWS::::Account:(\d{12})")
_ACCESS_KEY = re.compile(r"(?:AWS::IAM::AccessKey:|^)((?:AKIA|ASIA)\w{4,124})$")
_PRINCIPALS = ("aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy")
_IDENTITY_KINDS = (
    "aws_iam_access_key",
    "aws_iam_instance_profile",
    "accesskey",
    "azure_microsoft_authorization",
    "kubernetes_role",
    "kubernetes_clusterrole",
    "kubernetes_rolebinding",
    "kubernetes_clusterrolebinding",
    "kubernetes_serviceaccount",
)


def ecr_image(arn: str, tags: list[str] | None = None, place: str = "") -> Resource | None:
    """The container image that an ECR image's ARN names."""
    found = _ECR_IMAGE.fullmatch(arn)
    if not found:
        return None
    partition, region, account, repository, digest = found.groups()
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    name = f"{account}.dkr.ecr.{region}.{suffix}/{repository}"
    aliases = [Alias(arn), Alias(digest, 0.9)]
    aliases += [Alias(image_uid(f"{name}:{tag}"), 0.9) for tag in tags or ()]
    return Resource(
        uid=image_uid(name, digest),
        type="container_image",
        name=f"{repository}:{tags[0]}" if tags else repository,
        provider="aws",
        account=account,
        region=region,
        aliases=tuple(aliases),
        place=place,
    )


def cloud_resource(
    uid: str,
    *,
    kind: str = "",
    name: str = "",
    provider: str = "",
    account: str = "",
    region: str = "",
    group: str = "",
    namespace: str = "",
    cluster: str = "",
    tags: dict[str, str] | None = None,
    place: str = "",
) -> Resource:
    """A resource of any provider under the uid that DESIGN gives to its kind."""
    tags = tags or {}
    named_account = _ACCOUNT.fullmatch(uid)
    if named_account:
        uid = f"arn:aws:iam::{named_account.group(1)}:root"
    key = _ACCESS_KEY.search(uid)
    if key:
        return Resource(
            uid=f"accesskey:{key.group(1)}",
            type="accesskey",
            name=key.group(1),
            provider="aws",
            account=account,
            tags=tags,
            place=place,
        )
    image = ecr_image(uid, place=place)
    if image:
        return image
    if uid.startswith("arn:"):
        return aws_resource(uid, kind=kind, account=account, region=region, tags=tags, place=place)
    if uid.lower().startswith(("/subscriptions/", "/providers/", "/tenants/")):
        return Resource(
            uid=uid.lower().rstrip("/"),
            type=azure_type(uid, kind),
            name=name or uid.rpartition("/")[2],
            provider="azure",
            account=account,
            region=region,
            tags=tags,
            place=place,
        )
    if uid.startswith("//"):
        return Resource(
            uid=uid,
            type=_typed("gcp", kind or uid.split("/")[2].split(".")[0]),
            name=name or uid.rpartition("/")[2],
            provider="gcp",
            account=account,
            region=region,
            tags=tags,
            place=place,
        )
    if uid.startswith(("k8s://", "image:", "repo:", "host:")):
        return Resource(
            uid=uid,
            type=_typed("", kind or uid.partition(":")[0]),
            name=name or uid,
            tags=tags,
            place=place,
        )
    if provider == "kubernetes" and name:
        return kubernetes_resource(cluster, namespace, kubernetes_kind(kind), name, place)
    if provider == "aws":
        return aws_resource(uid, kind=kind, account=account, region=region, tags=tags, place=place)
    if not provider:
        address = address_name(uid)
        return Resource(
            uid=address or uid,
            type=_typed("", kind) or "resource",
            name=name or uid,
            account=account,
            region=region,
            tags=tags,
            place=place,
        )
    # A bare name (`AppInsights`) is only unique within its account and service.
    scoped = "/".join(part for part in (account, group, uid or name) if part)
    aliases = tuple(
        Alias(text, 0.4) for text in dict.fromkeys((uid, name)) if text and text != scoped
    )
    return Resource(
        uid=f"{provider}:{scoped}",
        type=_typed(provider, kind),
        name=name or uid,
        provider=provider,
        account=account,
        region=region,
        tags=tags,
        aliases=aliases,
        place=place,
    )


def _typed(provider: str, kind: str) -> str:
    words = aws_type(kind.replace("/", " ")) if kind else "resource"
    return f"{provider}_{words}" if provider and not words.startswith(provider) else words


def azure_type(uid: str, kind: str = "") -> str:
    """`azure_microsoft_compute_virtualmachines` of a resource id."""
    found = re.findall(r"/providers/([^/]+)/([^/]+)", uid, re.I)
    if found:
        space, word = found[-1]
        return f"azure_{space}_{word}".lower().replace(".", "_")
    return "azure_" + (kind.lower().replace("/", "_").replace(".", "_") or "subscription")


_CONTROL_PLANE = {
    "kubernetesapiserver",
    "kubernetescontrollermanager",
    "kubernetesscheduler",
    "kubernetesetcd",
}


def kubernetes_kind(kind: str) -> str:
    """`pod` of `KubernetesPod`; control plane parts are pods."""
    word = kind.lower()
    if word in _CONTROL_PLANE:
        return "pod"
    return word.removeprefix("kubernetes") or "object"


def posture_type(rule: str, resource_type: str) -> str:
    """`identity_risk` for checks of principals, else `misconfiguration`."""
    if resource_type in _PRINCIPALS or resource_type.startswith(_IDENTITY_KINDS):
        return "identity_risk"
    word = rule.lower()
    if "password_policy" in word:
        return "misconfiguration"
    if word.startswith(("iam_", "entra_", "rbac_")):
        return "identity_risk"
    return "misconfiguration"


_PRODUCTS = {
    "inspector": "aws-inspector",
    "amazon inspector": "aws-inspector",
    "security hub": "aws-security-hub",
    "aws security hub": "aws-security-hub",
    "guardduty": "guardduty",
    "amazon guardduty": "guardduty",
    "macie": "aws-macie",
    "amazon macie": "aws-macie",
    "config": "aws-config",
    "aws config": "aws-config",
    "iam access analyzer": "aws-access-analyzer",
    "aws iam access analyzer": "aws-access-analyzer",
    "firewall manager": "aws-firewall-manager",
    "health": "aws-health",
    "systems manager patch manager": "aws-patch-manager",
    "default": "",
}


def product_name(text: str) -> str:
    """A product as a short lower-case name, the same in all formats."""
    word = " ".join(text.lower().split())
    if word in _PRODUCTS:
        return _PRODUCTS[word]
    return re.sub(r"[^a-z0-9]+", "-", word).strip("-")


def signal_names(*names: str) -> tuple[str, ...]:
    """Names of what an event hit, with the forms that other sources use, once each."""
    found: dict[str, None] = {}
    for name in names:
        name = name.strip()
        if not name:
            continue
        key = _ACCESS_KEY.search(name)
        if key:
            found[f"accesskey:{key.group(1)}"] = None
            continue
        account = _ACCOUNT.fullmatch(name)
        if account:
            found[f"arn:aws:iam::{account.group(1)}:root"] = None
            continue
        image = ecr_image(name)
        if image:
            found[image.uid] = None
        found[name] = None
        parts = parse_arn(name)
        if parts and parts.service == "ec2" and parts.kind == "instance":
            found[parts.id] = None
        if parts and parts.service == "sts" and parts.kind == "assumed-role":
            role = parts.id.partition("/")[0]
            found[f"arn:{parts.partition}:iam::{parts.account}:role/{role}"] = None
    return tuple(found)


def own_addresses(*addresses: str) -> list[str]:
    """The private ones of these addresses, as names: never the attacker's."""
    return [address_name(a) for a in addresses if a and is_private(a)]


def failed_title(title: str, tool: str) -> str:
    """A check's title as what is wrong: Prowler's titles say what should hold (`X is private`)."""
    if tool != "prowler" or not title or " should " in title:
        return title
    return f"Not met: {title}"
