"""Findings in source code: anchors that stay when lines move, secrets that stay secret."""

from __future__ import annotations

import re
from collections import Counter
from hashlib import blake2b


def digest(*parts: str) -> str:
    """16 hexadecimal digits for texts."""
    text = "\x1f".join(parts)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def clean_path(path: str) -> str:
    """A path relative to the repository, as all tools' dialects of it agree."""
    path = path.replace("\\", "/").removeprefix("file://")
    while path.startswith(("./", "/")):
        path = path[2:] if path.startswith("./") else path[1:]
    return path


def normal_code(code: str) -> str:
    """Code without the white space that formatters change."""
    return " ".join(code.split())


class Anchors:
    """Anchors of one report: path and code, and which occurrence when the same stands twice."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, ...]] = Counter()

    def of(self, rule: str, path: str, code: str) -> str:
        """The anchor of a flagged piece of code (its first line decides)."""
        first = next((line for line in code.splitlines() if line.strip()), "")
        return self.exact(rule, path, normal_code(first))

    def exact(self, rule: str, path: str, what: str) -> str:
        """The anchor of something that is already stable: a symbol, a resource, a fingerprint."""
        key = (rule, path, what)
        self._seen[key] += 1
        count = self._seen[key]
        anchor = f"{path}:{digest(what)}" if what else path
        return anchor if count == 1 else f"{anchor}#{count}"


_TERRAFORM = re.compile(
    r'^\s*(resource|data|module|provider|variable|output)\s+("[^"]+"(\s+"[^"]+")?)', re.M
)
_KUBERNETES_KIND = re.compile(r"^kind:\s*[\"']?(\w+)", re.M)
_KUBERNETES_NAME = re.compile(r"^metadata:\s*\n(?:[ \t]+.*\n)*?[ \t]+name:\s*[\"']?([\w.-]+)", re.M)


def block_name(code: str) -> str:
    """What an infrastructure block is called (`resource "aws_s3_bucket" "data"`), else its start.

    The rest of a block changes with every repair; its head does not.
    """
    code = code[:20_000]
    terraform = _TERRAFORM.search(code)
    if terraform:
        return normal_code(terraform.group(0))
    kind, name = _KUBERNETES_KIND.search(code), _KUBERNETES_NAME.search(code)
    if kind and name:
        return f"{kind.group(1)}/{name.group(1)}"
    return normal_code(next((line for line in code.splitlines() if line.strip()), ""))


_ACCESS_KEY = re.compile(r"(?<![A-Z0-9])((?:AKIA|ASIA)[A-Z2-7]{16})(?![A-Z0-9])")


def access_key_id(*texts: str) -> str:
    """The id of an AWS access key in these texts (an id is a name, not the secret)."""
    for text in texts:
        found = _ACCESS_KEY.search(text)
        if found:
            return found.group(1)
    return ""


def redact(text: str, *secrets: str) -> str:
    """The text without these secrets."""
    for secret in sorted((s for s in secrets if s and len(s) > 3), key=len, reverse=True):
        text = text.replace(secret, "[redacted]")
    return text


def preview(secret: str) -> str:
    """So little of a secret that a person can tell which it is: `ghp_…` and its length."""
    if len(secret) < 12:
        return "[redacted]"
    return f"{secret[:4]}… ({len(secret)} characters)"


def secret_anchor(path: str, rule: str, secret: str) -> str:
    """Hash of the secret when it is known and whole, else the rule and the path."""
    if secret and not re.fullmatch(r"[*x\s.]+|\[?redacted\]?|[^*]*\*{4,}[^*]*", secret, re.I):
        return f"secret:{digest(secret)}"
    return f"{path}:{rule}"
