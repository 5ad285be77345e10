"""Reports that no tool can make here: written by this script in the tools' own forms.

Each says so where the form has room for it (`generator`, `ReportID`), and `README.md` lists them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from harborline.cluster import container_id, pod_name
from harborline.description import (
    ATTACKER,
    CLOCK,
    DOMAIN,
    FALCO,
    GUARDDUTY,
    IMAGE_VULNERABILITIES,
    IMAGES,
    PROD,
    REGION,
    REGISTRY,
    REPOSITORY,
    VERSIONS,
    VEX,
    WAF,
    WORKLOADS,
)

_NOTE = "written by examples/make_estate.py, not by the tool"


def _when(days: float) -> datetime:
    return datetime.fromisoformat(CLOCK) - timedelta(days=days)


def trivy_reports() -> dict[str, dict[str, Any]]:
    """Image name -> a report in Trivy's form."""
    return {name: _trivy(name) for name in IMAGE_VULNERABILITIES}


def _trivy(name: str) -> dict[str, Any]:
    reference = f"{REGISTRY}/{name}:{VERSIONS[name]}"
    return {
        "SchemaVersion": 2,
        "ReportID": _NOTE,
        "CreatedAt": _when(1).isoformat() + "Z",
        "ArtifactName": reference,
        "ArtifactType": "container_image",
        "Metadata": {
            "OS": {"Family": "debian", "Name": "11"},
            "RepoTags": [reference],
            "RepoDigests": [f"{REGISTRY}/{name}@{IMAGES[name]}"],
        },
        "Results": [
            {
                "Target": f"{reference} (debian 11)",
                "Class": "os-pkgs",
                "Type": "debian",
                "Vulnerabilities": [
                    {
                        "VulnerabilityID": cve,
                        "PkgName": package,
                        "PkgIdentifier": {"PURL": f"pkg:deb/debian/{package}@{version}"},
                        "InstalledVersion": version,
                        "FixedVersion": fixed,
                        "Severity": severity,
                        "Title": title,
                        "PrimaryURL": f"https://nvd.nist.gov/vuln/detail/{cve}",
                    }
                    for cve, package, version, fixed, severity, title in IMAGE_VULNERABILITIES[name]
                ],
            }
        ],
    }


def falco_alerts() -> list[dict[str, Any]]:
    """Alerts with `json_output: true`, one a line."""
    alerts = []
    for event in FALCO:
        workload = next(w for w in WORKLOADS if w["name"] == event["pod"])
        moment = _when(event["days"]).isoformat() + "Z"
        pod = pod_name(workload, 0)
        alerts.append(
            {
                "hostname": "yard-1",
                "output": f"{event['rule']} (k8s_pod_name={pod}, {_NOTE})",
                "priority": event["priority"],
                "rule": event["rule"],
                "source": "syscall",
                "tags": ["container", event["tag"]],
                "time": moment,
                "output_fields": {
                    "container.id": container_id(workload, 0)[:12],
                    "k8s.ns.name": workload["namespace"],
                    "k8s.pod.name": pod,
                },
            }
        )
    return alerts


def waf_transactions() -> list[dict[str, Any]]:
    """ModSecurity audit log, JSON of version 3, one transaction a line."""
    lines = []
    for number, event in enumerate(WAF, 1):
        method, uri, _ = event["request"].split(" ")
        lines.append(
            {
                "transaction": {
                    "client_ip": ATTACKER,
                    "time_stamp": _when(event["days"]).strftime("%a %b %d %H:%M:%S %Y"),
                    "unique_id": f"harborline-{number:04d}",
                    "request": {"method": method, "uri": uri, "headers": {"Host": DOMAIN}},
                    "producer": {"modsecurity": f"ModSecurity v3.0.12 form, {_NOTE}"},
                    "messages": [
                        {
                            "message": event["msg"],
                            "details": {
                                "ruleId": event["id"],
                                "severity": "2",
                                "match": f"Matched at REQUEST_URI: {uri}",
                                "tags": ["attack-lfi"],
                            },
                        }
                    ],
                }
            }
        )
    return lines


def guardduty_findings(instances: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """`aws guardduty get-findings`. instances: Name tag -> as described by EC2."""
    found = []
    for number, event in enumerate(GUARDDUTY, 1):
        moment = _when(event["days"]).isoformat() + "Z"
        instance = instances[event["instance"]]
        found.append(
            {
                "SchemaVersion": "2.0",
                "AccountId": PROD,
                "Region": REGION,
                "Partition": "aws",
                "Id": f"{number:032x}",
                "Arn": f"arn:aws:guardduty:{REGION}:{PROD}:detector/0/finding/{number:032x}",
                "Type": event["type"],
                "Title": event["title"],
                "Description": _NOTE,
                "Severity": event["severity"],
                "CreatedAt": moment,
                "UpdatedAt": moment,
                "Resource": {
                    "ResourceType": "Instance",
                    "InstanceDetails": {"InstanceId": instance["InstanceId"]},
                },
                "Service": {
                    "Count": 412,
                    "EventFirstSeen": moment,
                    "EventLastSeen": moment,
                    "Action": {
                        "ActionType": "NETWORK_CONNECTION",
                        "NetworkConnectionAction": {
                            "ConnectionDirection": "INBOUND",
                            "RemoteIpDetails": {"IpAddressV4": ATTACKER},
                        },
                    },
                },
            }
        )
    return {"Findings": found}


def vex_document() -> dict[str, Any]:
    """OpenVEX: a statement of the team that owns the image."""
    purl = f"pkg:deb/debian/{VEX['package']}"
    image = f"pkg:oci/{VEX['image']}@{IMAGES[VEX['image']]}"
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"https://harborline.example/vex/{VEX['image']}",
        "author": "customs@harborline.example",
        "timestamp": _when(3).isoformat() + "Z",
        "version": 1,
        "statements": [
            {
                "vulnerability": {"name": VEX["vulnerability"]},
                "products": [
                    {"@id": f"image:{REGISTRY}/{VEX['image']}@{IMAGES[VEX['image']]}"},
                    {"@id": image, "subcomponents": [{"@id": purl}]},
                ],
                "status": "not_affected",
                "justification": "vulnerable_code_not_present",
                "impact_statement": "Only the message tools are installed; no mail server runs.",
            }
        ],
    }


def catalogue() -> str:
    """Which code belongs to which service, in secinbox's own form."""
    reports = "".join(
        f"\n      - {name}"
        for name in ("code/bandit.json", "code/gitleaks.json", "code/kingfisher.json",
                     "code/pip-audit.json", "code/zizmor.json", "checkov/results_json.json",
                     "code/sbom.cdx.json")
    )  # fmt: skip
    return f"""# Written by hand in real life: what no scanner knows.
secinbox_catalogue: 1
services:
  - name: booking-api
    owner: booking
    environment: prod
    repositories: [{REPOSITORY}]
    images: ["{REGISTRY}/booking-api:{VERSIONS["booking-api"]}"]
    reports:{reports}
"""
