"""Kubernetes objects as YAML: what `kubectl get -o yaml` prints, and manifests when asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secinbox.inventory import kubernetes
from secinbox.reading import Report, ReportError, head_of
from tests.conftest import CLOCK

POD = """apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
  creationTimestamp: 2026-11-20T10:00:00Z
  labels: {app: web, on: "1"}
  resourceVersion: "12"
spec:
  hostNetwork: true
  containers:
  - name: a
    image: nginx:1.25
    ports: [{containerPort: 8080}]
status: {phase: Running}
"""
SERVICE = """apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
"""


def read(text: str) -> list[Any]:
    return list(kubernetes.read(Report(text.encode(), "all.yaml", (), CLOCK, {"cluster": "c"})))


def uids(records: list[Any]) -> set[str]:
    return {r.uid for r in records if getattr(r, "uid", "").startswith("k8s://")}


def test_documents_one_after_the_other() -> None:
    found = read(f"# a comment\n---\n{POD}---\n---\n{SERVICE}")
    assert {"k8s://c/shop/pod/web", "k8s://c/shop/service/web"} <= uids(found)
    pod = next(r for r in found if getattr(r, "uid", "") == "k8s://c/shop/pod/web")
    config = json.loads(pod.config)
    assert config["metadata"]["creationTimestamp"] == "2026-11-20T10:00:00Z"
    assert config["spec"]["hostNetwork"] is True
    assert config["spec"]["containers"][0]["ports"][0]["containerPort"] == 8080
    assert not [r for r in found if type(r).__name__ == "Scope"]


def test_a_list_is_as_complete_as_in_json() -> None:
    items = "\n".join("  " + line for line in POD.splitlines())
    text = "apiVersion: v1\nkind: List\nmetadata: {}\nitems:\n-" + items[1:]
    scopes = {r.key for r in read(text) if type(r).__name__ == "Scope"}
    assert scopes == {"k8s:c/pod/shop"}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (POD, True),
        (SERVICE, False),  # a manifest: nobody says that it runs
        ("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  uid: x\n", False),
        ("version: 2\nservices:\n  web:\n    uid: 5\n", False),
        ("just text\n", False),
    ],
)
def test_only_what_exists_is_recognised(text: str, known: bool) -> None:
    assert (kubernetes.recognise(head_of(text.encode(), "x.yaml")) > 50) is known


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: {{ .Values.kind }}\n  bad: [\n",
        "- just\n- a list\n",
        "a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "x: " + "[" * 100 + "]" * 100,
        "!!python/object/apply:os.system [x]\n",
    ],
)
def test_what_is_no_plain_yaml_is_told(text: str) -> None:
    with pytest.raises(ReportError):
        read(text)


def test_manifests_of_a_repository_when_asked_for(shared: Path) -> None:
    path = next((shared / "joined" / "sock-shop").rglob("complete-demo.yaml"))
    assert kubernetes.recognise(head_of(path.read_bytes(), path.name)) == 0
    found = uids(read(path.read_text()))
    assert len([u for u in found if "/deployment/" in u]) == 14
    assert len([u for u in found if "/service/" in u]) == 14
