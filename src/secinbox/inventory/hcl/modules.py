"""Modules: a folder of sources with its variables, locals, resources and the modules that it calls.

A module is one folder of the import; nothing outside of the import is ever read.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from secinbox.inventory.hcl import documents
from secinbox.inventory.hcl.provider import Where, computed, defaults
from secinbox.inventory.hcl.syntax import (
    Attribute,
    BlockNode,
    Body,
    Expression,
    Literal,
    Name,
    Object,
    parse,
)  # fmt: skip
from secinbox.inventory.hcl.values import Budget, Evaluator, Unknown, large
from secinbox.reading import ReportError

NOWHERE = "unknown-region"
_REGION = re.compile(r"\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-[a-z]+-\d\b")
_MAX_COPIES = 100
_MAX_CHAIN = 20  # modules that call modules
_NOT_VALUES = frozenset({"provider", "depends_on", "lifecycle", "count", "for_each", "provisioner",
                         "connection", "timeouts"})  # fmt: skip
NEW = "new"  # --account: a number is made up for each root
_OWN_ACCOUNT = ("account_id", "aws_account_id")


@dataclass
class Sources:
    """The files of an import, by folder, parsed."""

    folders: dict[str, Body] = field(default_factory=dict)
    given: dict[str, dict[str, Expression]] = field(default_factory=dict)  # of *.tfvars
    broken: dict[str, ReportError] = field(default_factory=dict)
    regions: dict[str, set[str]] = field(default_factory=dict)  # that a folder names, of AWS

    @classmethod
    def of(cls, files: Mapping[str, str]) -> Sources:
        """A folder with a file that is not valid is `broken` as a whole, as it is for Terraform."""
        made = cls()
        for path, text in sorted(files.items()):
            folder = posixpath.dirname(path)
            try:
                body = parse(text, path)
            except ReportError as error:
                made.broken.setdefault(folder, error)
                continue
            if path.endswith(".tfvars"):
                made.given.setdefault(folder, {}).update(body.arguments)
                continue
            made.regions.setdefault(folder, set()).update(_REGION.findall(text))
            whole = made.folders.setdefault(folder, Body())
            whole.blocks += body.blocks
        for folder in made.broken:
            made.folders.pop(folder, None)
        return made

    def roots(self) -> list[str]:
        """Folders that no other folder calls."""
        called = {
            target for folder, body in self.folders.items() for block in body.of("module")
            if (target := self.target(folder, block)) is not None and target != folder
        }  # fmt: skip
        return [f for f in self.folders if f not in called]

    def target(self, folder: str, block: BlockNode) -> str | None:
        """The folder that a module block calls; None when it is not in the import."""
        source = block.body.arguments.get("source")
        text = source.value if isinstance(source, Literal) else None
        if not isinstance(text, str) or not text.startswith(("./", "../")):
            return None
        joined = posixpath.normpath(posixpath.join(folder, text))
        joined = "" if joined == "." else joined
        return joined if joined in self.folders else None


@dataclass
class Root:
    """A folder that somebody applies, and what all its modules share."""

    sources: Sources
    folder: str
    key: str  # names the root among all imports
    options: Mapping[str, str]
    budget: Budget
    left_out: list[tuple[str, str]] = field(default_factory=list)  # (reason, place)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.key.encode()).hexdigest()
        self.tag = digest[:6]
        self.digits = str(int(digest[6:18], 16))[-8:].zfill(8)
        given = self.sources.given.get(self.folder, {})
        empty = Evaluator(
            lambda name, steps: Unknown(f"({name}~{self.tag})"), self.tag, self.budget
        )
        inputs = {k: empty.value(e, {}) for k, e in given.items()}
        self.top = Module(self, self.folder, "", inputs, None)

    def account(self, alias: str) -> str:
        """The account of a provider: told by the caller, by the provider, or a number of its own.

        A made-up one begins with 0000, so that roots are never taken for one account by accident.
        """
        block = self.top.providers.get(alias)
        listed = block.body.arguments.get("allowed_account_ids") if block else None
        found = self.top.evaluator.value(listed, {}) if listed else None
        if isinstance(found, list) and len(found) == 1 and str(found[0]).isdigit():
            return str(found[0])
        if alias and self._apart(alias):
            other = hashlib.sha256(f"{self.key}!{alias}".encode()).hexdigest()
            return "0000" + str(int(other[:12], 16))[-8:].zfill(8)
        return self.options.get("account") or f"0000{self.digits}"

    def _apart(self, alias: str) -> bool:
        """An alias that signs in otherwise, where more than one of them is in use."""

        def signs(name: str) -> bool:
            block = self.top.providers.get(name)
            if block is None:
                return True
            return bool(block.body.of("assume_role")) or bool(
                {"profile", "access_key", "shared_credentials_files"} & set(block.body.arguments)
            )

        others = {a for a in self.top.aliases if a and signs(a)}
        base = "" in self.top.aliases
        return signs(alias) and (len(others) > 1 or base)

    def where(self, alias: str) -> Where:
        region = self.top.setting("aws", alias, "region")
        named = self.sources.regions.get(self.folder, set())
        if not region and len(named) == 1:  # the only one that its policies speak of
            region = next(iter(named))
        project = self.top.setting("google", "", "project")
        return Where(
            self.account(alias), region or NOWHERE,
            project or f"(project~{self.tag})",
            self.top.setting("google", "", "zone") or f"(zone~{self.tag})",
            self.top.setting("azurerm", "", "subscription_id") or f"(subscription~{self.tag})",
        )  # fmt: skip


class Module:
    """One use of a folder, with the inputs that its caller gives."""

    def __init__(
        self, root: Root, folder: str, address: str, inputs: dict[str, Any], caller: Module | None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.root = root
        self.folder = folder
        self.address = address
        self.inputs = inputs
        self.passed = aliases
        self.chain: tuple[str, ...] = (*(caller.chain if caller else ()), folder)
        body = root.sources.folders[folder]
        self.evaluator = Evaluator(self.reach, root.tag, root.budget)
        self.variables = {b.labels[0]: b for b in body.of("variable") if b.labels}
        self.outputs = {b.labels[0]: b for b in body.of("output") if b.labels}
        self.locals = {k: e for b in body.of("locals") for k, e in b.body.arguments.items()}
        self.calls = {b.labels[0]: b for b in body.of("module") if b.labels}
        self.resources = {b.labels[:2]: b for b in body.of("resource") if len(b.labels) == 2}
        self.data = {b.labels[:2]: b for b in body.of("data") if len(b.labels) == 2}
        self.providers: dict[str, BlockNode] = {}
        self.settings: dict[tuple[str, str], BlockNode] = {}
        for block in body.of("provider"):
            alias = block.body.arguments.get("alias")
            name = (
                alias.value if isinstance(alias, Literal) and isinstance(alias.value, str) else ""
            )
            self.settings[block.labels[0] if block.labels else "", name] = block
            if block.labels[:1] == ("aws",):
                self.providers[name] = block
        self.aliases = {self.alias_of(b) for b in self.resources.values()
                        if b.labels[0].startswith("aws_")}  # fmt: skip
        self._known: dict[str, Any] = {}
        self._open: list[str] = []
        self._copies: dict[tuple[str, ...], Any] = {}
        self._children: dict[str, Module | None] = {}

    def alias_of(self, block: BlockNode) -> str:
        given = block.body.arguments.get("provider")
        alias = given.name if isinstance(given, Attribute) else ""
        return self.passed.get(alias, alias) if self.passed is not None else alias

    def setting(self, provider: str, alias: str, name: str) -> str:
        """An argument of a provider block, where it is known."""
        block = self.settings.get((provider, alias)) or self.settings.get((provider, ""))
        given = block.body.arguments.get(name) if block else None
        found = self.evaluator.value(given, {}) if given else None
        return found if isinstance(found, str) and "~" not in found else ""

    def once(self, name: str, expression: Expression, own: Mapping[str, Any]) -> Any:
        """The value of something that has a name. Raises ReportError when it refers to itself."""
        if name not in self._known:
            if name in self._open:
                ring = [*self._open[self._open.index(name) :], name]
                raise ReportError(
                    f"these refer to each other: {' → '.join(ring[:6])}",
                    self.folder or "the folder", "check the folder with terraform validate",
                )  # fmt: skip
            self._open.append(name)
            self._known[name] = self.bounded(expression, own)
            self._open.pop()
        return self._known[name]

    def bounded(self, expression: Expression, own: Mapping[str, Any]) -> Any:
        """The value of an expression, unless it is too large to be one of a real source."""
        found = self.evaluator.value(expression, own)
        return self.evaluator.fresh("a-large-value") if large(found) else found

    def unknown(self, name: str) -> Unknown:
        return self.evaluator.unknown(self.address + name)

    def reach(self, first: str, steps: tuple[str | int, ...]) -> Any:
        """What a reference means in this module."""
        named = str(steps[0]) if steps else ""
        if first == "var":
            return self.evaluator._steps(self._variable(named), list(steps[1:]))
        if first == "local":
            if named not in self.locals:
                return self.unknown(f"local.{named}")
            found = self.once(f"local.{named}", self.locals[named], {})
            return self.evaluator._steps(found, list(steps[1:]))
        if first == "module":
            rest = list(steps[1:])
            while rest and isinstance(rest[0], int):
                rest = rest[1:]
            if named not in self.calls or not rest:
                return self.unknown(f"module.{named}")
            child = self.child(named)
            output = child.outputs.get(str(rest[0])) if child else None
            given = output.body.arguments.get("value") if output else None
            if child is None or given is None:
                return self.unknown(f"module.{named}.{rest[0]}")
            return self.evaluator._steps(child.once(f"output.{rest[0]}", given, {}), rest[1:])
        if first == "data":
            block = self.data.get((named, str(steps[1]))) if len(steps) > 1 else None
            rest = list(steps[2:])
        else:
            block = self.resources.get((first, named))
            rest = list(steps[1:])
        if block is None:
            return self.unknown(".".join((first, *map(str, steps))))
        return self.evaluator._steps(self.copies(block), rest)

    def _variable(self, name: str) -> Any:
        if name in self.inputs:
            return self.inputs[name]
        block = self.variables.get(name)
        given = block.body.arguments.get("default") if block else None
        if given is not None and given != Literal(None):
            return self.once(f"var.{name}", given, {})
        if not self.address:
            if name in _OWN_ACCOUNT:
                return self.root.account(next(iter(self.aliases)) if len(self.aliases) == 1 else "")
            alias = name.removesuffix("_account_id")
            if alias != name and alias in self.aliases:
                return self.root.account(alias)
        return self.unknown(f"var.{name}")

    def child(self, name: str) -> Module | None:
        """The module that is called so; None when it is not in the import, or left out."""
        if name in self._children:
            return self._children[name]
        block = self.calls[name]
        target = self.root.sources.target(self.folder, block)
        self._children[name] = None
        if target is None:
            self.root.left_out.append(("modules that are not in the import", block.place))
            return None
        if target in self.chain or len(self.chain) > _MAX_CHAIN:
            raise ReportError("modules that call themselves", block.place,
                              "check the folder with terraform validate")  # fmt: skip
        count = block.body.arguments.get("count")
        if count is not None and self.evaluator.value(count, {}) == 0:
            return None
        own = {"each": self.unknown(f"module.{name}.each"), "count": self.unknown("count")}
        inputs = {k: self.bounded(e, own) for k, e in block.body.arguments.items()
                  if k not in ("source", "version", "providers", *_NOT_VALUES)}  # fmt: skip
        aliases = self._aliases(block.body.arguments.get("providers"))
        made = Module(self.root, target, f"{self.address}module.{name}.", inputs, self, aliases)
        self._children[name] = made
        return made

    def _aliases(self, given: Expression | None) -> dict[str, str]:
        out: dict[str, str] = {} if self.passed is None else dict(self.passed)
        for key, value in given.pairs if isinstance(given, Object) else ():
            named = key.name if isinstance(key, Attribute) else ""
            alias = value.name if isinstance(value, Attribute) else ""
            out[named] = self.passed.get(alias, alias) if self.passed is not None else alias
        return out

    def copies(self, block: BlockNode) -> Any:
        """A resource: itself, a list of it (count), or the copies by key (for_each)."""
        key = (block.kind, *block.labels)
        if key not in self._copies:
            self._copies[key] = self._made(block, ".".join(block.labels))
        return self._copies[key]

    def _made(self, block: BlockNode, name: str) -> Any:
        count, each = (block.body.arguments.get(k) for k in ("count", "for_each"))
        if count is not None:
            number = self.once(f"{name}.count", count, {})
            if isinstance(number, int) and not isinstance(number, bool):
                return [Copy(self, block, f"{name}.{i}", {"count": {"index": i}})
                        for i in range(min(number, _MAX_COPIES))]  # fmt: skip
        if each is not None:
            found = self.once(f"{name}.for_each", each, {})
            if isinstance(found, list):
                found = {self.evaluator.text(v): v for v in found}
            if isinstance(found, dict) and len(found) <= _MAX_COPIES:
                return {k: Copy(self, block, f"{name}.{k}", {"each": {"key": k, "value": v}})
                        for k, v in found.items()}  # fmt: skip
        return Copy(self, block, name, {
            "count": {"index": self.unknown(f"{name}.index")},
            "each": {"key": self.unknown(f"{name}.key"), "value": self.unknown(f"{name}.value")},
        })  # fmt: skip

    def all_copies(self) -> Iterator[Copy]:
        """Every resource of this module and of the modules that it calls."""
        for block in self.resources.values():
            found = self.copies(block)
            if isinstance(found, Copy):
                yield found
            else:
                yield from found.values() if isinstance(found, dict) else found
        for name in self.calls:
            child = self.child(name)
            if child is not None:
                yield from child.all_copies()


class Copy:
    """One resource, or one of the copies that count or for_each make of it."""

    def __init__(self, module: Module, block: BlockNode, name: str, own: dict[str, Any]) -> None:
        self.module = module
        self.block = block
        self.name = name
        self.own = own | {"self": module.unknown(f"{name}.self")}

    @property
    def kind(self) -> str:
        return self.block.labels[0]

    @property
    def where(self) -> Where:
        return self.module.root.where(self.module.alias_of(self.block))

    def attribute(self, name: str) -> Any:
        """An argument, a nested block, or what the provider makes of them."""
        given = self.block.body.arguments.get(name)
        if given is not None:
            found = self.module.once(f"{self.name}.{name}", given, self.own)
            if found is not None:
                return found
        rows = self._rows(self.block.body, self.own, 0).get(name) if given is None else None
        if rows is not None:
            return rows
        if self.block.kind == "data":
            return self._read(name)
        made = defaults(self.kind).get(name)
        if made is None:
            mark = self.module.unknown(self.name).mark
            made = computed(self.kind, name, mark, self.where, self._argument)
        return self.module.unknown(f"{self.name}.{name}") if made is None else made

    def _argument(self, name: str) -> str:
        return self.module.evaluator.text(self.attribute(name))

    def _read(self, name: str) -> Any:
        where = self.where
        if self.kind == "aws_caller_identity" and name in ("account_id", "id"):
            return where.account
        if self.kind == "aws_partition" and name in ("partition", "id"):
            return where.partition
        if self.kind == "aws_region" and name in ("name", "id", "region"):
            return where.region
        if self.kind == "aws_iam_policy_document" and name in ("json", "minified_json"):
            return json.dumps(documents.made(self.module.evaluator.encoded(self.values())))
        return self.module.unknown(f"data.{self.name}.{name}")

    def values(self) -> dict[str, Any]:
        """All arguments and nested blocks, as they are known."""
        out = {n: self.module.once(f"{self.name}.{n}", e, self.own)
               for n, e in self.block.body.arguments.items() if n not in _NOT_VALUES}  # fmt: skip
        return out | self._rows(self.block.body, self.own, 0)

    def _rows(self, body: Body, own: Mapping[str, Any], depth: int) -> dict[str, list[Any]]:
        out: dict[str, list[Any]] = {}
        for block in body.blocks:
            if block.kind == "dynamic" and block.labels:
                out.setdefault(block.labels[0], []).extend(self._dynamic(block, own, depth))
            elif block.kind not in _NOT_VALUES:
                out.setdefault(block.kind, []).append(self._row(block.body, own, depth))
        return out

    def _row(self, body: Body, own: Mapping[str, Any], depth: int) -> dict[str, Any]:
        row = {n: self.module.bounded(e, own) for n, e in body.arguments.items()}
        return row | self._rows(body, own, depth + 1)

    def _dynamic(self, block: BlockNode, own: Mapping[str, Any], depth: int) -> Iterator[Any]:
        over = block.body.arguments.get("for_each")
        iterator = block.body.arguments.get("iterator")
        name = iterator.name if isinstance(iterator, Name) else block.labels[0]
        found = self.module.evaluator.value(over, own) if over else None
        if isinstance(found, list):
            rows = [(v, v) for v in found]
        elif isinstance(found, dict):
            rows = list(found.items())
        else:
            unknown = self.module.unknown(f"{self.name}.{name}")
            rows = [(unknown, unknown)]
        for content in block.body.of("content")[:1]:
            for key, value in rows[:_MAX_COPIES]:
                yield self._row(content.body, {**own, name: {"key": key, "value": value}}, depth)
