"""Harborline Freight, a company that does not exist: what it runs, and what is wrong with it.

Everything in `examples/estate` follows from this file: the cloud is built and read back from it,
the cluster is written from it, the scanners are run on what it says, and the truth (which rows
are right, which things only look bad) stands beside each thing that causes it.
"""

from __future__ import annotations

CLOCK = "2026-11-23T09:00:00"  # the sample is looked at on this morning and does not age

REGION = "eu-central-1"
PROD, DEV = "561203884190", "730918254467"
CLUSTER = "yard"  # runs in the company's own halls
DOMAIN = "book.harborline.example"
REPOSITORY = "github.com/harborline/booking-api"
REGISTRY = f"{PROD}.dkr.ecr.{REGION}.amazonaws.com"

ATTACKER = "203.0.113.77"  # TEST-NET-3: nobody's address

# name -> digest as the registry would give it. Made up, constant.
IMAGES = {
    "edge-proxy": "sha256:" + "e1" * 32,
    "booking-api": "sha256:" + "b0" * 32,
    "quay-cache": "sha256:" + "ca" * 32,
    "search-dev": "sha256:" + "5e" * 32,
    "label-printer": "sha256:" + "1a" * 32,
    "customs-feed": "sha256:" + "cf" * 32,
}
VERSIONS = {
    "edge-proxy": "4.2", "booking-api": "2.7", "quay-cache": "1.1", "search-dev": "0.3",
    "label-printer": "3.0", "customs-feed": "1.8",
}  # fmt: skip

# Workloads of the cluster: namespace, environment, service, image, replicas.
WORKLOADS = [
    {"name": "booking-api", "namespace": "booking", "env": "prod", "image": "booking-api", "replicas": 2},
    {"name": "quay-cache", "namespace": "booking", "env": "prod", "image": "quay-cache", "replicas": 1},
    {"name": "customs-feed", "namespace": "customs", "env": "prod", "image": "customs-feed", "replicas": 1},
    {"name": "label-printer", "namespace": "warehouse", "env": "prod", "image": "label-printer", "replicas": 1},
    {"name": "search-dev", "namespace": "lab", "env": "dev", "image": "search-dev", "replicas": 1},
]  # fmt: skip

# Vulnerabilities of image packages. No image can be pulled and scanned offline, so these reports
# are written by the script in Trivy's form; the statements themselves are public facts (NVD).
IMAGE_VULNERABILITIES = {
    "edge-proxy": [
        ("CVE-2021-42013", "apache2", "2.4.49-1", "2.4.51-1~deb11u1", "CRITICAL",
         "httpd: path traversal and remote code execution in Apache HTTP Server 2.4.49 and 2.4.50"),
        ("CVE-2021-41773", "apache2", "2.4.49-1", "2.4.51-1~deb11u1", "HIGH",
         "httpd: path traversal and file disclosure in Apache HTTP Server 2.4.49"),
    ],
    "quay-cache": [
        ("CVE-2022-0543", "redis-server", "5:6.0.15-1", "5:6.0.16-1+deb11u2", "CRITICAL",
         "redis: Lua sandbox escape in Debian packages"),
    ],
    "search-dev": [
        ("CVE-2022-0543", "redis-server", "5:6.0.15-1", "5:6.0.16-1+deb11u2", "CRITICAL",
         "redis: Lua sandbox escape in Debian packages"),
    ],
    "customs-feed": [
        ("CVE-2019-10149", "exim4-base", "4.89-2", "4.89-2+deb9u4", "CRITICAL",
         "exim: remote command execution in deliver_message()"),
    ],
    "label-printer": [
        ("CVE-2023-38545", "curl", "7.88.1-10+deb12u1", "7.88.1-10+deb12u4", "CRITICAL",
         "curl: heap based buffer overflow in the SOCKS5 proxy handshake"),
    ],
}  # fmt: skip

# Signals: (sensor, when, what, where). `days` before the clock.
FALCO = [
    {"days": 0.4, "rule": "Terminal shell in container", "priority": "Notice", "pod": "booking-api", "tag": "T1059"},
    {"days": 0.3, "rule": "Read sensitive file untrusted", "priority": "Warning", "pod": "booking-api", "tag": "T1555"},
    # Too old to count: fifteen days is the limit.
    {"days": 40, "rule": "Terminal shell in container", "priority": "Notice", "pod": "label-printer", "tag": "T1059"},
]  # fmt: skip
WAF = [
    {"days": 1.2, "request": "GET /cgi-bin/.%%32%65/.%%32%65/.%%32%65/.%%32%65/etc/passwd HTTP/1.1",
     "id": "930100", "msg": "Path Traversal Attack (/../)", "severity": "CRITICAL"},
    {"days": 0.9, "request": "POST /cgi-bin/.%%32%65/.%%32%65/.%%32%65/.%%32%65/bin/sh HTTP/1.1",
     "id": "932160", "msg": "Remote Command Execution: Unix Shell Code Found", "severity": "CRITICAL"},
]  # fmt: skip
GUARDDUTY = [
    {"days": 2, "type": "UnauthorizedAccess:EC2/SSHBruteForce", "instance": "jump", "severity": 5,
     "title": "SSH brute force attacks against the jump host."},
]  # fmt: skip

# A vendor says: customs-feed ships Exim's library only, the vulnerable part is not in it.
VEX = {"image": "customs-feed", "vulnerability": "CVE-2019-10149", "package": "exim4-base"}
