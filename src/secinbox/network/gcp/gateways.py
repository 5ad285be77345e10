"""API Gateway: which methods of its configuration ask callers for nothing.

A gateway has a public host name; Google's proxy behind it asks for the keys and tokens that the OpenAPI
document of the configuration demands, before any backend answers. `x-google-allow: all` lets calls
through that no method describes. A listing shows the documents only where it was asked for the full
view; gRPC services are not looked into. Source: cloud.google.com, "API Gateway: quickstart", "OpenAPI
extensions", "Choosing an authentication method"; swagger.io, "OpenAPI 2.0: security requirement".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.reading import ReportError
from secinbox.records import Evidence
from secinbox.sources._yaml import load_yaml

_VERBS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_LARGEST = 2_000_000  # characters of one document
_CONFIG = "gcp_apigateway_api_config"


def api_gateway(estate: Estate, item: Item) -> Verdict:
    """Its state, and the methods that its configuration describes."""
    state = str(item.config.get("state") or "ACTIVE")
    if state not in ("ACTIVE", "UPDATING"):
        return no(f"the gateway is {state.lower()}", item.uid)
    config = _config(estate, item)
    documents = _documents(config) if config is not None else []
    if config is None or not documents:
        return unknown("what it asks of callers was not read: the OpenAPI documents of its "
                       "configuration", item.uid)  # fmt: skip
    host = str(item.config.get("defaultHostname") or item.name)
    asked: set[str] = set()
    for document in documents:
        if document is None:
            return unknown("an OpenAPI document of its configuration cannot be read", config.uid)
        if document.get("x-google-allow") == "all":
            return _open(item, config, host, "any path that its API does not describe")
        for way, keys in _methods(document):
            if not keys:
                return _open(item, config, host, way)
            asked.update(keys)
    if not asked:
        return no("its API has no method", config.uid)
    return no(f"every method asks for a key or a token ({', '.join(sorted(asked))})", config.uid)


def _open(item: Item, config: Item, host: str, way: str) -> Verdict:
    return yes(Evidence(kind="endpoint", text=f"{host} answers everyone: {way} asks for nothing",
                        source=config.uid, via=(config.uid,), ports="tcp 443",
                        steps=("Internet", f"{host} {way}", item.name)))  # fmt: skip


def _config(estate: Estate, item: Item) -> Item | None:
    """The configuration that it serves, whether its project is told by number or by word."""
    name = str(item.config.get("apiConfig") or "")
    found = estate.find(f"//apigateway.googleapis.com/{name}")
    if found is not None or "/apis/" not in name:
        return found
    end = "/apis/" + name.partition("/apis/")[2]
    same = [c for c in estate.of_type(_CONFIG) if c.account == item.account and c.uid.endswith(end)]
    return same[0] if len(same) == 1 else None


def _documents(config: Item) -> list[dict[str, Any] | None]:
    """Its OpenAPI documents; None for one that cannot be read."""
    rows = config.config.get("openapiDocuments")
    out: list[dict[str, Any] | None] = []
    for row in rows if isinstance(rows, list) else ():
        inner = row.get("document") if isinstance(row, dict) else None
        contents = inner.get("contents") if isinstance(inner, dict) else None
        if isinstance(contents, str) and contents:
            out.append(_read(contents))
    return out


def _read(contents: str) -> dict[str, Any] | None:
    if len(contents) > _LARGEST:
        return None
    try:
        text = base64.b64decode(contents, validate=True).decode()
        found = load_yaml(text, "an OpenAPI document")
    except (binascii.Error, UnicodeDecodeError, ReportError):
        return None
    return found if isinstance(found, dict) else None


def _methods(document: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """(method and path, what each of its alternatives asks for); nothing asked for is empty."""
    whole = document.get("security")
    paths = document.get("paths")
    for path, row in paths.items() if isinstance(paths, dict) else ():
        for verb in _VERBS:
            method = row.get(verb) if isinstance(row, dict) else None
            if isinstance(method, dict):
                # What a method says replaces what the document says, also where it says nothing is asked.
                yield f"{verb.upper()} {path}", _keys(method.get("security", whole))


def _keys(security: Any) -> list[str]:
    ways = [w for w in security if isinstance(w, dict)] if isinstance(security, list) else []
    # One alternative that asks for nothing is enough.
    return [] if any(not way for way in ways) else [str(key) for way in ways for key in way]
