"""Samples of the moves into databases of RDS by their API; see test_paths_moves.py."""

from __future__ import annotations

from typing import Any

from tests.scenes import A, R, Scene, allow

Flips = list[tuple[str, Scene, str]]
DB, CLUSTER = f"arn:aws:rds:{R}:{A}:db:orders", f"arn:aws:rds:{R}:{A}:cluster:aurora"
SECRET = f"arn:aws:secretsmanager:{R}:{A}:secret:cluster-AbCdEf"
MARK = {"data_class": "restricted"}
RUNS, GETS = "rds-data:ExecuteStatement", "secretsmanager:GetSecretValue"


def aurora(*rights: str, http: bool = True, managed: bool = True, resource: str = "*") -> Scene:
    """A cluster whose password AWS keeps in a secret."""
    scene = Scene().secret("cluster")
    scene.user("ana", *(allow(r, resource) for r in rights or (RUNS, GETS)))
    config: dict[str, Any] = {"DBClusterIdentifier": "aurora", "HttpEndpointEnabled": http}
    if managed:
        config["MasterUserSecret"] = {"SecretArn": SECRET}
    scene.add(CLUSTER, "aws_rds_cluster", config, MARK)
    return scene


def changed(right: str = "rds:ModifyDBInstance", public: bool = False, resource: str = "*",
            tags: dict[str, str] | None = None) -> Scene:  # fmt: skip
    scene = Scene()
    scene.user("ana", allow(right, resource))
    scene.add(DB, "aws_rds_instance", {"DBInstanceIdentifier": "orders", "PubliclyAccessible": public},
              MARK if tags is None else tags)  # fmt: skip
    return scene


OTHER = DB.replace("orders", "other")
SAMPLES: dict[str, tuple[Scene, Flips]] = {
    "data-api": (aurora(), [
        ("the Data API is off", aurora(http=False), ""),
        ("no right to run statements", aurora(GETS), ""),
        ("no right to its secret", aurora(RUNS), ""),
        ("nobody knows its secret", aurora(managed=False), ""),
        ("another cluster", aurora(RUNS, GETS, resource=CLUSTER.replace("aurora", "other")), ""),
    ]),
    "database-new-password": (changed(), [
        ("describes it", changed("rds:DescribeDBInstances"), ""),
        ("another database", changed(resource=OTHER), ""),
        ("of no value", changed(tags={"data_class": "public"}), ""),
    ]),
    "database-opened": (changed(), [
        ("open already", changed(public=True), ""),
        ("describes it", changed("rds:DescribeDBInstances"), ""),
        ("another database", changed(resource=OTHER), ""),
    ]),
}  # fmt: skip
