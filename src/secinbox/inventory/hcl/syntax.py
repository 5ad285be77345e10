"""The configuration language of Terraform as a tree: blocks, arguments and expressions.

Nothing is evaluated here. Nesting is bounded, and every error says file and line. Source: the
specification of HCL's native syntax (hashicorp/hcl, hclsyntax/spec.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from secinbox.reading import ReportError

T = TypeVar("T")

MAX_NESTING = 50
MAX_FILE = 1024 * 1024  # characters
_HINT = "check the folder with terraform validate"
_SPACE = re.compile(r"(?:[ \t\r]|/\*.*?\*/)*", re.S)
_BLANK = re.compile(r"(?:[ \t\r\n]|/\*.*?\*/|#[^\n]*|//[^\n]*)*", re.S)
_NAME = re.compile(r"[^\W\d][\w-]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_HEREDOC = re.compile(r"<<(-?)([^\W\d][\w-]*)[ \t]*\r?\n")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.S)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<=", ">=", "<", ">"), ("+", "-"), ("*", "/", "%"))


class Expression:
    """A node of the tree."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Template(Expression):
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Directive(Expression):
    """`%{ if ... }` and `%{ for ... }`: what they make of a text is not worked out."""


@dataclass(frozen=True, slots=True)
class Name(Expression):
    name: str


@dataclass(frozen=True, slots=True)
class Attribute(Expression):
    of: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Index(Expression):
    of: Expression
    key: Expression


@dataclass(frozen=True, slots=True)
class Splat(Expression):
    of: Expression
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call(Expression):
    name: str
    arguments: tuple[Expression, ...]
    spread: bool = False  # the last argument is a list of arguments


@dataclass(frozen=True, slots=True)
class Operation(Expression):
    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choice(Expression):
    condition: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True, slots=True)
class Sequence(Expression):
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Object(Expression):
    pairs: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class For(Expression):
    names: tuple[str, ...]
    over: Expression
    key: Expression | None  # of objects
    value: Expression
    condition: Expression | None
    grouped: bool = False


@dataclass
class Body:
    """Arguments and blocks between two braces."""

    arguments: dict[str, Expression] = field(default_factory=dict)
    blocks: list[BlockNode] = field(default_factory=list)

    def of(self, kind: str) -> list[BlockNode]:
        return [b for b in self.blocks if b.kind == kind]


@dataclass
class BlockNode:
    kind: str
    labels: tuple[str, ...]
    body: Body
    place: str  # file:line


def parse(text: str, file: str) -> Body:
    """A whole file. Raises ReportError with file and line."""
    if len(text) > MAX_FILE:
        raise ReportError("the file is too large for a Terraform source", f"{file} line 1", _HINT)
    return _Parser(text, file).file_body()


class _Parser:
    def __init__(self, text: str, file: str, depth: int = 0, line: int = 1) -> None:
        self.text = text
        self.file = file
        self.at = 0
        self.depth = depth
        self.line = line  # of the first character
        self.multiline = False  # inside brackets a line end means nothing

    def fail(self, message: str, at: int | None = None) -> ReportError:
        line = self.line + self.text.count("\n", 0, self.at if at is None else at)
        return ReportError(f"not valid Terraform: {message}", f"{self.file} line {line}", _HINT)

    def skip(self) -> None:
        found = (_BLANK if self.multiline else _SPACE).match(self.text, self.at)
        assert found is not None  # both match the empty text
        self.at = found.end()

    def blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def sees(self, mark: str) -> bool:
        self.skip()
        return self.text.startswith(mark, self.at)

    def takes(self, mark: str) -> bool:
        if self.sees(mark):
            self.at += len(mark)
            return True
        return False

    def expect(self, mark: str) -> None:
        if not self.takes(mark):
            if self.at >= len(self.text):
                raise self.fail("the file ends in the middle (truncated)")
            raise self.fail(f"expected {mark}")

    def name(self) -> str:
        self.skip()
        found = _NAME.match(self.text, self.at)
        if not found:
            cut = self.at >= len(self.text)
            raise self.fail("the file ends in the middle (truncated)" if cut else "expected a name")
        self.at = found.end()
        return found.group()

    def inside(self, read: Callable[[], T], multiline: bool) -> T:
        if self.depth >= MAX_NESTING:
            raise self.fail("nested too deeply")
        before, self.multiline = self.multiline, multiline
        self.depth += 1
        made = read()
        self.depth -= 1
        self.multiline = before
        return made

    def file_body(self) -> Body:
        body = self.body()
        if self.at < len(self.text):
            raise self.fail("expected a block or an argument")
        return body

    def body(self) -> Body:
        body = Body()
        counted = self.at
        line = self.line + self.text.count("\n", 0, counted)
        while True:
            self.blank()
            if self.at >= len(self.text) or self.text[self.at] == "}":
                return body
            begin = self.at
            name = self.name()
            if self.sees("=") and not self.sees("=="):
                self.at += 1
                body.arguments[name] = self.expression()
                continue
            labels = []
            while not self.takes("{"):
                labels.append(self.label())
            line += self.text.count("\n", counted, begin)
            counted = begin
            inner = self.inside(self.body, False)
            self.blank()
            self.expect("}")
            body.blocks.append(BlockNode(name, tuple(labels), inner, f"{self.file} line {line}"))

    def label(self) -> str:
        if not self.takes('"'):
            return self.name()
        end = self.text.find('"', self.at)
        if end < 0:
            raise self.fail("the file ends in the middle (truncated)")
        found, self.at = self.text[self.at : end], end + 1
        return found

    def expression(self) -> Expression:
        return self.inside(self.choice, self.multiline)

    def choice(self) -> Expression:
        condition = self.operation(0)
        if not self.takes("?"):
            return condition
        self.blank()
        yes = self.expression()
        self.blank()
        self.expect(":")
        self.blank()
        return Choice(condition, yes, self.expression())

    def operation(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self.unary()
        left = self.operation(level + 1)
        while True:
            self.skip()
            mark = next((m for m in _LEVELS[level] if self.text.startswith(m, self.at)), None)
            if mark is None or self.text.startswith(("//", "=>"), self.at):
                return left
            self.at += len(mark)
            self.blank()
            left = Operation(mark, (left, self.operation(level + 1)))

    def unary(self) -> Expression:
        for mark in ("-", "!"):
            if self.takes(mark):
                return Operation(mark, (self.inside(self.unary, self.multiline),))
        return self.postfix(self.primary())

    def postfix(self, made: Expression) -> Expression:
        while True:
            if self.sees("...") or not (self.sees(".") or self.sees("[")):
                return made
            if self.takes("["):
                if self.takes("*"):
                    self.expect("]")
                    made = self.splat(made)
                    continue
                made = Index(made, self.inside(self.expression, True))
                self.blank()
                self.expect("]")
                continue
            self.at += 1
            self.skip()
            digits = re.compile(r"\d+").match(self.text, self.at)
            if self.takes("*"):
                made = self.splat(made)
            elif digits:
                self.at = digits.end()
                made = Index(made, Literal(int(digits.group()[:9])))
            else:
                made = Attribute(made, self.name())

    def splat(self, made: Expression) -> Expression:
        names = []
        while self.sees(".") and not self.sees("..."):
            self.at += 1
            names.append(self.name())
        return Splat(made, tuple(names))

    def primary(self) -> Expression:
        self.skip()
        text = self.text[self.at : self.at + 1]
        if text == '"':
            return self.quoted()
        heredoc = _HEREDOC.match(self.text, self.at)
        if heredoc:
            return self.heredoc(heredoc)
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            word = number.group()[:40]
            return Literal(int(word) if word.isdigit() else float(word))
        if self.takes("("):
            made = self.inside(self.expression, True)
            self.blank()
            self.expect(")")
            return made
        if self.takes("["):
            return self.inside(self.sequence, True)
        if self.takes("{"):
            return self.inside(self.object, True)
        name = self.name()
        if name in ("true", "false", "null"):
            return Literal({"true": True, "false": False}.get(name))
        while self.takes("::"):
            name = f"{name}::{self.name()}"
        return self.inside(lambda: self.call(name), True) if self.takes("(") else Name(name)

    def call(self, name: str) -> Expression:
        arguments = []
        spread = False
        while not self.takes(")"):
            arguments.append(self.expression())
            spread = self.takes("...")
            if not self.takes(","):
                self.expect(")")
                break
        return Call(name, tuple(arguments), spread)

    def starts_for(self) -> bool:
        self.skip()
        return re.compile(r"for\b(?!\s*[=:])").match(self.text, self.at) is not None

    def sequence(self) -> Expression:
        if self.starts_for():
            return self.each("]")
        items = []
        while not self.takes("]"):
            items.append(self.expression())
            if not self.takes(","):
                self.expect("]")
                break
        return Sequence(tuple(items))

    def object(self) -> Expression:
        if self.starts_for():
            return self.each("}")
        pairs = []
        while not self.takes("}"):
            key = self.operation(0)
            key = Literal(key.name) if isinstance(key, Name) else key
            if not self.takes("="):
                self.expect(":")
            # The next key stands on a line of its own: a line end closes the value.
            value = self.inside(self.expression, False)
            pairs.append((key, value))
            self.takes(",")
        return Object(tuple(pairs))

    def each(self, end: str) -> Expression:
        self.name()
        names = [self.name()]
        if self.takes(","):
            names.append(self.name())
        if self.name() != "in":
            raise self.fail("expected in")
        over = self.expression()
        self.expect(":")
        key: Expression | None = None
        value = self.expression()
        if self.takes("=>"):
            key, value = value, self.expression()
        grouped = self.takes("...")
        condition = None
        self.skip()
        if re.compile(r"if\b").match(self.text, self.at):
            self.at += 2
            condition = self.expression()
        self.expect(end)
        return For(tuple(names), over, key, value, condition, grouped)

    def quoted(self) -> Expression:
        self.at += 1
        begin = self.at
        end = self.closing(begin)
        self.at = end + 1
        return self.template(begin, end, True)

    def closing(self, at: int) -> int:
        """Where the quoted text that begins here ends; quotes inside ${...} do not end it."""
        braces: list[str] = []
        while at < len(self.text):
            char = self.text[at]
            if braces and braces[-1] == "{":
                if char == '"':
                    braces.append('"')
                elif char == "{":
                    braces.append("{")
                elif char == "}":
                    braces.pop()
            elif char == "\\":
                at += 1
            elif self.text.startswith(("$${", "%%{"), at):
                at += 2
            elif self.text.startswith(("${", "%{"), at):
                braces.append("{")
                at += 1
            elif char == '"':
                if not braces:
                    return at
                braces.pop()
            elif char == "\n" and not braces:
                break
            at += 1
        raise self.fail("a text is not closed (truncated)")

    def heredoc(self, found: re.Match[str]) -> Expression:
        begin = found.end()
        closing = re.compile(rf"^[ \t]*{re.escape(found.group(2))}[ \t]*\r?$", re.M)
        end = closing.search(self.text, begin)
        if end is None:
            raise self.fail("a heredoc is not closed (truncated)")
        self.at = end.end()
        if not found.group(1):
            return self.template(begin, end.start(), False)
        body = self.text[begin : end.start()]
        margins = [len(x) - len(x.lstrip(" \t")) for x in body.split("\n") if x.strip()]
        margin = min(margins, default=0)
        shifted = "\n".join(x[margin:] if x.strip() else x.strip(" \t") for x in body.split("\n"))
        line = self.line + self.text.count("\n", 0, begin)
        return _Parser(shifted, self.file, self.depth, line).template(0, len(shifted), False)

    def template(self, begin: int, end: int, quoted: bool) -> Expression:
        parts: list[Expression] = []
        plain: list[str] = []
        at = counted = begin
        line = self.line + self.text.count("\n", 0, begin)
        mark = re.compile(r"\$\$\{|%%\{|\$\{|%\{")
        while at < end:
            found = mark.search(self.text, at, end)
            stop = found.start() if found else end
            piece = self.text[at:stop]
            plain.append(_ESCAPE.sub(_unescaped, piece) if quoted else piece)
            if not found:
                break
            at = found.end()
            if len(found.group()) == 3:
                plain.append(found.group()[1:])
                continue
            if any(plain):
                parts.append(Literal("".join(plain)))
            plain = []
            line += self.text.count("\n", counted, at)
            counted = at
            inner = _Parser(self.text[at:end], self.file, self.depth, line)
            inner.multiline = True
            if found.group() == "%{":
                close = self.text.find("}", at, end)
                if close < 0:
                    raise self.fail("a directive is not closed", at)
                parts.append(Directive())
                at = close + 1
                continue
            inner.takes("~")
            parts.append(inner.expression())
            inner.takes("~")
            inner.expect("}")
            at += inner.at
        if any(plain):
            parts.append(Literal("".join(plain)))
        if not parts:
            return Literal("")
        if len(parts) == 1 and (quoted or isinstance(parts[0], Literal)):
            return parts[0]
        return Template(tuple(parts))


def _unescaped(found: re.Match[str]) -> str:
    code = found.group(1)
    if code[0] in "uU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
    return _ESCAPES.get(code, code)
