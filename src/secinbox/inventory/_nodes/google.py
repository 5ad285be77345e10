"""Nodes of Google Cloud as the lists and policies that they were made of.

The graph keeps bindings, roles and accounts; of networks it does not say which accounts a firewall rule
is for, so that no machine is told with its addresses. Source: the GCP schema in Cartography's
documentation, and its data models of versions of 2026.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from secinbox.inventory._nodes.graph import Graph, Node
from secinbox.inventory._tables.google import told
from secinbox.inventory.gcp.assets import Asset
from secinbox.inventory.gcp.lists import listed
from secinbox.records import AnyRecord, Skipped

Value = dict[str, Any]
_WHY = "it comes from a graph, which may be a part and keeps a part of it"
_PLACE = re.compile(r"//cloudresourcemanager\.googleapis\.com/(project|folder|organization)s/[^/]+")
# What a policy alone decides about; others have settings beside, which the graph does not keep.
_ALONE = re.compile(
    r"//(iam\.googleapis\.com/projects/[^/]+/serviceAccounts|pubsub\.googleapis\.com/projects/[^/]+/"
    r"(topics|subscriptions)|secretmanager\.googleapis\.com/projects/[^/]+/secrets|"
    r"cloudkms\.googleapis\.com/projects/[^/]+/locations/[^/]+/keyRings(/[^/]+/cryptoKeys)?)/[^/]+"
)


def _project(graph: Graph, node: Node) -> Asset | None:
    return listed({"projectId": node.need("id"), "name": node.text("displayname"),
                   "projectNumber": node.need("projectnumber"),
                   "lifecycleState": node.need("lifecyclestate")}, node.place)  # fmt: skip


def _account(graph: Graph, node: Node) -> Asset | None:
    email, project = node.need("email"), node.text("project_id") or "-"
    return listed({"name": f"projects/{project}/serviceAccounts/{email}", "email": email,
                   **node.told(uniqueId="unique_id", displayName="display_name", disabled="disabled")},
                  node.place)  # fmt: skip


def _role(graph: Graph, node: Node) -> Asset | None:
    """Those of Google itself are known."""
    if node.text("name").startswith("roles/") or not isinstance(node.get("permissions"), list):
        return None
    return listed({"name": node.need("name"), "includedPermissions": node.get("permissions"),
                   **node.told(title="title", deleted="deleted")}, node.place)  # fmt: skip


def _machine(graph: Graph, node: Node) -> Asset | None:
    row: Value = {"kind": "compute#instance", "selfLink": node.need("self_link"),
                  **node.told(name="instancename", status="status")}  # fmt: skip
    if node.text("service_account_email"):
        row["serviceAccounts"] = [{"email": node.text("service_account_email"),
                                   "scopes": node.get("service_account_scopes") or []}]  # fmt: skip
    return listed(row, node.place)


def _bucket(graph: Graph, node: Node) -> Asset | None:
    """Its settings are needed to judge its policy: versions that do not keep them say nothing."""
    prevention, uniform = (node.get(f"iam_config_{n}")
                           for n in ("public_access_prevention", "bucket_policy_only"))  # fmt: skip
    if prevention is None or uniform is None:
        return None
    name = node.text("bucket_id") or node.need("id")
    row: Value = {"kind": "storage#bucket", "name": name, "iamConfiguration": {
        "publicAccessPrevention": prevention, "uniformBucketLevelAccess": {"enabled": uniform}},
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
        **node.told(projectNumber="project_number", location="location")}  # fmt: skip
    return listed(row, node.place)


KINDS: dict[str, Callable[[Graph, Node], Asset | None]] = {
    "GCPProject": _project, "GCPServiceAccount": _account, "GCPRole": _role,
    "GCPInstance": _machine, "GCPBucket": _bucket,
}  # fmt: skip
BINDING = "GCPPolicyBinding"
_PEOPLE = ("GSuiteUser", "GoogleWorkspaceUser")
_GROUPS = ("GSuiteGroup", "GoogleWorkspaceGroup")


def records(graph: Graph) -> Iterator[AnyRecord]:
    """What the nodes of Google Cloud say."""
    assets: dict[str, Asset] = {}
    for label, maker in KINDS.items():
        for node in graph.of(label):
            try:
                asset = maker(graph, node)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                yield node.skipped(label, error)
                continue
            if asset is not None:
                assets[asset.uid] = asset
    left = 0
    for uid, policy in sorted(_policies(graph).items()):
        place = _PLACE.fullmatch(uid)
        known = assets.get(uid)
        if known is None and place:
            known = Asset(uid=uid, type=f"gcp_cloudresourcemanager_{place.group(1)}", alone=True)
        elif known is None and _ALONE.fullmatch(uid):
            path = uid.partition(".googleapis.com/")[2]
            known = listed({"name": path, "email": path.rpartition("/")[2]}, "")
        if known is None:
            left += 1
            continue
        known.policy = policy
        assets[uid] = known
    yield from told(list(assets.values()), _WHY)
    if left:
        yield Skipped(reason="policies of resources whose settings the graph does not keep", count=left)  # fmt: skip


def _policies(graph: Graph) -> dict[str, Value]:
    """Resource -> its bindings, members by what the graph knows of their addresses."""
    kinds: dict[str, str] = {}
    for prefix, labels in (("user", _PEOPLE), ("group", _GROUPS), ("serviceAccount", ("GCPServiceAccount",))):  # fmt: skip
        for label in labels:
            kinds |= {n.text("email", "primary_email"): prefix for n in graph.of(label)}
    found: dict[str, Value] = defaultdict(lambda: {"bindings": []})
    for node in graph.of(BINDING):
        named: Any = node.get("members") or []
        members = [m for email in (named if isinstance(named, list) else ())
                   if (m := _member(str(email), kinds))]  # fmt: skip
        if node.get("is_public") is True:
            members.append("allAuthenticatedUsers")  # one of the two, and this is the lesser
        binding: Value = {"role": node.text("role"), "members": members}
        if node.get("has_condition") is not False:
            binding["condition"] = {"title": node.text("condition_title"),
                                    "expression": node.text("condition_expression") or "not told"}  # fmt: skip
        if node.text("resource") and members:
            found[node.text("resource")]["bindings"].append(binding)
    return found


def _member(email: str, kinds: dict[str, str]) -> str:
    """`user:ana@x.test`; "" for one of whom nothing says whether it is a person or a group."""
    kind = kinds.get(email) or ("serviceAccount" if email.endswith(".gserviceaccount.com") else "")
    return f"{kind}:{email}" if kind else ""
