"""EKS: who is let into a cluster, and which service accounts get which role (Pod Identity).

Lists of a cluster stand at the cluster, so that each cluster says whether it was asked. An answer that
names its cluster nowhere (an empty list without its request) is of no use: it is left out, and told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from secinbox.inventory.aws.calls import Call, walk
from secinbox.records import AnyRecord, Relation, Skipped
from secinbox.sources._names import kubernetes_uid


def _cluster(call: Call, first: Any = None) -> str:
    """uid of the cluster that was asked about; "" where nothing says which."""
    from secinbox.inventory.aws.elements import fill

    told = first if isinstance(first, dict) else {}
    name = call.request.get("clusterName") or call.request.get("") or told.get("clusterName")
    template = "arn:{partition}:eks:{region}:{account}:cluster/{name}"
    return fill(template, call, {"name": name})


def _of_cluster(call: Call, uid: str, key: str, value: Mapping[str, Any]) -> AnyRecord:
    from secinbox.inventory.aws.elements import resource

    return resource(call, uid, {key: dict(value)})


def _answer(call: Call) -> dict[str, Any]:
    return {k: v for k, v in call.response.items() if k != "ResponseMetadata"}


def _associations(call: Call) -> Iterator[AnyRecord]:
    from secinbox.inventory.aws.elements import resource

    found = [a for a in walk(call.response, "associations[]") if isinstance(a, dict)]
    cluster = _cluster(call, next(iter(found), None))
    if cluster:
        yield _of_cluster(call, cluster, call.method, _answer(call))
    elif not found:
        yield Skipped(f"{call.operation}: cannot say of which cluster", place=call.place)
    for one in found:
        if one.get("associationArn"):
            yield resource(call, str(one["associationArn"]), one)
            yield from after_association(str(one["associationArn"]), one)


def _entries(call: Call) -> Iterator[AnyRecord]:
    cluster = _cluster(call)
    if cluster:
        yield _of_cluster(call, cluster, call.method, _answer(call))
    else:
        yield Skipped(f"{call.operation}: cannot say of which cluster", place=call.place)


def _policies(call: Call) -> Iterator[AnyRecord]:
    """The policies of an entry stand at the cluster, by principal: the answer has no ARN of the entry."""
    cluster = _cluster(call, call.response)
    who = str(call.request.get("principalArn") or call.response.get("principalArn") or "")
    if cluster and who:
        yield _of_cluster(call, cluster, f"{call.method}:{who}", _answer(call))
    else:
        yield Skipped(f"{call.operation}: cannot say of which entry", place=call.place)


def after_association(uid: str, element: Mapping[str, Any]) -> Iterator[AnyRecord]:
    """The service account runs as the association, the association as the role that pods get."""
    name, space = element.get("clusterName"), element.get("namespace")
    account = element.get("serviceAccount")
    if name and space and account:
        who = kubernetes_uid(str(name), str(space), "serviceaccount", str(account))
        yield Relation(source=who, kind="has_identity", target=uid)
    role = element.get("targetRoleArn") or element.get("roleArn")
    if role:
        yield Relation(source=uid, kind="has_identity", target=str(role))


HANDLERS: dict[str, Callable[[Call], Iterator[AnyRecord]]] = {
    "eks.list_pod_identity_associations": _associations,
    "eks.list_access_entries": _entries,
    "eks.list_associated_access_policies": _policies,
}
