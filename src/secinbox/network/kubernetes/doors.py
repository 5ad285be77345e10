"""A way into services, and what it makes of what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from secinbox.inventory.kubernetes.cluster import Runner
from secinbox.network.verdict import Verdict, either
from secinbox.records import Evidence


@dataclass
class Door:
    """A way into services: where it stands open, and who asks the pod."""

    verdict: Verdict
    steps: tuple[str, ...] = ()
    local: bool = False  # the pod sees the client's address
    # Pods that forward (an ingress controller); empty when it is not known which.
    proxied: bool = False
    controllers: list[Runner] = field(default_factory=list)


def led(door: Door, steps: tuple[str, ...], ports: str) -> Verdict:
    if door.verdict.value != "yes":
        return door.verdict
    route = Evidence(kind="route", text=" → ".join(s for s in steps if s), ports=ports,
                     steps=tuple(s for s in steps if s))  # fmt: skip
    return Verdict("yes", (route, *door.verdict.evidence))


def few(verdicts: list[Verdict]) -> Verdict:
    """Any way in; three of them are evidence enough for thousands of pods."""
    value = either(verdicts).value
    return either([v for v in verdicts if v.value == value][:3])


def gap_of(text: str, source: str) -> Evidence:
    return Evidence(kind="gap", text=text, source=source)
