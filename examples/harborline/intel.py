"""Excerpts of public feeds: the few entries that the sample needs, as the sources publish them.

CISA KEV and NVD are works of the US government; EPSS is by FIRST. An excerpt says nothing of what
is not in it: for everything else "exploit available" stays unknown, as it should.
"""

from __future__ import annotations

from typing import Any

from harborline.description import CLOCK

# CVE, added, due, ransomware, vendor, product, name (cisa.gov, catalogue 2025.08.25)
_KEV = [
    ("CVE-2021-42013", "2021-11-03", "2021-11-17", "Known", "Apache", "HTTP Server", "Apache HTTP Server Path Traversal Vulnerability"),
    ("CVE-2021-41773", "2021-11-03", "2021-11-17", "Known", "Apache", "HTTP Server", "Apache HTTP Server Path Traversal Vulnerability"),
    ("CVE-2022-0543", "2022-03-28", "2022-04-18", "Unknown", "Redis", "Debian-specific Redis Servers", "Debian-specific Redis Server Lua Sandbox Escape Vulnerability"),
]  # fmt: skip
# CVE, probability, percentile (first.org)
_EPSS = [
    ("CVE-2019-10149", 0.99961, 0.99976), ("CVE-2020-14343", 0.05984, 0.92672),
    ("CVE-2018-18074", 0.07443, 0.93918), ("CVE-2021-41773", 0.99992, 0.99986),
    ("CVE-2021-42013", 0.99964, 0.99977), ("CVE-2022-0543", 0.99277, 0.99934),
    ("CVE-2023-38545", 0.78483, 0.99547),
]  # fmt: skip
# CVE, CVSS 3.1 vector, base score (nvd.nist.gov)
_NVD = [
    ("CVE-2019-10149", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
    ("CVE-2020-14343", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
    ("CVE-2021-42013", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
    ("CVE-2022-0543", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
    ("CVE-2023-38545", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
]  # fmt: skip


def kev() -> dict[str, Any]:
    return {
        "title": "Excerpt of the CISA Catalog of Known Exploited Vulnerabilities (sample)",
        "catalogVersion": "sample",
        "dateReleased": f"{CLOCK}Z",
        "count": len(_KEV),
        "vulnerabilities": [
            {
                "cveID": cve, "vendorProject": vendor, "product": product,
                "vulnerabilityName": name, "dateAdded": added, "dueDate": due,
                "requiredAction": "Apply updates per vendor instructions.",
                "knownRansomwareCampaignUse": ransomware,
            }
            for cve, added, due, ransomware, vendor, product, name in _KEV
        ],
    }  # fmt: skip


def epss() -> str:
    lines = [f"#model_version:sample,score_date:{CLOCK}+0000", "cve,epss,percentile"]
    return "\n".join(lines + [f"{c},{e:.5f},{p:.5f}" for c, e, p in _EPSS]) + "\n"


def nvd() -> dict[str, Any]:
    return {
        "resultsPerPage": len(_NVD), "startIndex": 0, "totalResults": len(_NVD),
        "format": "NVD_CVE", "version": "2.0", "timestamp": f"{CLOCK}.000",
        "vulnerabilities": [
            {
                "cve": {
                    "id": cve, "sourceIdentifier": "sample of nvd@nist.gov",
                    "vulnStatus": "Analyzed",
                    "metrics": {"cvssMetricV31": [{
                        "source": "nvd@nist.gov", "type": "Primary",
                        "cvssData": {"version": "3.1", "vectorString": vector, "baseScore": score},
                    }]},
                    "references": [],
                }
            }
            for cve, vector, score in _NVD
        ],
    }  # fmt: skip
