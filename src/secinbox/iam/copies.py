"""Data that is read by a copy: of a volume, a database or a cluster of databases.

Either the copy is put up here (with a password of the caller's), or shared with an account of his, then with
the key that guards it. Source: Service Authorization Reference; Amazon RDS, Aurora and EBS user guides,
"Sharing a snapshot". That the caller gets to the network of a copy is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

Need = tuple[str, str]  # action, the resource asked for


@dataclass(frozen=True)
class Copy:
    """All needs together. In a resource `{uid}` is the store, `{home}` what its ARN begins with, `{}`
    a name of the caller's choice. `shared`: the copy leaves the account; `read`: its key is used here."""

    needs: tuple[Need, ...]
    shared: bool = False
    read: bool = False


_SNAPSHOT, _CLUSTER_SNAPSHOT = "{home}:snapshot:{}", "{home}:cluster-snapshot:{}"
_DB, _CLUSTER = "{home}:db:{}", "{home}:cluster:{}"
_DISK, _VOLUME = "{home}::snapshot/{}", "{own}:volume/{}"
_OF_DB: tuple[Need, ...] = (("rds:createdbsnapshot", "{uid}"), ("rds:createdbsnapshot", _SNAPSHOT))
_OF_CLUSTER: tuple[Need, ...] = (
    ("rds:createdbclustersnapshot", "{uid}"), ("rds:createdbclustersnapshot", _CLUSTER_SNAPSHOT),
)  # fmt: skip
_OF_VOLUME: tuple[Need, ...] = (("ec2:createsnapshot", "{uid}"), ("ec2:createsnapshot", _DISK))
COPIES: dict[str, tuple[Copy, ...]] = {
    "aws_rds_instance": (
        Copy((*_OF_DB, ("rds:restoredbinstancefromdbsnapshot", _SNAPSHOT),
              ("rds:restoredbinstancefromdbsnapshot", _DB), ("rds:modifydbinstance", _DB))),
        Copy((*_OF_DB, ("rds:modifydbsnapshotattribute", _SNAPSHOT)), shared=True),
    ),
    # A cluster that was restored has no instance of its own.
    "aws_rds_cluster": (
        Copy((*_OF_CLUSTER, ("rds:restoredbclusterfromsnapshot", _CLUSTER_SNAPSHOT),
              ("rds:restoredbclusterfromsnapshot", _CLUSTER), ("rds:createdbinstance", _DB),
              ("rds:modifydbcluster", _CLUSTER))),
        Copy((*_OF_CLUSTER, ("rds:modifydbclustersnapshotattribute", _CLUSTER_SNAPSHOT)), shared=True),
    ),
    "aws_ec2_volume": (
        Copy((*_OF_VOLUME, ("ec2:modifysnapshotattribute", _DISK)), shared=True),
        Copy((*_OF_VOLUME, ("ebs:listsnapshotblocks", _DISK), ("ebs:getsnapshotblock", _DISK)), read=True),
        Copy((*_OF_VOLUME, ("ec2:createvolume", _VOLUME), ("ec2:attachvolume", _VOLUME),
              ("ec2:attachvolume", "{own}:instance/{}")), read=True),
    ),
}  # fmt: skip


def places(uid: str, template: str) -> str:
    """The resource of a need for this store; `{}` stays."""
    parts = uid.split(":")
    service = ":".join(parts[:4]) if parts[2] == "ec2" else ":".join(parts[:5])
    return (template.replace("{uid}", uid).replace("{home}", service)
            .replace("{own}", ":".join(parts[:5])))  # fmt: skip
