"""Catalogue of services: which repositories, images and resources belong to which service.

Two shapes, YAML or JSON. Our own, written by hand:

    secinbox_catalogue: 1
    services:
      - name: checkout
        owner: payments          # also: team
        environment: production
        repositories: [github.com/acme/checkout]
        images: [registry.acme.example/checkout:1.4]
        resources: ["arn:aws:lambda:eu-west-1:123456789012:function:checkout"]
        reports: [checkout/pip-audit.json]   # reports that do not say what they scanned

and Backstage's catalog-info.yaml (backstage.io, "Descriptor Format of Catalog Entities"), of which
Component entities are read. A word that is not known is an error: a misspelt key loses nothing
silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from secinbox.fingerprint import image_uid, repository_uid
from secinbox.reading import Head, Report, ReportError
from secinbox.records import Alias, AnyRecord, Relation, Resource, Skipped
from secinbox.sources._names import repository_resource
from secinbox.sources._yaml import load_yaml

TITLE = "Service catalogue (own format, Backstage)"

_OWN = "secinbox_catalogue"
_TEXTS = ("name", "owner", "team", "environment")
_LISTS = ("repositories", "images", "resources", "reports")
_SPLIT = re.compile(r"^---.*$", re.MULTILINE)
_BACKSTAGE = re.compile(r"^[\"']?apiVersion[\"']?\s*:\s*[\"']?backstage\.io/", re.MULTILINE)
_LOCATION = re.compile(r"url:https?://([^/]+/[^/]+/[^/]+)")


def recognise(head: Head) -> int:
    if head.kind == "object":
        backstage = str(head.first.get("apiVersion", "")).startswith("backstage.io/")
        return 100 if head.has(_OWN) or (backstage and head.has("kind")) else 0
    if head.kind in ("yaml", "text"):
        own = re.search(rf"^{_OWN}\s*:", head.text, re.MULTILINE)
        return 100 if own or _BACKSTAGE.search(head.text) else 0
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    for number, document in enumerate(_documents(report), 1):
        place = f"document {number} $"
        if not isinstance(document, dict):
            raise ReportError("a catalogue is a map of keys", place, f"begin with {_OWN}: 1")
        if _OWN in document:
            yield from _own(document, place)
        elif _text(document, "apiVersion", place).startswith("backstage.io/"):
            yield from _component(document, place)
        else:
            raise ReportError("neither a catalogue nor a Backstage entity", place, f"{_OWN}: 1")


def _documents(report: Report) -> Iterator[Any]:
    if report.text.lstrip()[:1] == "{":
        yield report.json()
        return
    for part in _SPLIT.split(report.text):
        document = load_yaml(part, "a catalogue of services")
        if document is not None and document != "":
            yield document


def _own(document: dict[str, Any], place: str) -> Iterator[AnyRecord]:
    _only(document, (_OWN, "services"), place)
    if str(document[_OWN]) != "1":
        raise ReportError("unknown version of the catalogue", f"{place}.{_OWN}", "write 1")
    services = document.get("services") or []
    if not isinstance(services, list):
        raise ReportError("services is a list", f"{place}.services", "begin each with a dash")
    named: set[str] = set()
    for index, service in enumerate(services):
        at = f"{place}.services[{index}]"
        if not isinstance(service, dict):
            raise ReportError("a service is a map of keys", at, "write - name: ...")
        _only(service, _TEXTS + _LISTS, at)
        name = _text(service, "name", at).strip().lower()
        if not name or name in named:
            word = "twice the same" if name else "a service without a"
            raise ReportError(f"{word} name {name}".strip(), f"{at}.name", "names are unique")
        named.add(name)
        yield from _service(name, service, at)


def _service(name: str, service: dict[str, Any], place: str) -> Iterator[AnyRecord]:
    uid = f"service:{name}"
    lists = {key: _list(service, key, place) for key in _LISTS}
    owner = _text(service, "owner", place) or _text(service, "team", place)
    tags = {"service": name, "team": owner, "env": _text(service, "environment", place)}
    repositories = [repository_uid(url) for url in lists["repositories"]]
    # A report that names no target is about the code, if there is one repository only.
    scanned = tuple(Alias(f"unnamed:{report}") for report in lists["reports"])
    single = len(repositories) == 1
    yield Resource(
        uid=uid,
        type="service",
        name=name,
        tags={key: value for key, value in tags.items() if value},
        aliases=() if single else scanned,
        place=place,
    )
    for url in lists["repositories"]:
        found = repository_resource(repository_uid(url), place)
        found.aliases = scanned if single else ()
        yield found
    members = repositories + [image_uid(image) for image in lists["images"]] + lists["resources"]
    for index, member in enumerate(members):
        if "*" in member:
            at = f"{place}.resources[{index - len(repositories) - len(lists['images'])}]"
            raise ReportError("patterns are not read", at, "write the uid or a name of it")
        yield Relation(source=member, kind="part_of", target=uid, place=place)


def _component(document: dict[str, Any], place: str) -> Iterator[AnyRecord]:
    kind = _text(document, "kind", place)
    if kind != "Component":
        yield Skipped(reason=f"a Backstage {kind or 'entity'} is no service", harmless=True)
        return
    metadata, spec = _map(document, "metadata", place), _map(document, "spec", place)
    name = _text(metadata, "name", f"{place}.metadata").lower()
    if not name:
        raise ReportError("a component without a name", f"{place}.metadata.name", "name it")
    at = f"{place}.spec"
    tags = {
        "service": name,
        "team": _text(spec, "owner", at).rpartition("/")[2].removeprefix("group:"),
        "lifecycle": _text(spec, "lifecycle", at),
        "system": _text(spec, "system", at),
    }
    yield Resource(
        uid=f"service:{name}",
        type="service",
        name=name,
        tags={key: value for key, value in tags.items() if value},
        place=place,
    )
    annotations = _map(metadata, "annotations", f"{place}.metadata")
    urls = {
        f"{host}/{_text(annotations, f'{host}/project-slug', place)}"
        for host in ("github.com", "gitlab.com")
        if _text(annotations, f"{host}/project-slug", place)
    }
    if found := _LOCATION.match(_text(annotations, "backstage.io/source-location", place)):
        urls.add(found.group(1))
    for url in sorted(urls):
        repository = repository_resource(url, place)
        yield repository
        yield Relation(source=repository.uid, kind="part_of", target=f"service:{name}", place=place)


def _only(value: dict[str, Any], allowed: tuple[str, ...], place: str) -> None:
    for key in value:
        if key not in allowed:
            raise ReportError(
                f"unknown key {key!r}", f"{place}.{key}", f"allowed: {', '.join(allowed)}"
            )


def _text(value: dict[str, Any], key: str, place: str) -> str:
    found = value.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise ReportError(f"{key} is a text", f"{place}.{key}", "write one word or a quoted text")
    return found


def _list(value: dict[str, Any], key: str, place: str) -> list[str]:
    found = value.get(key) or []
    if not isinstance(found, list) or not all(isinstance(i, str) and i.strip() for i in found):
        raise ReportError(f"{key} is a list of texts", f"{place}.{key}", f"write {key}: [one, two]")
    return found


def _map(value: dict[str, Any], key: str, place: str) -> dict[str, Any]:
    found = value.get(key) or {}
    if not isinstance(found, dict):
        raise ReportError(f"{key} is a map", f"{place}.{key}", "see backstage.io")
    return found
