"""Nodes: whether one has a public address, and what the firewall of its machine lets in."""

from __future__ import annotations

from collections import defaultdict

from secinbox.estate import Estate, Item
from secinbox.inventory.kubernetes.cluster import looked_at, near, objs, place_of, word
from secinbox.network.aws.compute import port_open
from secinbox.network.aws.vpc import network_of
from secinbox.network.kubernetes.addresses import is_public
from secinbox.network.verdict import Verdict, either, no, unknown, yes

Asked = list[tuple[str, int]]  # protocol and port


class Nodes:
    """The nodes of all clusters of an estate."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.by_cluster: dict[str, list[Item]] = defaultdict(list)
        for item in estate.of_type("kubernetes_node"):
            if item.config and not item.unfinished("status"):
                self.by_cluster[place_of(item.uid)[0]].append(item)
        self._known: dict[tuple[str, tuple[tuple[str, int], ...]], Verdict | None] = {}

    def public(
        self, uid: str, asked: Asked, names: frozenset[str] = frozenset()
    ) -> tuple[Verdict, str, bool]:
        """Whether a node (or one of the named) is reached on one of the ports, which one, and whether
        its firewall was looked at.

        Without ports, or where nobody knows the machine, a public address is enough.
        """
        nodes = self.by_cluster[place_of(uid)[0]]
        if names:
            nodes = [n for n in nodes if n.name in names]
        shut: list[Verdict] = []
        for node in nodes:
            address = self._address(node)
            if not address:
                continue
            filtered = self.filtered(node, asked)
            if filtered is None or filtered.value == "yes":
                return yes(), f"node/{node.name} ({address})", filtered is not None
            shut.append(filtered)
        if shut:
            return either(shut), "", True
        if not nodes or not (names or looked_at(self.estate, near(uid, "node", "x", ""), "node")):
            return unknown("addresses of the nodes were not read", uid), "", False
        return no("no node that it is on has a public address", uid), "", False

    def of_no_cloud(self, uid: str) -> bool:
        """No cloud, and so no firewall of one, stands before any node.

        Clouds name their machine in `providerID`; k3s and kind name themselves.
        """
        nodes = self.by_cluster[place_of(uid)[0]]
        makers = {word(n.config, "spec", "providerID").partition("://")[0] for n in nodes}
        told = all("spec" in n.config and not n.unfinished("spec") for n in nodes)
        return bool(nodes) and told and makers <= {"", "k3s", "kind"}

    @staticmethod
    def _address(node: Item) -> str:
        """Machines of one's own often have a public address as the internal one."""
        return next(
            (
                word(row, "address")
                for row in objs(node.config, "status", "addresses")
                if word(row, "type") in ("ExternalIP", "InternalIP")
                and is_public(word(row, "address"))
            ),
            "",
        )

    def filtered(self, node: Item, asked: Asked) -> Verdict | None:
        """What routes and security groups of its machine say; None where nobody knows them."""
        key = (node.uid, tuple(asked))
        if key not in self._known:
            self._known[key] = self._machine(node, asked)
        return self._known[key]

    def _machine(self, node: Item, asked: Asked) -> Verdict | None:
        for target in self.estate.targets(node.uid, "runs_on"):
            machine = self.estate.find(target)
            if machine is None or machine.type != "aws_ec2_instance" or not machine.config:
                continue
            network = network_of(self.estate)
            found = [
                port_open(network, machine, port, protocol.lower()) for protocol, port in asked
            ]
            return either(found) if found else None
        return None
