"""Message brokers: managed Kafka and Amazon MQ."""

from __future__ import annotations

from secinbox.estate import Item
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.openings import Door, route_evidence
from secinbox.network.aws.vpc import Network
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence

# The ports of public access (Amazon MSK Developer Guide, "Port information"): TLS, SCRAM, IAM.
_KAFKA = (9194, 9196, 9198)
# Amazon MQ Developer Guide: OpenWire, AMQP, STOMP, MQTT, WSS over TLS, and the console.
_ACTIVE = (61617, 5671, 61614, 8883, 61619, 8162)


def kafka(network: Network, item: Item) -> Verdict:
    """Public access has addresses of the service; the cluster's groups still filter."""
    if item.config.get("State") in ("DELETING", "FAILED"):
        return no(f"the cluster is {str(item.config['State']).lower()}", item.uid)
    if any(True for _ in walk(item.config, "Serverless")):
        return no("a serverless cluster is inside its VPC", item.uid)
    node = next(walk(item.config, "Provisioned.BrokerNodeGroupInfo"), None)
    node = node or item.config.get("BrokerNodeGroupInfo")
    if not isinstance(node, dict):
        return unknown("its brokers were not described", item.uid)
    kind = next(walk(node, "ConnectivityInfo.PublicAccess.Type"), None)
    if kind in (None, "DISABLED"):
        return no("public access is off", item.uid)
    return _filtered(network, item, node.get("ClientSubnets"), node.get("SecurityGroups"), _KAFKA)


def broker(network: Network, item: Item) -> Verdict:
    """A public RabbitMQ broker has no groups of its own; a public ActiveMQ broker has."""
    state = str(item.config.get("BrokerState") or "")
    if state in ("DELETION_IN_PROGRESS", "CREATION_FAILED"):
        return no(f"the broker is in state {state}", item.uid)
    public = item.config.get("PubliclyAccessible")
    if public is None:
        return unknown("PubliclyAccessible was not read", item.uid)
    if public is not True:
        return no("PubliclyAccessible is off", item.uid)
    if str(item.config.get("EngineType") or "").upper().startswith("RABBIT"):
        text = "a public RabbitMQ broker answers everyone on tcp 443, 5671"
        return yes(Evidence(kind="endpoint", text=text, source=item.uid, ports="tcp 443, 5671",
                            steps=("Internet", item.name)))  # fmt: skip
    subnets, groups = item.config.get("SubnetIds"), item.config.get("SecurityGroups")
    return _filtered(network, item, subnets, groups, _ACTIVE)


def _filtered(
    network: Network, item: Item, subnets: object, groups: object, ports: tuple[int, ...]
) -> Verdict:
    names = [str(s) for s in subnets] if isinstance(subnets, list) else []
    guards = frozenset(str(g) for g in groups) if isinstance(groups, list) else frozenset()
    if not names or not guards:
        return unknown("its subnets or security groups were not read", item.uid)
    ways = []
    for subnet_id in names:
        for port in ports:
            way = network.way_in(subnet_id, Door(guards, 4, port, ("tcp",)))
            if way.verdict.value == "yes":
                text = f"public access, port {port} open"
                steps = ("Internet", way.gateway, f"{item.name} tcp {port}")
                ways.append(yes(route_evidence(text, steps, item.uid, f"tcp {port}")))
            else:
                ways.append(way.verdict)
    return both([yes(), either(ways)])
