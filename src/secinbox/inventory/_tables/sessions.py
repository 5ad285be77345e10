"""Tables of what hands out sessions of roles. Steampipe keeps neither session policies nor target roles:
the role is told as a part, which leaves open what of it comes through."""

from __future__ import annotations

from secinbox.inventory._tables.rows import Answer, Made, Row, described


def pod_association(row: Row) -> Made:
    found = described(row, lower=True)
    yield Answer("eks.describe_pod_identity_association", {"association": found},
                 {"clusterName": str(row["cluster_name"])}, ("roleArn",))  # fmt: skip


def transfer_user(row: Row) -> Made:
    found = described(row, {"server_id": "-", "ssh_public_key_count": "SshPublicKeyCount"})
    yield Answer("transfer.describe_user", {"ServerId": str(row["server_id"]), "User": found},
                 None, ("Role",))  # fmt: skip
