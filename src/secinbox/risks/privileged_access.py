"""Privileged access: administrator, can become so, wide reach, or restricted data in bulk."""

from __future__ import annotations

from secinbox.iam import PASSIVE, privilege
from secinbox.risks import Assessment
from secinbox.risks._computed import not_asked, store

NAME = "privileged_access"
TITLE = "Computed from effective permissions"


def assess(assessment: Assessment) -> None:
    """One row for every principal, every resource that runs as one, and what acts as nobody."""
    store(assessment, NAME, privilege(assessment.estate))
    not_asked(assessment, NAME, PASSIVE, "it acts as nobody")
