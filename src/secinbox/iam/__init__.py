"""Effective permissions: what a principal may do, who can become whom, who has power.

`Escalation(estate)` answers who is or can become administrator; `privilege(estate)` states the
risk privileged_access; `escalations(estate)` gives the moves as edges of a graph; and
`Evaluator(World(estate)).can(principal, action, resource)` answers a single question.
"""

from __future__ import annotations

from secinbox.iam.escalation import Escalation, Step, Way
from secinbox.iam.evaluate import Answer, Evaluator
from secinbox.iam.privilege import escalations, privilege
from secinbox.iam.world import World

__all__ = ["Answer", "Escalation", "Evaluator", "Step", "Way", "World", "escalations", "privilege"]
