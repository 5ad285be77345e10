"""Writes a Trivy-like image report of about the given size in MB: same seed, same bytes."""

from __future__ import annotations

import json
import random
import sys


def vulnerability(random_: random.Random, n: int) -> dict[str, object]:
    name = f"package-{n % 4000}"
    version = f"{n % 9}.{n % 23}.{n % 7}"
    cve = f"CVE-{2015 + n % 11}-{10000 + n % 60000}"
    return {
        "VulnerabilityID": cve,
        "PkgID": f"{name}@{version}",
        "PkgName": name,
        "PkgIdentifier": {"PURL": f"pkg:deb/debian/{name}@{version}?arch=amd64", "UID": f"{n:x}"},
        "InstalledVersion": version,
        "FixedVersion": f"{n % 9}.{n % 23 + 1}.0" if n % 3 else "",
        "Status": "fixed" if n % 3 else "affected",
        "Layer": {"Digest": f"sha256:{n % 12:064x}", "DiffID": f"sha256:{n % 12:064x}"},
        "SeveritySource": "debian",
        "PrimaryURL": f"https://avd.aquasec.com/nvd/{cve.lower()}",
        "DataSource": {"ID": "debian", "Name": "Debian Security Tracker", "URL": "https://x.test"},
        "Title": f"{name}: a fault number {n} that lets remote users do what they should not",
        "Description": " ".join(random_.choices(_WORDS, k=60)),
        "Severity": ("CRITICAL", "HIGH", "MEDIUM", "LOW")[n % 4],
        "CweIDs": [f"CWE-{20 + n % 700}"],
        "VendorSeverity": {"debian": 1 + n % 4, "nvd": 1 + n % 4, "redhat": 1 + n % 4},
        "CVSS": {
            "nvd": {"V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "V3Score": 9.8},
            "redhat": {"V3Vector": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", "V3Score": 8.1},
        },
        "References": [f"https://ref{i}.example.test/{cve}" for i in range(6)],
        "PublishedDate": "2023-01-02T03:04:05Z",
        "LastModifiedDate": "2024-01-02T03:04:05Z",
    }


_WORDS = [
    "the",
    "parser",
    "of",
    "a",
    "long",
    "header",
    "may",
    "write",
    "past",
    "its",
    "buffer",
    "when",
    "lengths",
    "are",
    "mixed",
]


def write(path: str, megabytes: int, image: str = "registry.example.test/shop/api") -> int:
    """Returns the number of vulnerabilities written."""
    random_ = random.Random(7)
    digest = f"sha256:{abs(hash(image)) % 16**8:064x}"
    head = {
        "SchemaVersion": 2,
        "CreatedAt": "2026-11-20T10:00:00Z",
        "ArtifactName": f"{image}:1",
        "ArtifactType": "container_image",
        "Metadata": {"RepoTags": [f"{image}:1"], "RepoDigests": [f"{image}@{digest}"]},
    }
    size, n = 0, 0
    with open(path, "w") as out:
        out.write(json.dumps(head)[:-1] + ', "Results": [{"Target": "debian", "Class": "os-pkgs", ')
        out.write('"Type": "debian", "Vulnerabilities": [')
        while size < megabytes * 1_000_000:
            text = ("," if n else "") + json.dumps(vulnerability(random_, n))
            out.write(text)
            size += len(text)
            n += 1
        out.write("]}]}")
    return n


if __name__ == "__main__":
    print(write(sys.argv[1], int(sys.argv[2])))
