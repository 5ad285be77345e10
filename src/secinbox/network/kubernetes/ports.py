"""Ports of services, of the pods behind them, and of rules that speak of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.kubernetes.cluster import Runner, at, objs, word

Ports = list[tuple[str, int | None, str]]  # protocol, number, name


def open_ports(service: Item) -> str:
    rows = objs(service.config, "spec", "ports")
    return ", ".join(str(at(p, "port")) for p in rows if at(p, "port"))


def asked(ingress: Item, service: Item) -> bool:
    """Whether some backend of the ingress names a port that the service has, by number or name.

    Controllers that compare with the target port as well are common, so that counts too.
    """
    rows = objs(service.config, "spec", "ports")
    have = {str(at(r, part)) for r in rows for part in ("port", "name", "targetPort")}
    backends = [at(ingress.config, "spec", "defaultBackend"), at(ingress.config, "spec", "backend")]
    for rule in objs(ingress.config, "spec", "rules"):
        backends += [at(p, "backend") for p in objs(rule, "http", "paths")]
    for backend in backends:
        if service.name not in (at(backend, "service", "name"), at(backend, "serviceName")):
            continue
        wanted = (
            at(backend, "service", "port", "number")
            or at(backend, "service", "port", "name")
            or at(backend, "servicePort")
        )
        if not rows or wanted is None or wanted == "use-annotation" or str(wanted) in have:
            return True
    return False


def target_ports(service: Item, runner: Runner) -> list[tuple[str, int | None, str]]:
    """Protocol, number and name of the ports of the pod that a service leads to."""
    named = {
        word(p, "name"): at(p, "containerPort")
        for c in runner.containers()
        for p in objs(c, "ports")
        if isinstance(at(p, "containerPort"), int)
    }
    by_number = {number: name for name, number in named.items() if name}
    out: list[tuple[str, int | None, str]] = []
    for row in objs(service.config, "spec", "ports"):
        target = at(row, "targetPort") or at(row, "port")
        if isinstance(target, str):
            number, name = named.get(target), target
        elif isinstance(target, int):
            number, name = target, by_number.get(target, "")
        else:
            number, name = None, ""
        out.append(
            (word(row, "protocol") or "TCP", number if isinstance(number, int) else None, name)
        )
    return out


def numbers(ports: list[tuple[str, int | None, str]]) -> str:
    return ", ".join(str(number if number is not None else name) for _, number, name in ports)


def port_fits(rule: Mapping[str, Any], ports: list[tuple[str, int | None, str]]) -> bool | None:
    """Whether a rule of a policy covers one of the ports; None when it cannot be told."""
    rows = objs(rule, "ports")
    if not rows:
        return True
    if not ports:
        return None
    doubt = False
    for row in rows:
        low = at(row, "port")
        for protocol, number, name in ports:
            if (word(row, "protocol") or "TCP") != protocol:
                continue
            if low is None or (isinstance(low, str) and low == name):
                return True
            if isinstance(low, int):
                high = at(row, "endPort") or low
                if number is None:
                    doubt = True
                elif isinstance(high, int) and low <= number <= high:
                    return True
    return None if doubt else False
