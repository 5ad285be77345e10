"""Network policies: what they let through to a pod, from the door that it is asked through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.kubernetes.cluster import (
    Runner,
    at,
    labels_of,
    looked_at,
    near,
    obj,
    objs,
    place_of,
    selects,
    strs,
    word,
)
from secinbox.network.kubernetes.addresses import parsed
from secinbox.network.kubernetes.doors import Door, gap_of
from secinbox.network.kubernetes.ports import Ports, port_fits
from secinbox.network.ranges import EMPTY, addresses, cidr_texts, clients, is_wide, parse_network
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes


class Filters:
    """The network policies of all clusters of an estate."""

    def __init__(self, estate: Estate, nodes: Mapping[str, list[Item]]) -> None:
        self.estate = estate
        self.nodes = nodes
        self.policies: dict[tuple[str, str], list[Item]] = defaultdict(list)
        for item in estate.of_type("kubernetes_networkpolicy"):
            self.policies[place_of(item.uid)].append(item)

    def admits(self, runner: Runner, ports: Ports, door: Door) -> Verdict:
        """What the network policies of a pod say about traffic of this door."""
        if at(runner.spec, "hostNetwork") is True:
            return yes()  # policies do not hold for the host's network
        own = self.over(runner)
        if not own:
            if looked_at(self.estate, runner.uid, "networkpolicy") or self.policies:
                return yes()
            return yes(gap_of("network policies were not read", runner.uid))
        found: list[Verdict] = []
        partly = {4: EMPTY, 6: EMPTY}
        for policy in own:
            if not policy.config:
                found.append(unknown(f"network policy {policy.name} was not read", policy.uid))
            for rule in objs(policy.config, "spec", "ingress"):
                fits = port_fits(rule, ports)
                if fits is False:
                    continue
                peers = objs(rule, "from")
                verdict = either([self._peer(p, policy, door) for p in peers]) if peers else yes()
                if fits is None:
                    verdict = both(
                        [verdict, unknown("which port it listens on was not read", runner.uid)]
                    )
                found.append(verdict)
                for peer in peers:
                    for version, allowed in partly.items():
                        partly[version] = allowed | clients(_block(peer, version), version)
        best = either(found) if found else Verdict("no")
        if best.value != "no":
            return best
        names = ", ".join(p.name for p in own)
        if not door.proxied and (partly[4] or partly[6]):
            texts = ", ".join(cidr_texts(s, v) for v, s in partly.items() if s)
            return no(f"network policy {names} admits {texts} only", own[0].uid, texts)
        return no(f"network policy {names} admits nothing from there", own[0].uid)

    def over(self, runner: Runner) -> list[Item]:
        """The policies that decide, or of which only the name was read may decide, what comes in."""
        if at(runner.spec, "hostNetwork") is True:
            return []
        return [
            p
            for p in self.policies.get(place_of(runner.uid), ())
            if not p.config
            or (
                selects(obj(p.config, "spec", "podSelector"), runner.labels)
                and ("Ingress" in (strs(p.config, "spec", "policyTypes") or ["Ingress"]))
            )
        ]

    @staticmethod
    def of_one_namespace(own: list[Item]) -> bool:
        """Whether these policies let in pods of their own namespace only."""
        return all(
            "podSelector" in peer and "namespaceSelector" not in peer
            for policy in own
            for rule in objs(policy.config, "spec", "ingress") + ([] if policy.config else [{}])
            for peer in objs(rule, "from") or [{}]
        )

    def admits_pod(self, own: list[Item], caller: Runner) -> Verdict:
        """Whether one of these policies lets another pod in, on some port."""
        found: list[Verdict] = []
        for policy in own:
            if not policy.config:
                found.append(unknown(f"network policy {policy.name} was not read", policy.uid))
            for rule in objs(policy.config, "spec", "ingress"):
                peers = objs(rule, "from")
                if not peers:
                    return yes()
                for peer in peers:
                    if "ipBlock" not in peer:
                        found.append(self._selected(peer, policy, caller))
                    elif any(is_wide(_block(peer, v), v) for v in (4, 6)):
                        return yes()
                    else:
                        found.append(unknown("the addresses of pods were not read", policy.uid))
        return either(found) if found else Verdict("no")

    def _peer(self, peer: Mapping[str, Any], policy: Item, door: Door) -> Verdict:
        if "ipBlock" in peer:
            return self._block_admits(peer, policy, door)
        if not door.proxied:
            return Verdict("no")  # selectors are about pods of the cluster
        if not door.controllers:
            return unknown(
                f"whether network policy {policy.name} admits the ingress controller: "
                "which pods these are was not read", policy.uid,
            )  # fmt: skip
        return either([self._selected(peer, policy, c) for c in door.controllers])

    def _selected(self, peer: Mapping[str, Any], policy: Item, caller: Runner) -> Verdict:
        space = place_of(caller.uid)[1]
        if "podSelector" in peer and not selects(obj(peer, "podSelector"), caller.labels):
            return Verdict("no")
        if "namespaceSelector" not in peer:
            return yes() if space == place_of(policy.uid)[1] else Verdict("no")
        selector = obj(peer, "namespaceSelector")
        item = self.estate.find(near(caller.uid, "namespace", space, ""))
        labels = labels_of(item.config) if item else {}
        if selects(selector, labels | {"kubernetes.io/metadata.name": space}):
            return yes()
        if item is None or not item.config:
            return unknown(f"labels of namespace {space} were not read", policy.uid)
        return Verdict("no")

    def _block_admits(self, peer: Mapping[str, Any], policy: Item, door: Door) -> Verdict:
        if parse_network(at(peer, "ipBlock", "cidr")) is None:
            return unknown(f"network policy {policy.name} has a CIDR that is none", policy.uid)
        sets = {v: _block(peer, v) for v in (4, 6)}
        if not door.proxied and any(is_wide(s, v) for v, s in sets.items()):
            return yes() if door.local else self._forwarded(sets, policy)
        if door.proxied and not door.controllers:
            if any(is_wide(s, v) for v, s in sets.items()) and not strs(peer, "ipBlock", "except"):
                return yes()
            return unknown(f"network policy {policy.name} admits addresses: whether those of the "
                           "ingress controller, was not read", policy.uid)  # fmt: skip
        if door.proxied:
            seen = [word(c.item.config, "status", "podIP") for c in door.controllers]
        elif door.local:
            return Verdict("no")
        else:  # the node that forwards stands for the client
            seen = self._node_addresses(policy)
        known = [a for a in map(parsed, seen) if a is not None]
        if not known:
            return unknown(f"whether network policy {policy.name} admits the cluster's own "
                           "addresses was not read", policy.uid)  # fmt: skip
        return yes() if any(int(a) in sets[a.version] for a in known) else Verdict("no")

    def _node_addresses(self, policy: Item) -> list[str]:
        return [
            word(row, "address")
            for node in self.nodes[place_of(policy.uid)[0]]
            for row in objs(node.config, "status", "addresses")
            if word(row, "type") == "InternalIP"
        ]

    def _forwarded(self, sets: Mapping[int, Any], policy: Item) -> Verdict:
        """All clients are admitted; a node that forwards for them may be left out."""
        known = [a for a in map(parsed, self._node_addresses(policy)) if a is not None]
        if not known or any(int(a) in sets[a.version] for a in known):
            return yes()
        return unknown(f"network policy {policy.name} leaves the nodes out: whether the pod sees the "
                       "client or the node that forwards is not known", policy.uid)  # fmt: skip


def _block(peer: Mapping[str, Any], version: int) -> Any:
    cidr = at(peer, "ipBlock", "cidr")
    return addresses([cidr], version) - addresses(strs(peer, "ipBlock", "except"), version)
