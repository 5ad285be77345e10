"""Groups of Cloud Identity and Google Workspace, and who is in them.

Read are `gcloud identity groups memberships list --format=json`, the answers of
cloudidentity.googleapis.com (groups, memberships, transitive ones), and of the Directory API
(admin#directory#groups, admin#directory#members). A list of members names its group by an id, or
not at all: the address of the group is taken from the path then, `groups/ops@x.test/members.json`.
Source: cloud.google.com, "Cloud Identity API: groups.memberships"; developers.google.com, "Directory
API: members".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from secinbox.records import Alias, AnyRecord, Relation, Resource, Scope, Skipped

_MEMBERSHIP = re.compile(r"groups/([^/]+)/memberships/[^/]+")
_GROUP = re.compile(r"groups/[^/]+")
_ADDRESS = re.compile(r"(?<![\w.+-])([\w.+'-]+@[\w-]+(?:\.[\w-]+)+)(?![\w@])")
_DIRECTORY = "admin#directory#"
_KINDS = {"user": "user", "group": "group", "service_account": "serviceAccount"}


def is_membership(row: Mapping[str, Any]) -> bool:
    """One member of one group."""
    return bool(
        (_MEMBERSHIP.fullmatch(str(row.get("name") or "")) and "roles" in row)
        or row.get("kind") == f"{_DIRECTORY}member"
        or ("relationType" in row and isinstance(row.get("preferredMemberKey"), list))
    )


def is_group(row: Mapping[str, Any]) -> bool:
    """A group by itself."""
    key = row.get("groupKey")
    return (isinstance(key, dict) and bool(_GROUP.fullmatch(str(row.get("name") or "")))) or (
        row.get("kind") == f"{_DIRECTORY}group"
    )


def is_list(document: Mapping[str, Any]) -> bool:
    """A page of members or of groups, or members beside their group's own row."""
    for key, known in (("memberships", is_membership), ("members", is_membership),
                       ("groups", is_group)):  # fmt: skip
        rows = document.get(key)
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and known(rows[0]):
            return True
    return document.get("kind") in (f"{_DIRECTORY}members", f"{_DIRECTORY}groups") or (
        is_group(document) and isinstance(document.get("memberships"), list)
    )


def of_list(document: Mapping[str, Any], parts: Sequence[str], place: str) -> Iterator[AnyRecord]:
    """Everything that a page says; it is the whole list where no other page follows."""
    if is_group(document):
        yield from of_group(document, place)
    for row in _rows(document.get("groups")):
        yield from of_group(row, place)
    seen: set[str] = set()
    for key in ("memberships", "members"):
        rows = _rows(document.get(key))
        for index, row in enumerate(rows):
            group = _group_of(row, document, parts)
            if not group:
                yield Skipped(reason="members of a group that nothing names",
                              place=f"{place}.{key}[{index}]")  # fmt: skip
                continue
            seen.add(group)
            yield from _member(row, group, place)
        if isinstance(document.get(key), list) and not rows:
            seen |= {g for g in (_group_of({}, document, parts),) if g}
    if not document.get("nextPageToken"):
        yield from (_whole(group) for group in sorted(seen))


def of_member(row: Mapping[str, Any], parts: Sequence[str], place: str) -> Iterator[AnyRecord]:
    """A member in a bare list, which `gcloud` prints whole."""
    group = _group_of(row, {}, parts)
    if not group:
        yield Skipped(reason="members of a group that nothing names", place=place)
        return
    yield from _member(row, group, place)
    yield _whole(group)


def _whole(group: str) -> Scope:
    return Scope(key=f"gcp:{group}/members", types=(), tool="gcp", pages=True)


def _group_of(row: Mapping[str, Any], document: Mapping[str, Any], parts: Sequence[str]) -> str:
    """How the group is called here: `group:ADDRESS`, else `groups/ID`."""
    key = document.get("groupKey")
    said = str(key.get("id") or "") if isinstance(key, dict) else str(document.get("group") or "")
    if not said:
        for part in reversed(parts):
            found = _ADDRESS.search(re.sub(r"\.(json|ndjson|jsonl)$", "", part))
            if found:
                said = found.group(1)
                break
    if said:
        return f"group:{said.lower()}"
    found = _MEMBERSHIP.fullmatch(str(row.get("name") or ""))
    name = str(document.get("name") or "")
    return f"groups/{found.group(1)}" if found else name if _GROUP.fullmatch(name) else ""


def of_group(row: Mapping[str, Any], place: str) -> Iterator[AnyRecord]:
    """The group, by its address and by its id."""
    key = row.get("groupKey")
    address = str(key.get("id") if isinstance(key, dict) else row.get("email") or "").lower()
    name = str(row.get("name") or "") if isinstance(key, dict) else ""
    if not address:
        return
    config = {"member": f"group:{address}", "email": address, "groupName": name,
              "displayName": row.get("displayName") or row.get("name")}  # fmt: skip
    yield Resource(
        uid=f"group:{address}", type="gcp_iam_group", name=address, provider="gcp",
        aliases=tuple(Alias(n) for n in (address, name) if n),
        config=msgspec.json.encode(config).decode(), place=place,
    )  # fmt: skip


def _member(row: Mapping[str, Any], group: str, place: str) -> Iterator[AnyRecord]:
    keys = row.get("preferredMemberKey") or row.get("memberKey")
    first = keys[0] if isinstance(keys, list) and keys else keys
    address = str(first.get("id") if isinstance(first, dict) else row.get("email") or "").lower()
    kind = str(row.get("type") or "").lower()
    if kind == "customer":
        # Everybody of the group's own domain.
        yield Relation(source=f"domain:{group.rpartition('@')[2]}", kind="member_of", target=group)
        return
    if not address or _over(row):
        return
    word = _KINDS.get(kind, "")
    if not word or kind == "user":
        # The Directory API calls service accounts people.
        word = "serviceAccount" if address.endswith(".gserviceaccount.com") else word or "user"
    source = f"{word}:{address}"
    yield Relation(source=source, kind="member_of", target=group)
    if not word or word == "serviceAccount":
        return
    yield Resource(
        uid=source, type=f"gcp_iam_{word}", name=address, provider="gcp", aliases=(Alias(address),),
        config=msgspec.json.encode({"member": source, "email": address}).decode(), place=place,
    )  # fmt: skip


def _over(row: Mapping[str, Any]) -> bool:
    """A membership for a time that has passed, or of a member who is suspended."""
    if str(row.get("status") or "ACTIVE").upper() == "SUSPENDED":
        return True
    roles = _rows(row.get("roles"))
    for role in roles:
        detail = role.get("expiryDetail")
        said = str(detail.get("expireTime") or "") if isinstance(detail, dict) else ""
        try:
            until = datetime.fromisoformat(said.replace("Z", "+00:00")) if said else None
        except ValueError:
            continue
        if until is not None and (
            until if until.tzinfo else until.replace(tzinfo=UTC)
        ) < datetime.now(UTC):
            return True
    return False


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
