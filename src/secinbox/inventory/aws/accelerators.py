"""Global Accelerator: listeners and endpoint groups stand at their accelerator, the groups by listener."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from secinbox.inventory.aws.calls import Call, walk
from secinbox.records import AnyRecord, Skipped


def _accelerator(call: Call, path: str) -> str:
    """ARN of the accelerator: as it was asked, else as the answer's own ARNs begin."""
    asked = call.request.get("AcceleratorArn") or call.request.get("ListenerArn")
    told = asked or next(walk(call.response, path), "")
    return str(told).partition("/listener/")[0]


def _listeners(call: Call) -> Iterator[AnyRecord]:
    from secinbox.inventory.aws.elements import resource

    uid = _accelerator(call, "Listeners[].ListenerArn")
    if uid:
        yield resource(call, uid, {"list_listeners": _answer(call)})
    else:
        yield Skipped(f"{call.operation}: cannot say of which accelerator", place=call.place)


def _groups(call: Call) -> Iterator[AnyRecord]:
    from secinbox.inventory.aws.elements import resource

    uid = _accelerator(call, "EndpointGroups[].EndpointGroupArn")
    first = str(next(walk(call.response, "EndpointGroups[].EndpointGroupArn"), ""))
    listener = str(call.request.get("ListenerArn") or first.partition("/endpoint-group/")[0])
    if uid and listener:
        yield resource(call, uid, {f"list_endpoint_groups:{listener}": _answer(call)})
    else:
        yield Skipped(f"{call.operation}: cannot say of which listener", place=call.place)


def _answer(call: Call) -> dict[str, object]:
    return {k: v for k, v in call.response.items() if k != "ResponseMetadata"}


HANDLERS: dict[str, Callable[[Call], Iterator[AnyRecord]]] = {
    "globalaccelerator.list_listeners": _listeners,
    "globalaccelerator.list_endpoint_groups": _groups,
}
