"""Privileged access: administrator, can become so, wide reach, or restricted data in bulk."""

from __future__ import annotations

from secinbox.iam import privilege
from secinbox.risks import Assessment
from secinbox.risks._computed import store

NAME = "privileged_access"
TITLE = "Computed from effective permissions"


def assess(assessment: Assessment) -> None:
    """One row for every principal, and every resource that runs as one."""
    store(assessment, NAME, privilege(assessment.estate))
