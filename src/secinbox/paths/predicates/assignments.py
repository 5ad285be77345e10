"""The Identity Center: its account gives roles in the accounts of the organisation.

Source: IAM Identity Center User Guide, "Manage access to AWS accounts" (permission sets, assignments).
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.inventory.aws.calls import walk
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.world import World


@lasting
@pairs
def organisation_of_identity_center(world: World) -> Iterator[Pair]:
    """The account where it runs, and the organisation, where more of its accounts are known."""
    rails = world.escalation.world.guardrails
    for home in sorted(world.escalation.moves.things.identity_home()):
        own = rails[home].organization if home in rails else ""
        others = sorted(a for a, r in rails.items() if own and r.organization == own and a != home)
        if not others:
            continue
        root = f"arn:aws:iam::{home}:root"
        item = world.estate.find(root)
        told = (
            walk(item.config, "describe_organization.Organization.MasterAccountId")
            if item
            else iter(())
        )
        target = f"arn:aws:organizations::{next(told, '')}:organization/{own}"
        shown = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        yield Pair(root, target, detail=shown, actions=(Action(
            f"identity-center:{home}", f"Have few who administer the Identity Center in account {home}",
            root, effort=2.0),))  # fmt: skip
