"""Layers of policies over one action, and what their statements could cover before any request is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from secinbox.iam.matching import arn_matches, common_arn, has_wildcard
from secinbox.iam.policy import Statement
from secinbox.iam.request import ANY_NAME
from secinbox.iam.tagging import speaks_of_tags


@dataclass(eq=False)
class Layer:
    """Policies of which one must allow: identity, boundary, one level of the organisation."""

    allows: tuple[Statement, ...]
    denies: tuple[Statement, ...]
    unread: bool = False
    boundary: bool = False  # a resource policy that names a user goes past it
    session: bool = False  # one that names the session does

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
    """ARNs of something new that the policies could let one create; `?*` is its name.

    A layer above may name less than the identity's policies: its names are worth a try, too.
    """
    out: dict[str, None] = {}
    default = template.replace("?*", ANY_NAME).replace(":*:", ":us-east-1:")
    for layer in layers:
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
