"""Packages and scores: package URLs from what tools print, and the choice among CVSS scores."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

# What Trivy, Grype, OSV and others call an ecosystem, as a purl type.
_TYPES = {
    "npm": "npm",
    "yarn": "npm",
    "pnpm": "npm",
    "bun": "npm",
    "node-pkg": "npm",
    "node": "npm",
    "javascript": "npm",
    "retire": "npm",
    "pip": "pypi",
    "pipenv": "pypi",
    "poetry": "pypi",
    "uv": "pypi",
    "python-pkg": "pypi",
    "python": "pypi",
    "pypi": "pypi",
    "pylock": "pypi",
    "conda-pkg": "conda",
    "conda-environment": "conda",
    "conda": "conda",
    "bundler": "gem",
    "gemspec": "gem",
    "gem": "gem",
    "rubygems": "gem",
    "ruby": "gem",
    "jar": "maven",
    "pom": "maven",
    "gradle": "maven",
    "gradle-lockfile": "maven",
    "sbt": "maven",
    "sbt-lockfile": "maven",
    "maven": "maven",
    "java-archive": "maven",
    "java": "maven",
    "jenkins-plugin": "maven",
    "gomod": "golang",
    "gobinary": "golang",
    "go": "golang",
    "go-module": "golang",
    "golang": "golang",
    "cargo": "cargo",
    "rustbinary": "cargo",
    "rust-crate": "cargo",
    "crates.io": "cargo",
    "rust": "cargo",
    "composer": "composer",
    "composer-vendor": "composer",
    "php-composer": "composer",
    "packagist": "composer",
    "php": "composer",
    "nuget": "nuget",
    "dotnet-core": "nuget",
    "dotnet": "nuget",
    "packages-props": "nuget",
    "conan": "conan",
    "conancenter": "conan",
    "hex": "hex",
    "mix": "hex",
    "pub": "pub",
    "swift": "swift",
    "swifturl": "swift",
    "cocoapods": "cocoapods",
    "julia": "julia",
    "cran": "cran",
    "hackage": "hackage",
    "github-action": "githubactions",
    "github actions": "githubactions",
    "apk": "apk",
    "alpine": "apk",
    "wolfi": "apk",
    "chainguard": "apk",
    "deb": "deb",
    "debian": "deb",
    "ubuntu": "deb",
    "rpm": "rpm",
    "redhat": "rpm",
    "centos": "rpm",
    "rocky": "rpm",
    "alma": "rpm",
    "amazon": "rpm",
    "oracle": "rpm",
    "fedora": "rpm",
    "photon": "rpm",
    "suse": "rpm",
    "opensuse": "rpm",
    "opensuse.leap": "rpm",
    "opensuse.tumbleweed": "rpm",
    "opensuse-leap": "rpm",
    "opensuse-tumbleweed": "rpm",
    "sles": "rpm",
    "azurelinux": "rpm",
    "suse linux enterprise server": "rpm",
    "cbl-mariner": "rpm",
    "mariner": "rpm",
    "rocky linux": "rpm",
    "almalinux": "rpm",
    "red hat": "rpm",
    "slem": "rpm",
    "alpm": "alpm",
    "arch": "alpm",
}
OS_PURLS = frozenset({"apk", "deb", "rpm", "alpm", "ebuild", "bitnami-os"})


def purl_type(ecosystem: str) -> str:
    """The purl type of a tool's word for an ecosystem; empty when it has none."""
    word = ecosystem.strip().lower()
    return _TYPES.get(word) or _TYPES.get(word.partition(":")[0], "")


def make_purl(ecosystem: str, name: str, version: str = "") -> str:
    """A package URL from an ecosystem's name, a package's name and a version; empty if unknown."""
    kind = purl_type(ecosystem)
    if not kind or not name:
        return ""
    namespace = ""
    if kind == "maven":
        name = name.replace(":", "/")
    elif kind == "pypi":
        name = re.sub(r"[-_.]+", "-", name).lower()
    elif kind in OS_PURLS:
        word = ecosystem.strip().lower().partition(":")[0].replace(" ", "-")
        namespace = "" if word in ("apk", "deb", "rpm", "alpm") else word
        name = name if not namespace else f"{namespace}/{name}"
    path = "/".join(quote(part, safe="!$&'()*,;=:+~._-") for part in name.split("/"))
    return f"pkg:{kind}/{path}" + (f"@{quote(version, safe=':~._-+')}" if version else "")


def is_os_purl(purl: str) -> bool:
    """The package comes from the operating system's package manager."""
    return purl.startswith(("pkg:deb/", "pkg:rpm/", "pkg:apk/", "pkg:alpm/", "pkg:ebuild/"))


def purl_name(purl: str) -> str:
    """Name of a package URL, with its namespace where people write it."""
    body = purl.partition("#")[0].partition("?")[0].removeprefix("pkg:")
    kind, _, path = body.partition("/")
    path = path.rpartition("@")[0] if "@" in path.rpartition("/")[2] else path
    path = path.replace("%40", "@")
    if kind == "maven":
        return path.replace("/", ":")
    return path.rpartition("/")[2] if kind in OS_PURLS else path


def purl_version(purl: str) -> str:
    """Version of a package URL; empty when it has none."""
    body = purl.partition("#")[0].partition("?")[0]
    last = body.rpartition("/")[2]
    return last.rpartition("@")[2].replace("%2B", "+").replace("%3A", ":") if "@" in last else ""


_ORDER = {"4": 0, "3.1": 1, "3": 2, "2": 3}


def cvss_generation(vector: str, version: str = "") -> str:
    """`4`, `3.1`, `3` or `2` of a vector text or a version word."""
    if vector.startswith("CVSS:4") or version.startswith(("4", "CVSSv4", "CVSS_V4", "cvssv4")):
        return "4"
    if vector.startswith("CVSS:3.1") or version.startswith("3.1") or version.endswith("v31"):
        return "3.1"
    if vector.startswith("CVSS:3") or "3" in version:
        return "3"
    return "2"


def best_score(scores: Iterable[tuple[str, float | None, str]]) -> tuple[float | None, str]:
    """Score and vector of the newest CVSS generation; within one, the first given.

    scores: (generation, score, vector). A vector without a score is computed.
    """
    best: tuple[int, float | None, str] | None = None
    for generation, score, vector in scores:
        if score is None and vector:
            score = score_of_vector(vector)
        if score is None or not 0 <= score <= 10:
            continue
        rank = _ORDER.get(generation, 9)
        if best is None or rank < best[0]:
            best = (rank, score, vector)
    return (best[1], best[2]) if best else (None, "")


def score_of_vector(vector: str) -> float | None:
    """Base score of a CVSS vector of any generation; None when it is not one."""
    import cvss

    text = vector.strip().strip("()")
    try:
        if text.startswith("CVSS:4"):
            return float(cvss.CVSS4(text).base_score)
        if text.startswith("CVSS:3"):
            return float(cvss.CVSS3(text).scores()[0])
        if text.startswith(("AV:", "CVSS2#")):
            return float(cvss.CVSS2(text.removeprefix("CVSS2#")).scores()[0])
    except cvss.CVSSError:
        return None
    return None


_ID = re.compile(
    r"\b(CVE-\d{4}-\d{4,}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}|PYSEC-\d{4}-\d+|GO-\d{4}-\d+"
    r"|RUSTSEC-\d{4}-\d+|SNYK-[A-Z]+-[A-Z0-9-]+-\d+|OSV-\d{4}-\d+|ALAS\d?-\d{4}-\d+"
    r"|RHSA-\d{4}:\d+|DSA-\d+-\d+|DLA-\d+-\d+|USN-\d+-\d+|MAL-\d{4}-\d+)\b",
    re.I,
)


def vulnerability_id(text: str) -> str:
    """The first vulnerability id in a text, in its canonical case; empty when there is none."""
    found = _ID.search(text)
    if not found:
        return ""
    word = found.group(1)
    return canonical_id(word)


def vulnerability_ids(text: str) -> list[str]:
    """All vulnerability ids in a text, in order, once each."""
    return list(dict.fromkeys(canonical_id(m.group(1)) for m in _ID.finditer(text)))


def canonical_id(word: str) -> str:
    """CVE ids in upper case, GHSA ids with lower-case groups, others as they are."""
    word = word.strip()
    upper = word.upper()
    if upper.startswith("GHSA-"):
        return "GHSA-" + word[5:].lower()
    return upper if upper.startswith(("CVE-", "PYSEC-", "GO-", "RUSTSEC-")) else word
