"""zizmor JSON (`zizmor --format json`): a list of findings with `ident`, `determinations`.

Source: zizmorcore/zizmor, crates/zizmor/src/output/json. Before 1.0 the keys were the same
without `persona` and `fixes`; locations may be `Local`, `Remote` or `Stdin` keys.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.reading import Head, Report
from secinbox.records import AnyRecord, Finding, Resource, Scope, Skipped
from secinbox.sources._code import Anchors, clean_path
from secinbox.sources._names import repository_resource, scanned_target
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_word

TITLE = "zizmor"


def recognise(head: Head) -> int:
    if head.kind == "array" and head.has("ident", "determinations", "locations"):
        return 100
    return 0


def _key(location: Node) -> tuple[str, str]:
    """Path, and repository when it was read from GitHub."""
    for kind, node in location.entries("symbolic", "key"):
        if not node.is_object:
            continue
        if kind == "Remote":
            slug = node.at("slug")
            owner = slug.text("owner") if slug.is_object else ""
            name = slug.text("repo") if slug.is_object else slug.text()
            return clean_path(node.text("path")), f"{owner}/{name}".strip("/")
        path = node.first_text("verbatim_path", "given_path")
        return clean_path(path), ""
    return "stdin", ""


def read(report: Report) -> Iterator[AnyRecord]:
    document = Node(report.json()).require_list()
    anchors = Anchors()
    default = scanned_target(report)
    seen: set[str] = set()
    for item in document.objects():
        if item.flag("ignored"):
            yield Skipped(reason="ignored in zizmor", harmless=True, place=item.place)
            continue
        locations = list(item.objects("locations"))
        primary = next(
            (n for n in locations if n.text("symbolic", "kind") == "Primary"),
            locations[0] if locations else Node({}, item.place),
        )
        path, slug = _key(primary)
        target: Resource = default
        if slug and not report.options.get("resource"):
            target = repository_resource(f"github.com/{slug}", item.place)
        if target.uid not in seen:
            seen.add(target.uid)
            yield target
        rule = item.text("ident")
        code = primary.text("concrete", "feature")
        row = primary.number("concrete", "location", "start_point", "row")
        word = item.text("determinations", "severity")
        fixes = [fix.text("title") for fix in item.objects("fixes")]
        yield Finding(
            type="iac_misconfiguration",
            resource=target.uid,
            rule=rule,
            title=item.text("desc") or rule,
            severity=severity_from_word(word),
            severity_word=word,
            description=primary.text("symbolic", "annotation"),
            location=path,
            line=int(row) + 1 if row is not None and 0 <= row < 10_000_000 else 0,
            anchor=anchors.of(rule, path, code),
            remediation="; ".join(dict.fromkeys(fixes)),
            url=item.text("url"),
            place=item.place,
        )
    for uid in seen:
        yield Scope(key=uid, types=("iac_misconfiguration",))
