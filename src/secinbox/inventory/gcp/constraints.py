"""Organisation policies: what a place, or what is above it, enforces.

The nearest policy counts, unless it says that it adds to the one above. Both forms are read: v1
(`booleanPolicy`, `listPolicy`, on the asset itself) and v2 (`spec.rules`, an asset of its own).
Source: cloud.google.com, "Understanding hierarchy evaluation" of the Organization Policy Service.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.gcp.assets import many

_CRM = "//cloudresourcemanager.googleapis.com/"


def places_of(estate: Estate, item: Item) -> Iterator[Item]:
    """The resource, its project, its folders, its organisation: those that were read."""
    names = [item.uid, *(_CRM + str(a) for a in item.config.get("ancestors") or ())]
    if item.account and not any("projects/" in n for n in names[1:]):
        names.insert(1, f"{_CRM}projects/{item.account}")
        project = estate.find(names[1])
        if len(names) == 2 and project is not None:
            names += [_CRM + str(a) for a in project.config.get("ancestors") or ()]
    seen = set()
    for name in names:
        found = estate.find(name)
        if found is not None and found.uid not in seen:
            seen.add(found.uid)
            yield found


def _rules(estate: Estate, place: Item, constraint: str) -> list[dict[str, Any]] | None:
    """The rules of this constraint that are set here; None where none is."""
    for row in many(place.config.get("orgPolicy")):
        if isinstance(row, dict) and _named(row, constraint):
            return _of(row)
    tail = place.uid.split(".googleapis.com/", 1)[-1]
    for name in (tail, *(str(a) for a in (place.config.get("ancestors") or ())[:1])):
        found = estate.find(f"//orgpolicy.googleapis.com/{name}/policies/{constraint}")
        if found is not None:
            return _of(found.config)
    return None


def _named(row: dict[str, Any], constraint: str) -> bool:
    return str(row.get("constraint") or row.get("name") or "").rsplit("/", 1)[-1] == constraint


def _of(row: dict[str, Any]) -> list[dict[str, Any]]:
    boolean = row.get("booleanPolicy") or row.get("boolean_policy")
    if isinstance(boolean, dict):
        return [{"enforce": boolean.get("enforced") is True}]
    listed = row.get("listPolicy") or row.get("list_policy")
    if isinstance(listed, dict):
        every = str(listed.get("allValues") or listed.get("all_values") or "")
        values = {
            "allowedValues": listed.get("allowedValues") or listed.get("allowed_values"),
            "deniedValues": listed.get("deniedValues") or listed.get("denied_values"),
        }
        return [{"denyAll": every == "DENY", "allowAll": every == "ALLOW", "values": values}]
    spec = row.get("spec")
    if isinstance(spec, dict):
        if spec.get("reset") is True:
            return []
        rules = spec.get("rules")
        return [r for r in rules if isinstance(r, dict)] if isinstance(rules, list) else []
    return []


def enforced(estate: Estate, item: Item, constraint: str) -> Item | None:
    """The resource, project, folder or organisation that enforces a boolean constraint."""
    for place in places_of(estate, item):
        rules = _rules(estate, place, constraint)
        if rules is None:
            continue
        # The nearest word counts: a project may take back what its folder says.
        on = any(r.get("enforce") in (True, "TRUE", "true") and not r.get("condition")
                 for r in rules)  # fmt: skip
        return place if on else None
    return None
