"""IAM bindings to everyone: `allUsers` is anyone, `allAuthenticatedUsers` any Google account."""

from __future__ import annotations

from typing import Any

from secinbox.estate import Estate, Item
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence

ANYONE = {"allUsers": "Anyone", "allAuthenticatedUsers": "Any Google account"}
# type -> roles that read, call or take it; a role that only lists metadata gives nothing.
READING: dict[str, tuple[str, ...]] = {
    "gcp_storage_bucket": (
        "storage.objectViewer", "storage.objectAdmin", "storage.admin", "storage.objectUser",
        "storage.legacyObjectReader", "storage.legacyObjectOwner", "storage.legacyBucketReader",
        "storage.legacyBucketWriter", "storage.legacyBucketOwner", "storage.objectCreator",
    ),
    "gcp_run_service": ("run.invoker", "run.admin", "run.developer", "run.servicesInvoker"),
    "gcp_cloudfunctions_cloud_function": ("cloudfunctions.invoker", "cloudfunctions.admin",
                                          "cloudfunctions.developer", "run.invoker"),
    "gcp_cloudfunctions_function": ("cloudfunctions.invoker", "cloudfunctions.admin",
                                    "cloudfunctions.developer", "run.invoker"),
}  # fmt: skip
_BASIC = ("owner", "editor", "viewer", "admin", "writer", "reader")


def bindings(item: Item) -> list[dict[str, Any]] | None:
    """The bindings of a resource; None when its policy was not read."""
    policy = item.config.get("iamPolicy")
    if not isinstance(policy, dict):
        return None
    found = policy.get("bindings")
    return [b for b in found if isinstance(b, dict)] if isinstance(found, list) else []


def policy_read(estate: Estate, item: Item) -> bool:
    """Its policy, or, as exports leave empty ones out, those of its project were read."""
    return bindings(item) is not None or estate.looked_at(f"gcp:{item.account}/iam_policy")


def bound_to_anyone(estate: Estate, item: Item) -> Verdict:
    """Whether a binding of the resource itself lets everyone in."""
    found = bindings(item)
    if found is None and not policy_read(estate, item):
        return unknown("its IAM policy was not read", item.uid)
    wanted = READING.get(item.type)
    conditional = ""
    for binding in found or ():
        role = str(binding.get("role") or "").removeprefix("roles/")
        who = next((m for m in ("allUsers", "allAuthenticatedUsers")
                    if m in (binding.get("members") or ())), "")  # fmt: skip
        if not who or (wanted is not None and role not in wanted
                       and role.split(".")[-1] not in _BASIC and not role.startswith(
                           ("projects/", "organizations/"))):  # fmt: skip
            continue
        condition = binding.get("condition")
        if isinstance(condition, dict) and condition.get("expression"):
            conditional = str(condition.get("title") or condition["expression"])
            continue
        text = f"IAM policy gives {who} the role {role}"
        return yes(Evidence(kind="policy", text=text, source=item.uid,
                            steps=(ANYONE[who], f"roles/{role}", item.uid)))  # fmt: skip
    if conditional:
        return unknown(f"a binding to everyone holds under a condition: {conditional}", item.uid)
    return no("its IAM policy names nobody outside", item.uid)
