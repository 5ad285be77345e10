"""Public accessibility: anyone on the Internet, or any principal of the cloud, can reach it."""

from __future__ import annotations

from secinbox.network import exposure
from secinbox.risks import Assessment
from secinbox.risks._computed import store

NAME = "public_accessibility"
TITLE = "Computed from addresses, routes, filters, load balancers and resource policies"


def assess(assessment: Assessment) -> None:
    """One row for every resource whose reachability was computed or is stated."""
    store(assessment, NAME, exposure(assessment.estate))
