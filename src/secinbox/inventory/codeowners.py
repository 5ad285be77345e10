"""CODEOWNERS of GitHub, GitLab and Gitea: who owns which files of a repository.

The file does not say of which repository it is: import it with --resource repo:HOST/OWNER/NAME.
Rules: docs.github.com, "About code owners" (the last pattern that matches wins).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Resource, Skipped
from secinbox.sources._names import repository_resource

TITLE = "CODEOWNERS"

_OWNER = re.compile(r"@[\w.-]+(/[\w./-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+")
_SECTION = re.compile(r"\^?\[[^\]]+\](\[\d+\])?(\s+.*)?")
MAX_RULES = 10_000


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """(number, words) of each line that says something."""
    for number, line in enumerate(text.splitlines(), 1):
        said = re.sub(r"(^|\s)#.*", "", line).strip()
        if said:
            yield number, said.split()


def recognise(head: Head) -> int:
    if head.kind not in ("text", "yaml", "csv"):
        return 0
    lines = [words for _, words in _lines(head.text[:20_000])][: -1 or None]
    rules = [w for w in lines if not _SECTION.fullmatch(" ".join(w))]
    owned = [w for w in rules if len(w) > 1 and all(_OWNER.fullmatch(o) for o in w[1:])]
    # A line without owners takes owners away; a file of such lines alone is something else.
    good = all(len(w) == 1 or w in owned for w in rules)
    return 60 if owned and good and len(owned) * 2 >= len(rules) else 0


def read(report: Report) -> Iterator[AnyRecord]:
    rules: list[tuple[str, list[str]]] = []
    default: list[str] = []
    for number, words in _lines(report.text):
        section = _SECTION.fullmatch(" ".join(words))
        if section:  # GitLab: owners of the section are those of its lines that name none
            default = _OWNER.findall(section.group(2) or "") and section.group(2).split()
            continue
        owners = words[1:] or default
        if not all(_OWNER.fullmatch(o) for o in owners):
            yield Skipped(reason="an owner is neither @name nor an address", place=f"line {number}")
            continue
        rules.append((words[0], owners))
        if len(rules) > MAX_RULES:
            raise ReportError("too many rules", f"line {number}", f"at most {MAX_RULES}")
    named = report.options.get("resource", "")
    if named:
        found = repository_resource(named, "line 1")
    else:  # the doctor asks for the name
        found = Resource(uid=f"unnamed:{report.name}", type="repository", place="line 1")
    found.config = json.dumps({"codeowners": rules})
    yield found


def pattern(text: str) -> re.Pattern[str]:
    """A pattern of the file over a path without a leading slash."""
    anchored = "/" in text.rstrip("/")
    parts = []
    for piece in re.split(r"(/\*\*/|^\*\*/|/\*\*$|\*\*|\*|\?)", text.strip("/")):
        parts.append({"/**/": "/(?:[^/]+/)*", "**/": "(?:[^/]+/)*", "/**": "/.+", "**": ".*", "*": "[^/]*",
                      "?": "[^/]"}.get(piece, re.escape(piece)))  # fmt: skip
    # What is named is a file or a folder with all that is in it; `docs/*` stays in its folder.
    tail = "" if text.endswith("/*") else "/.+" if text.endswith("/") else "(?:/.+)?"
    start = "" if anchored else "(?:.*/)?"
    return re.compile(start + "".join(parts) + tail)


def owners_of(rules: list[tuple[str, list[str]]], path: str) -> tuple[list[str], str]:
    """(owners, the pattern that gives them) of a file; none if nothing matches or nobody is named."""
    for text, owners in reversed(rules):
        if pattern(text).fullmatch(path.strip("/")):
            return owners, text
    return [], ""
