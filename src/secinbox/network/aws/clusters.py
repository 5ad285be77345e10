"""EMR: the primary node of a cluster, by its subnet and groups.

"Block public access" keeps clusters with open groups from starting; it closes none that runs. Source:
Amazon EMR Management Guide, "Control network traffic with security groups", "Using Amazon EMR block
public access".
"""

from __future__ import annotations

from secinbox.estate import Item
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.openings import Door, route_evidence
from secinbox.network.aws.vpc import Network
from secinbox.network.verdict import Verdict, either, no, unknown, yes

_LIVE = ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING")


def emr(network: Network, item: Item) -> Verdict:
    """Whether anyone reaches the primary node on some port."""
    state = str(next(walk(item.config, "Status.State"), ""))
    if state and state not in _LIVE:
        return no(f"the cluster is {state.lower()}", item.uid)
    told = next(walk(item.config, "Ec2InstanceAttributes"), None)
    if not isinstance(told, dict):
        return unknown("its subnet and security groups were not read", item.uid)
    subnet = str(told.get("Ec2SubnetId") or "")
    groups = [told.get("EmrManagedMasterSecurityGroup"),
              *(told.get("AdditionalMasterSecurityGroups") or ())]  # fmt: skip
    guards = frozenset(str(g) for g in groups if g)
    if not subnet or not guards:
        return unknown("its subnet and security groups were not read", item.uid)
    if str(item.config.get("MasterPublicDnsName") or "").startswith("ip-"):
        return no("its primary node has no public name", item.uid)
    way = network.way_in(subnet, Door(guards))
    if way.verdict.value != "yes":
        return either([way.verdict])
    text = f"its primary node in {subnet}, {way.ports} open"
    steps = ("Internet", way.gateway, f"{item.name} {way.ports}")
    return yes(route_evidence(text, steps, item.uid, way.ports))
