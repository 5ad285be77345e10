"""What resources are called: one way to write each kind of name, used by all connectors."""

from __future__ import annotations

import ipaddress
import re

from secinbox.arn import name_of, parse_arn, type_of
from secinbox.fingerprint import image_uid, repository_uid
from secinbox.reading import Report
from secinbox.records import Alias, Resource

_PLURALS = {"ingresses": "ingress", "networkpolicies": "networkpolicy", "endpoints": "endpoints"}


def kubernetes_uid(cluster: str, namespace: str, kind: str, name: str) -> str:
    """`k8s://CLUSTER/NAMESPACE/KIND/NAME`; a cluster's ARN is cut to its name."""
    cluster = cluster.rstrip("/").rpartition("/")[2] or "unknown"
    kind = _PLURALS.get(kind.lower(), kind.lower())
    return f"k8s://{cluster}/{namespace or '_'}/{kind}/{name}"


def cluster_of(report: Report, named: str = "") -> str:
    """The cluster that the report names, else the one that the caller says, else the folder after
    `kubernetes/` or `clusters/`, else `unknown`."""
    return named or report.options.get("cluster") or _folder_of(report) or "unknown"


def _folder_of(report: Report) -> str:
    folders = report.parts[:-1]
    for index in range(len(folders) - 2, -1, -1):
        if folders[index] in ("kubernetes", "clusters"):
            return folders[index + 1]
    return ""


def kubernetes_resource(
    cluster: str, namespace: str, kind: str, name: str, place: str = ""
) -> Resource:
    """A Kubernetes object as a resource."""
    aliases: tuple[Alias, ...] = ()
    if kind.lower() == "pod":
        aliases = (Alias(f"pod:{namespace or 'default'}/{name}", 0.8),)
    return Resource(
        uid=kubernetes_uid(cluster, namespace, kind, name),
        type=f"kubernetes_{kind.lower()}",
        name=name,
        provider="kubernetes",
        account=cluster.rstrip("/").rpartition("/")[2],
        aliases=aliases,
        place=place,
    )


def is_address(text: str) -> bool:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return True


_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
        *("169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"),
    )
)


def is_private(text: str) -> bool:
    """An address of somebody's own network (not the documentation ranges that samples use)."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE if network.version == address.version)


def is_local(text: str) -> bool:
    """Loopback, link-local or unspecified: an address that names no machine."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified or address.is_link_local


def address_name(text: str) -> str:
    """`ip:ADDRESS`, normalised; empty when it is no address."""
    try:
        return f"ip:{ipaddress.ip_address(text.strip())}"
    except ValueError:
        return ""


def host_name(text: str) -> str:
    """`dns:name` or `ip:address` of a Host header or host name, without the port."""
    name = text.strip().rstrip(".").lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    if not name:
        return ""
    return address_name(name) or f"dns:{name}"


_AWS_KINDS = {
    "AwsEc2Instance": "aws_ec2_instance",
    "AwsEcrContainerImage": "container_image",
    "AwsAccount": "aws_account",
}


def aws_resource(
    name: str,
    *,
    kind: str = "",
    account: str = "",
    region: str = "",
    tags: dict[str, str] | None = None,
    place: str = "",
) -> Resource:
    """A resource of AWS by its ARN or id; `kind` is the type word of Security Hub or Prowler."""
    aliases: list[Alias] = []
    if ":log-group:" in name and name.endswith(":*"):
        aliases.append(Alias(name))
        name = name.removesuffix(":*")
    parts = parse_arn(name)
    if parts is None:
        uid_type = _AWS_KINDS.get(kind) or (aws_type(kind) if kind else "aws_resource")
        return Resource(
            uid=name,
            type=uid_type,
            name=name,
            provider="aws",
            account=account,
            region=region,
            tags=tags or {},
            place=place,
        )
    if parts.service == "ec2" and re.match(r"[a-z]+-[0-9a-f]{8,17}$", parts.id):
        aliases.append(Alias(parts.id))
    resource_type = type_of(name)
    return Resource(
        uid=name,
        type=resource_type,
        name=name_of(name),
        provider="aws",
        account=(parts.account if parts.account != "aws" else "") or account,
        region=parts.region or region,
        tags=tags or {},
        aliases=tuple(aliases),
        place=place,
    )


def aws_type(word: str) -> str:
    """`aws_ec2_instance` of `AwsEc2Instance` or `AWS::EC2::Instance`."""
    if "::" in word:
        return "_".join(_words(part) for part in word.split("::"))
    return _words(word)


def _words(text: str) -> str:
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def image_resource(
    references: list[str], digests: list[str], image_id: str = "", place: str = "", name: str = ""
) -> Resource:
    """An image by the best name that a report gives: repository digest, else tag, else id.

    references: tags as written (`nginx:1.27`); digests: `name@sha256:...`.
    """
    references = [r for r in references if r]
    digests = [d for d in digests if "@" in d]
    if digests:
        wanted = {image_uid(r).rpartition(":")[0] for r in references}
        best = next((d for d in digests if image_uid(d).partition("@")[0] in wanted), digests[0])
        uid = image_uid(best)
    elif references:
        uid = image_uid(references[0])
    else:
        uid = f"image:{image_id}"
    aliases: dict[str, Alias] = {}
    for digest in digests:
        aliases[image_uid(digest)] = Alias(image_uid(digest))
        aliases[digest.partition("@")[2]] = Alias(digest.partition("@")[2], 0.9)
    for reference in references:
        aliases[image_uid(reference)] = Alias(image_uid(reference), 0.9)
    if image_id:
        aliases[image_id] = Alias(image_id, 0.9)
    aliases.pop(uid, None)
    shown = name or (references[0] if references else "") or uid.removeprefix("image:")
    return Resource(
        uid=uid,
        type="container_image",
        name=shown,
        provider="container",
        aliases=tuple(aliases.values()),
        place=place,
    )


def host_resource(name: str, place: str = "") -> Resource:
    """A machine by its name; an EC2 id stays what it is."""
    if re.fullmatch(r"i-[0-9a-f]{8,17}", name):
        return Resource(uid=name, type="aws_ec2_instance", name=name, provider="aws", place=place)
    return Resource(
        uid=f"host:{name}",
        type="host",
        name=name,
        aliases=(Alias(f"dns:{name.lower()}", 0.7),) if "." in name else (),
        place=place,
    )


def looks_like_repository(text: str) -> bool:
    """A clone or web address of a repository, not a path on a disk."""
    return bool(
        re.match(r"(https?|ssh|git)://[^/\s]+/[^/\s]+/[^\s]+", text)
        or re.match(r"[\w.-]+@[\w.-]+:[^\s]+/[^\s]+", text)
        or re.match(r"(github|gitlab|bitbucket)\.(com|org)/[^/\s]+/[^/\s]+", text)
        or text.startswith("repo:")
    )


def repository_resource(url: str, place: str = "") -> Resource:
    """A source repository by its address."""
    uid = repository_uid(url)
    words = uid.removeprefix("repo:")
    host = words.partition("/")[0]
    provider = next((p for p in ("github", "gitlab", "bitbucket") if p in host), "git")
    return Resource(
        uid=uid,
        type="repository",
        name=words.partition("/")[2] or words,
        provider=provider,
        place=place,
    )


def scanned_target(report: Report, named: str = "", place: str = "") -> Resource:
    """The repository or folder that a code scanner read, by the best name at hand."""
    option = report.options.get("resource", "")
    if option:
        kind = "repository" if option.startswith("repo:") or "/" in option else "target"
        if option.startswith("image:"):
            kind = "container_image"
        if option.startswith("host:"):
            kind = "host"
        return Resource(uid=option, type=kind, name=option.partition(":")[2] or option, place=place)
    if named and looks_like_repository(named):
        return repository_resource(named, place)
    uid = report.unnamed
    return Resource(uid=uid, type="repository", name=uid.removeprefix("unnamed:"), place=place)
