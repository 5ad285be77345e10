"""Effective permissions: what a principal may do, who can become whom, who has power.

`escalation_of(estate)` answers who is or can become administrator; `privilege(estate)` states the
risk privileged_access; `escalations(estate)` gives the moves as edges of a graph; and
`Evaluator(World(estate)).can(principal, action, resource)` answers a single question.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.estate import Estate
from secinbox.iam import azure as _azure
from secinbox.iam import gcp as _gcp
from secinbox.iam import kubernetes as _kubernetes
from secinbox.iam.escalation import Escalation, Step, Way, escalation_of
from secinbox.iam.evaluate import Answer, Evaluator
from secinbox.iam.privilege import PASSIVE as _AWS_PASSIVE
from secinbox.iam.privilege import escalations
from secinbox.iam.privilege import privilege as _of_aws
from secinbox.iam.world import World
from secinbox.records import RiskStatement

__all__ = [
    "PASSIVE", "Answer", "Escalation", "Evaluator", "Step", "Way", "World", "escalation_of", "escalations",
    "privilege",
]  # fmt: skip

# Types of things that act as nobody.
PASSIVE = (*_AWS_PASSIVE, *_kubernetes.PASSIVE)


def privilege(estate: Estate) -> Iterator[RiskStatement]:
    """privileged_access of every provider; what acts as a cloud identity has its power."""
    known = {
        s.resource: s for of in (_of_aws, _azure.privilege, _gcp.privilege) for s in of(estate)
    }
    yield from known.values()
    yield from _kubernetes.privilege(estate, known)
