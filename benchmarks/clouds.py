"""Azure and Google Cloud: import and assessment of inventories, and how both grow.

Usage: clouds.py [ASSETS ...]   (default 10000 30000 100000; half of them in each cloud)
Prints a line a size: seconds to import and assess, to assess again, assets a second, and growth.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner

SUB = "/subscriptions/00000000-0000-0000-0000-{:012d}"
ROLES = ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c",
         "acdd72a7-3385-48ef-bd42-f606fba81ae7", "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
         "4633458b-17de-408a-b874-0445c86b69e6")  # fmt: skip
PER_GROUP = 40


def azure(count: int, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Machines with interfaces, groups and addresses; stores, sites, databases; assignments."""
    made = group = 0
    while made < count:
        subscription = SUB.format(group // 25)
        base = f"{subscription}/resourceGroups/rg{group}/providers"
        net = f"{base}/Microsoft.Network"
        yield {"id": f"{net}/networkSecurityGroups/nsg", "name": "nsg", "type": "Microsoft.Network/networkSecurityGroups",
               "properties": {"securityRules": [{"name": f"r{n}", "properties": {
                   "priority": 100 + n, "direction": "Inbound", "access": rng.choice(("Allow", "Deny")), "protocol": "Tcp",
                   "sourceAddressPrefix": rng.choice(("*", "10.0.0.0/8", "203.0.113.0/24")),
                   "destinationPortRange": str(rng.choice((22, 80, 443)))}} for n in range(4)]}}  # fmt: skip
        yield {"id": f"{net}/virtualNetworks/v", "name": "v", "type": "Microsoft.Network/virtualNetworks", "properties": {
            "subnets": [{"id": f"{net}/virtualNetworks/v/subnets/s", "properties": {}}]}}  # fmt: skip
        made += 2
        for n in range(PER_GROUP // 4):
            principal = f"10000000-0000-{group % 9999:04d}-0000-{n:012d}"
            nic, address = f"{net}/networkInterfaces/n{n}", f"{net}/publicIPAddresses/a{n}"
            yield {"id": f"{base}/Microsoft.Compute/virtualMachines/vm{n}", "name": f"vm{n}", "type": "Microsoft.Compute/virtualMachines",
                   "identity": {"type": "SystemAssigned", "principalId": principal},
                   "properties": {"networkProfile": {"networkInterfaces": [{"id": nic}]}}}  # fmt: skip
            yield {"id": nic, "name": f"n{n}", "type": "Microsoft.Network/networkInterfaces", "properties": {
                "networkSecurityGroup": {"id": f"{net}/networkSecurityGroups/nsg"}, "ipConfigurations": [{
                    "id": f"{nic}/ipConfigurations/c", "properties": {
                        "privateIPAddress": f"10.0.0.{n}", "publicIPAddress": {"id": address},
                        "subnet": {"id": f"{net}/virtualNetworks/v/subnets/s"}}}]}}  # fmt: skip
            yield {"id": address, "name": f"a{n}", "type": "Microsoft.Network/publicIPAddresses", "sku": {"name": "Standard"},
                   "properties": {"ipAddress": f"20.{group % 200}.{n}.1"}}  # fmt: skip
            yield {"id": f"{base}/Microsoft.Authorization/roleAssignments/r{n}", "name": f"r{n}",
                   "type": "Microsoft.Authorization/roleAssignments", "properties": {
                       "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{rng.choice(ROLES)}",
                       "principalId": principal, "principalType": "ServicePrincipal",
                       "scope": f"{subscription}/resourceGroups/rg{group}"}}  # fmt: skip
            yield {"id": f"{base}/Microsoft.Storage/storageAccounts/st{group}x{n}", "name": f"st{group}x{n}",
                   "type": "Microsoft.Storage/storageAccounts",
                   "properties": {"allowBlobPublicAccess": rng.random() < 0.2}}  # fmt: skip
            made += 5
        group += 1


def google(count: int, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Projects with machines, firewalls, buckets and service accounts with policies."""
    made = project = 0
    while made < count:
        name, number = f"p{project}", str(100_000 + project)
        above = [f"projects/{number}", f"folders/{project % 20}", "organizations/1"]
        compute = f"//compute.googleapis.com/projects/{name}"
        network = f"https://www.googleapis.com/compute/v1/projects/{name}/global/networks/default"
        emails = [f"sa{n}@{name}.iam.gserviceaccount.com" for n in range(10)]

        def asset(
            kind: str, uid: str, data: Any, policy: Any = None, above: list[str] = above
        ) -> dict[str, Any]:
            found = {"name": uid, "assetType": kind, "ancestors": above, "resource": {"data": data}}
            return found | ({"iamPolicy": {"bindings": policy}} if policy else {})

        yield asset("cloudresourcemanager.googleapis.com/Project", f"//cloudresourcemanager.googleapis.com/projects/{number}",
                    {"projectId": name, "projectNumber": number}, [
                        {"role": role, "members": [f"serviceAccount:{rng.choice(emails)}"]} for role in (
                            "roles/editor", "roles/compute.admin", "roles/iam.serviceAccountUser", "roles/viewer")])  # fmt: skip
        yield asset("compute.googleapis.com/Firewall", f"{compute}/global/firewalls/f", {
            "name": "f", "network": network, "direction": "INGRESS", "priority": 1000,
            "sourceRanges": [rng.choice(("0.0.0.0/0", "10.0.0.0/8"))], "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]})  # fmt: skip
        for n, email in enumerate(emails):
            yield asset("iam.googleapis.com/ServiceAccount", f"//iam.googleapis.com/projects/{name}/serviceAccounts/{email}",
                        {"email": email}, [{"role": "roles/iam.serviceAccountTokenCreator",
                                            "members": [f"serviceAccount:{rng.choice(emails)}"]}])  # fmt: skip
            yield asset("compute.googleapis.com/Instance", f"{compute}/zones/z/instances/vm{n}", {
                "name": f"vm{n}", "status": "RUNNING", "networkInterfaces": [{"network": network, "accessConfigs": [
                    {"type": "ONE_TO_ONE_NAT", "natIP": f"34.{project % 200}.{n}.9"}]}],
                "serviceAccounts": [{"email": email, "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}]})  # fmt: skip
            yield asset("storage.googleapis.com/Bucket", f"//storage.googleapis.com/{name}-{n}", {"name": f"{name}-{n}"}, [
                {"role": "roles/storage.objectViewer", "members": [rng.choice(("allUsers", f"serviceAccount:{email}"))]}])  # fmt: skip
        made += 32
        project += 1


def run(count: int) -> tuple[float, float]:
    """Seconds to import `count` assets (with the assessment), and to assess them again."""
    from secinbox.cli import secinbox

    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        reports = Path(folder) / "reports"
        reports.mkdir()
        rows = list(azure(count // 2, rng))
        (reports / "azure.json").write_text(json.dumps({"count": len(rows), "data": rows}))
        with (reports / "google.json").open("w") as out:
            for row in google(count // 2, rng):
                out.write(json.dumps(row) + "\n")
        start = time.perf_counter()
        made = CliRunner().invoke(secinbox, ["--home", str(home), "import", str(reports)])
        imported = time.perf_counter() - start
        assert made.exit_code == 0, made.output
        start = time.perf_counter()
        made = CliRunner().invoke(secinbox, ["--home", str(home), "rank"])
        assert made.exit_code == 0, made.output
        return imported, time.perf_counter() - start


def main() -> None:
    last: tuple[int, float] | None = None
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assets", type=int, nargs="*", default=[10_000, 30_000, 100_000])
    for count in parser.parse_args().assets:
        imported, assessed = run(count)
        total = imported
        grown = f", x{total / last[1]:.1f} for x{count / last[0]:.1f} assets" if last else ""
        print(f"{count:>7} assets: import, assess and rank {imported:6.1f} s, again {assessed:6.1f} s, "
              f"{count / total:6.0f} assets/s{grown}", flush=True)  # fmt: skip
        last = (count, total)


if __name__ == "__main__":
    main()
