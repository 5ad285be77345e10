"""Global Accelerator before a machine and a balancer of private subnets: the yes, and each flip."""

from __future__ import annotations

from typing import Any

import pytest

from tests.answers import ANYONE, BALANCER, GLOBAL, Answers, allow, machine, service
from tests.flips import holds
from tests.scenes import A, R

GA = f"arn:aws:globalaccelerator::{A}:accelerator/g"
LISTENER = f"{GA}/listener/l"
APP, BACK = machine("app"), machine("back")
OVERRIDE = [{"ListenerPort": 443, "EndpointPort": 8080}]


def accelerated(endpoint: str = "i-app", *, source: str = ANYONE, port: int = 443, enabled: bool = True,
                weight: int = 128, dial: float = 100.0, keep: bool = True, gateway: bool = True,
                override: Any = (), ports: tuple[int, int] = (443, 443), protocol: str = "TCP",
                acl: str = ANYONE, state: str = "running", listed: bool = True) -> Answers:  # fmt: skip
    """A machine without a public address; with `BALANCER` as endpoint also an internal balancer."""
    found = Answers().instance("app", "app", public=False, port=port, source=source, state=state)
    found.role("app", service("ec2.amazonaws.com"), allow("s3:GetObject"))
    if not gateway:
        found.files[A, R, "ec2.describe_internet_gateways"][0][1]["InternetGateways"].clear()
    for row in found.files[A, R, "ec2.describe_network_acls"][0][1]["NetworkAcls"][0]["Entries"]:
        row["CidrBlock"] = acl
    if endpoint == BALANCER:
        found.balanced(port, source, internal=True)
    found.lists("globalaccelerator.list_accelerators", "Accelerators", {
        "AcceleratorArn": GA, "Name": "g", "Enabled": enabled, "Status": "DEPLOYED"}, region=GLOBAL)  # fmt: skip
    if listed:
        found.says("globalaccelerator.list_listeners", {"Listeners": [{
            "ListenerArn": LISTENER, "Protocol": protocol,
            "PortRanges": [{"FromPort": ports[0], "ToPort": ports[1]}]}]},
            {"AcceleratorArn": GA}, region=GLOBAL)  # fmt: skip
        found.says("globalaccelerator.list_endpoint_groups", {"EndpointGroups": [{
            "EndpointGroupArn": f"{LISTENER}/endpoint-group/e", "EndpointGroupRegion": R,
            "TrafficDialPercentage": dial, "PortOverrides": list(override), "EndpointDescriptions": [{
                "EndpointId": endpoint, "Weight": weight, "ClientIPPreservationEnabled": keep}]}]},
            {"ListenerArn": LISTENER}, region=GLOBAL)  # fmt: skip
    return found


CLOSED = {"source": "10.0.0.0/16"}
FLIPS: list[tuple[str, Answers, str, str, str]] = [
    ("smallest", accelerated(), APP, "yes", "accelerator g on tcp 443"),
    ("all ports", accelerated(ports=(1, 65535)), APP, "yes", ""),
    ("to another port", accelerated(port=8080, override=OVERRIDE), APP, "yes", ""),
    ("the machine admits its network only", accelerated(**CLOSED), APP, "no", "sg-app"),
    ("the machine has another port", accelerated(port=8080), APP, "no", ""),
    ("the ACL lets no client in", accelerated(acl="10.0.0.0/16"), APP, "no", "acl"),
    ("no gateway at its network", accelerated(gateway=False), APP, "no", "no Internet gateway"),
    ("the machine is stopped", accelerated(state="stopped"), APP, "no", "stopped"),
    ("switched off", accelerated(enabled=False), APP, "no", ""),
    ("of no weight", accelerated(weight=0), APP, "no", ""),
    ("the region gets nothing", accelerated(dial=0.0), APP, "no", ""),
    ("another protocol", accelerated(protocol="UDP"), APP, "no", ""),
    ("another endpoint", accelerated("i-gone"), APP, "no", ""),
    ("its listeners were not read", accelerated(listed=False), APP, "no", ""),
    ("a balancer", accelerated(BALANCER), BALANCER, "yes", "accelerator g"),
    ("what is behind the balancer", accelerated(BALANCER), BACK, "yes", "load balancer lb"),
    ("the balancer admits its network only", accelerated(BALANCER, **CLOSED), BALANCER, "no", "internal"),
    ("and so nothing behind it", accelerated(BALANCER, **CLOSED), BACK, "no", ""),
    ("a port that the balancer lacks", accelerated(BALANCER, ports=(8443, 8443)), BALANCER, "no", ""),
    ("who comes is not kept, and everyone is let in", accelerated(BALANCER, keep=False), BALANCER, "yes", ""),
    ("the accelerator", accelerated(), GA, "yes", "its addresses lead to an endpoint"),
    ("the accelerator, its endpoint closed", accelerated(**CLOSED), GA, "no", ""),
    ("the accelerator, switched off", accelerated(enabled=False), GA, "no", "switched off"),
    ("the accelerator, its endpoint unread", accelerated("i-gone"), GA, "unknown", "i-gone was not read"),
    ("the accelerator, its listeners unread", accelerated(listed=False), GA, "unknown", "listeners"),
]  # fmt: skip


@pytest.mark.parametrize(("flip", "made", "uid", "value", "told"), FLIPS, ids=[f[0] for f in FLIPS])
def test_flips(flip: str, made: Answers, uid: str, value: str, told: str) -> None:
    holds(made.exposure()[uid], value, told)


def test_a_path_leads_through_the_accelerator() -> None:
    bucket = "arn:aws:s3:::data"
    assert accelerated().bucket().weakness(APP).ends_at(bucket) == "yes"
    assert accelerated(**CLOSED).bucket().weakness(APP).ends_at(bucket) == "no"


def test_answers_without_their_request() -> None:
    """The ARNs of listeners and groups say whose they are; an empty answer does not, and is told."""
    from secinbox.inventory import aws
    from secinbox.reading import Report
    from secinbox.records import Resource, Skipped

    def read(text: str, call: str) -> list[Any]:
        return list(aws.read(Report(text.encode(), f"{call}.json", (A, GLOBAL, f"{call}.json"))))

    one = f'{{"Listeners": [{{"ListenerArn": "{LISTENER}", "PortRanges": [], "Protocol": "TCP"}}]}}'
    (found,) = (r for r in read(one, "globalaccelerator.list_listeners") if isinstance(r, Resource))
    assert found.uid == GA and "list_listeners" in (found.config or {})
    group = f'{{"EndpointGroups": [{{"EndpointGroupArn": "{LISTENER}/endpoint-group/e"}}]}}'
    (found,) = (
        r for r in read(group, "globalaccelerator.list_endpoint_groups") if isinstance(r, Resource)
    )
    assert found.uid == GA and f"list_endpoint_groups:{LISTENER}" in (found.config or {})
    for call, text in (
        ("list_listeners", '{"Listeners": []}'),
        ("list_endpoint_groups", '{"EndpointGroups": []}'),
    ):
        assert any(isinstance(r, Skipped) for r in read(text, f"globalaccelerator.{call}"))
