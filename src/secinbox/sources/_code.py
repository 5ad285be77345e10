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

    def secret(self, rule: str, path: str, value: str) -> str:
        """The anchor of a secret: the same value in the same file is one, in any commit."""
        anchor = secret_anchor(path, rule, value)
        if anchor.startswith("secret:"):
            return f"{path}:{anchor.removeprefix('secret:')}"
        return self.exact(rule, path, anchor)

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
_KUBERNETES_NAMESPACE = re.compile(
    r"^metadata:\s*\n(?:[ \t]+.*\n)*?[ \t]+namespace:\s*[\"']?([\w.-]+)", re.M
)
_KUBERNETES_NAME = re.compile(r"^metadata:\s*\n(?:[ \t]+.*\n)*?[ \t]+name:\s*[\"']?([\w.-]+)", re.M)


def block_name(code: str) -> str:
    """The address of an infrastructure block (`aws_s3_bucket.data`, `shop.web`).

    The rest of a block changes with every repair; its head does not. Empty when there is none.
    """
    code = code[:20_000]
    terraform = _TERRAFORM.search(code)
    if terraform:
        kind, words = terraform.group(1), re.findall(r'"([^"]+)"', terraform.group(2))
        return ".".join(words if kind in ("resource", "data") else [kind, *words])
    found = _KUBERNETES_KIND.search(code)
    name = _KUBERNETES_NAME.search(code)
    if found and name:
        space = _KUBERNETES_NAMESPACE.search(code)
        # Without the kind: Checkov's graph checks say Pod where the file says Deployment.
        return f"{space.group(1) if space else 'default'}.{name.group(1)}"
    return ""


_ACCESS_KEY = re.compile(r"(?<![A-Z0-9])((?:AKIA|ASIA)[A-Z2-7]{16})(?![A-Z0-9])")


def access_key_id(*texts: str) -> str:
    """The id of an AWS access key in these texts (an id is a name, not the secret)."""
    for text in texts:
        found = _ACCESS_KEY.search(text)
        if found:
            return found.group(1)
    return ""


_GUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_CLIENT = re.compile(
    rf"(?:client|app|application)[ _-]?id[\"'\s]{{0,3}}[:=>]{{1,2}}[\"'\s]{{0,3}}({_GUID})(?![\w-])",
    re.I,
)
_ACCOUNT = re.compile(
    r"account[ _-]?name[\"'\s]{0,3}[:=>]{1,2}[\"'\s]{0,3}([a-z0-9]{3,24})(?![\w.-])", re.I
)
_BLOBS = re.compile(
    r"https?://([a-z0-9]{3,24})\.(?:blob|dfs|file|queue|table)\.core\.(?:windows\.net|usgovcloudapi\.net|"
    r"chinacloudapi\.cn)/?([^?\s\"'<>]*)(\?[^\s\"'<>]*)?", re.I
)  # fmt: skip
_READ = 20_000
# How a scanner's finding says what a secret opens, in a line of its description of its own.
OPENS = re.compile(
    rf"^Opens (azure-client:{_GUID}|azure-storage:[a-z0-9]{{3,24}}(?:/[a-z0-9$-]{{1,63}})?)"
    r"(?: until (\d{4}-\d\d-\d\d))?$", re.M
)  # fmt: skip


def azure_opens(*texts: str) -> str:
    """`Opens azure-client:ID` or `Opens azure-storage:ACCOUNT`, where these texts name what a secret
    of Azure opens; empty where they do not. A name is no secret; nothing else of the text is kept."""
    for text in texts:
        text = text[:_READ]
        for found in _BLOBS.finditer(text):
            signed = dict(p.partition("=")[::2] for p in (found.group(3) or "?")[1:].split("&"))
            if "sig" in signed:
                return _signature(found.group(1).lower(), found.group(2), signed)
        account = _ACCOUNT.search(text) or _BLOBS.search(text)
        if account:
            return f"Opens azure-storage:{account.group(1).lower()}"
        client = _CLIENT.search(text)
        if client:
            return f"Opens azure-client:{client.group(1).lower()}"
    return ""


def _signature(account: str, path: str, signed: dict[str, str]) -> str:
    """A shared access signature: of the account or of a container, to read, until some day."""
    if "sp" in signed and "r" not in signed["sp"].lower():
        return ""
    container = path.partition("/")[0].lower()
    name = f"{account}/{container}" if container and "ss" not in signed else account
    ends = re.match(r"\d{4}-\d\d-\d\d", signed.get("se", ""))
    return f"Opens azure-storage:{name}" + (f" until {ends.group(0)}" if ends else "")


def redact(text: str, *secrets: str) -> str:
    """The text without these secrets."""
    for secret in sorted((s for s in secrets if s and len(s) > 3), key=len, reverse=True):
        text = text.replace(secret, "[redacted]")
    return text


_TOKENS = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk_live_\w{8,}|rk_live_\w{8,}"
    r"|xox[abprs]-[\w-]{8,}|AIza[\w-]{30,}|npm_\w{30,}|hf_\w{20,}|SG\.[\w.-]{20,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
)


def scrub(text: str) -> str:
    """The text without tokens of well-known shapes, for messages that quote source code."""
    return _TOKENS.sub("[redacted]", text)


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
