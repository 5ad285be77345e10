"""What SARIF leaves to each tool: what its results are about, and packages in their messages."""

from __future__ import annotations

import re
from typing import NamedTuple

from secinbox.sources._packages import make_purl, purl_name, purl_version, vulnerability_id

SECRET_TOOLS = frozenset(
    {
        "gitleaks",
        "betterleaks",
        "kingfisher",
        "trufflehog",
        "detect-secrets",
        "ggshield",
        "noseyparker",
        "whispers",
        "semgrep-secrets",
        "gitguardian",
    }
)
INFRASTRUCTURE_TOOLS = frozenset(
    {
        "checkov",
        "kics",
        "tfsec",
        "terrascan",
        "zizmor",
        "snyk-iac",
        "hadolint",
        "dockle",
        "kube-linter",
        "kubescape",
        "cfn-lint",
        "tflint",
        "conftest",
        "defsec",
        "actionlint",
        "poutine",
        "templateanalyzer",
        "psrule",
        "trivy-config",
    }
)
PACKAGE_TOOLS = frozenset(
    {
        "trivy",
        "grype",
        "osv-scanner",
        "snyk-open-source",
        "snyk-container",
        "dependency-check",
        "govulncheck",
        "blackduck",
        "pip-audit",
        "npm-audit",
        "retire-js",
        "anchore",
        "xray",
        "docker-scout",
    }
)
_NAMES = {
    "semgrep-oss": "semgrep",
    "semgrep-pro": "semgrep",
    "semgrep-code": "semgrep",
    "codeql-command-line-toolchain": "codeql",
    "snykcode": "snyk-code",
    "nosey-parker": "noseyparker",
    "trufflehog-oss": "trufflehog",
}
_LOCK_FILES = {
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
    "yarn.lock": "npm",
    "pnpm-lock.yaml": "npm",
    "bun.lock": "npm",
    "package.json": "npm",
    "requirements.txt": "pypi",
    "poetry.lock": "pypi",
    "pipfile.lock": "pypi",
    "uv.lock": "pypi",
    "pdm.lock": "pypi",
    "pylock.toml": "pypi",
    "metadata": "pypi",
    "go.mod": "golang",
    "go.sum": "golang",
    "cargo.lock": "cargo",
    "composer.lock": "composer",
    "gemfile.lock": "gem",
    "pom.xml": "maven",
    "gradle.lockfile": "maven",
    "packages.lock.json": "nuget",
    "mix.lock": "hex",
    "pubspec.lock": "pub",
    "conan.lock": "conan",
    "podfile.lock": "cocoapods",
    "package.resolved": "swift",
}


def tool_name(text: str) -> str:
    """`semgrep` of `Semgrep OSS`, `codeql` of `CodeQL command-line toolchain`."""
    word = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return _NAMES.get(word, word) or "sarif"


class Package(NamedTuple):
    """What a result says of a package."""

    vulnerability: str = ""
    name: str = ""
    version: str = ""
    fixed: str = ""
    purl: str = ""
    system: bool = False
    severity: str = ""
    image: str = ""


_GRYPE = re.compile(
    r"A (\w+) vulnerability in (\S+) package: (.+?), version (.+?) was found"
    r"(?: in image (\S+))? at: (.+)",
    re.S,
)
_OLD_GRYPE = re.compile(
    r"reports (.+?) at version (\S*)\s+which .*?\(?(\S+?)\)? package",
    re.S,
)
_OSV = re.compile(r"Package '([^'@]+|@[^'@]+)@([^']*)' is vulnerable to '([^']+)'")
_PURL = re.compile(r"pkg:[a-z][a-z0-9.+-]*/[^\s\"'`,)]+")
_SNYK = re.compile(r"(?:vulnerable|introduces a vulnerable) ([^\s()]+) package")


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}:[ \t]*(.*)$", text, re.M)
    return found.group(1).strip() if found else ""


def ecosystem_of(path: str) -> str:
    """What the name of a lock file says."""
    name = path.rpartition("/")[2].lower()
    if name in _LOCK_FILES:
        return _LOCK_FILES[name]
    if name.endswith((".jar", ".war", ".ear")):
        return "maven"
    if name.startswith("requirements") and name.endswith(".txt"):
        return "pypi"
    return ""


def system_ecosystem(version: str) -> str:
    """The distribution whose packages have such versions; empty when it could be any."""
    for mark, word in (
        (r"ubuntu", "ubuntu"),
        (r"[+~]deb\d+", "debian"),
        (r"-r\d+$", "alpine"),
        (r"\.amzn", "amazon"),
        (r"\.el\d", "redhat"),
    ):
        if re.search(mark, version):
            return word
    return ""


def package_of(
    tool: str, rule: str, rule_name: str, message: str, path: str, extra: str
) -> Package:
    """The package of a result, from the message forms of the tools that write SARIF."""
    name = vulnerability_id(rule) or vulnerability_id(rule_name) or vulnerability_id(message)
    grype = _GRYPE.search(message)
    if grype:
        word, kind, package, version, image, _ = grype.groups()
        system = kind in ("deb", "rpm", "apk", "alpm", "portage", "msrc-kb")
        ecosystem = (system_ecosystem(version) or kind) if system else kind
        return Package(
            vulnerability_id(rule) or name,
            package,
            version,
            "",
            make_purl(ecosystem, package, version),
            system,
            word,
            image or "",
        )
    old = _OLD_GRYPE.search(message) if tool == "grype" else None
    if old:
        package, version, kind = old.groups()
        system = kind in ("deb", "rpm", "apk", "alpm", "portage", "msrc-kb")
        ecosystem = (system_ecosystem(version) or kind) if system else kind
        return Package(name, package, version, "", make_purl(ecosystem, package, version), system)
    osv = _OSV.search(message)
    if osv:
        package, version, _ = osv.groups()
        return Package(name, package, version, "", make_purl(ecosystem_of(path), package, version))
    package = _field(message, "Package")
    if package:  # Trivy
        version = _field(message, "Installed Version")
        system = rule_name.startswith("OsPackage")
        ecosystem = system_ecosystem(version) if system else ecosystem_of(path)
        return Package(
            name,
            package,
            version,
            _field(message, "Fixed Version"),
            make_purl(ecosystem, package, version),
            system,
            _field(message, "Severity"),
        )
    found = _PURL.search(f"{extra} {message}")
    if found:
        purl = found.group(0)
        return Package(name, purl_name(purl), purl_version(purl), "", purl)
    snyk = _SNYK.search(message)
    if snyk:
        package, _, version = snyk.group(1).rpartition("@")
        package, version = (package, version) if package else (version, "")
        return Package(name, package, version, "", make_purl(ecosystem_of(path), package, version))
    if tool == "grype" and name:
        return Package(name, rule[len(name) :].strip("-"))
    return Package(name)
