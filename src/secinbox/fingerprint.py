"""Stable identity: what a finding, a statement or a name is, whoever says it and whenever.

A fingerprint is the hash of a declared, ordered, separated tuple with a version prefix. Nothing
that changes while the weakness stays goes in: no description, severity, line, count, date, tag.
"""

from __future__ import annotations

from hashlib import blake2b

VERSION = "1"
_SEPARATOR = "\x1f"


def fingerprint(*parts: str) -> str:
    """32 hexadecimal digits for an ordered tuple of texts."""
    text = _SEPARATOR.join((VERSION, *parts))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def image_uid(reference: str, digest: str = "") -> str:
    """`image:registry/name@digest` (or `:tag` while no digest is known) of an image reference.

    Docker Hub's short names are written out: `nginx` is `docker.io/library/nginx:latest`
    (the reference grammar of the distribution project).
    """
    name = reference.strip()
    for prefix in ("docker-pullable://", "docker://", "https://", "http://"):
        name = name.removeprefix(prefix)
    name, _, inline = name.partition("@")
    digest = digest or inline
    head, slash, tail = name.rpartition("/")
    tail, _, tag = tail.partition(":")
    name = head + slash + tail
    first = name.split("/", 1)[0]
    if "/" not in name:
        name = f"docker.io/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"docker.io/{name}"
    name = name.replace("index.docker.io/", "docker.io/", 1)
    if name.startswith("docker.io/") and name.count("/") == 1:
        name = name.replace("docker.io/", "docker.io/library/", 1)
    if digest:
        return f"image:{name}@{digest}"
    return f"image:{name}:{tag or 'latest'}"


def repository_uid(url: str) -> str:
    """`repo:host/owner/name` of a clone URL, a web URL or `owner/name`; lower-case host."""
    text = url.strip().removesuffix("/").removesuffix(".git")
    if text.startswith("repo:"):
        return text
    if "://" in text:
        text = text.split("://", 1)[1]
    text = text.rsplit("@", 1)[-1] if "@" in text.split("/", 1)[0] else text
    host, separator, rest = text.partition("/")
    if ":" in host and not host.rsplit(":", 1)[1].isdigit():  # scp form: host:owner/name
        host, _, first = host.partition(":")
        rest, separator = first + separator + rest, "/"
    if separator and "." in host:
        return f"repo:{host.lower()}/{rest}"
    return f"repo:{text}"
