"""Collecting from a cluster, against an API server of a few lines on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from click.testing import CliRunner

from secinbox.cli import secinbox
from secinbox.collect.kubernetes import collect
from secinbox.reading import ReportError

pytest.importorskip("kubernetes")

PODS = [
    {"metadata": {"name": f"p{i}", "namespace": "shop", "managedFields": [{"big": 1}]},
     "spec": {"containers": [{"name": "c", "image": "nginx"}]}, "status": {"phase": "Running"}}
    for i in range(3)
]  # fmt: skip
SECRET = {"metadata": {"name": "s", "namespace": "shop", "annotations": {
    "kubectl.kubernetes.io/last-applied-configuration": "hunter2"}},
    "type": "Opaque", "data": {"password": "aHVudGVyMg=="}}  # fmt: skip
MAPS = [{"metadata": {"name": n, "namespace": "kube-system"}, "data": {"k": "v"}}
        for n in ("aws-auth", "other")]  # fmt: skip


class _Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = urlparse(self.path)
        token = parse_qs(asked.query).get("continue", [""])[0]
        body: dict[str, Any] = {"metadata": {}, "items": []}
        status = 200
        if asked.path == "/api/v1/pods":  # two pages
            body["items"] = PODS[2:] if token else PODS[:2]
            body["metadata"] = {} if token else {"continue": "next"}
        elif asked.path == "/api/v1/secrets":
            body["items"] = [SECRET]
        elif asked.path == "/api/v1/configmaps":
            body["items"] = MAPS
        elif "clusterroles" in asked.path:
            status, body = 403, {"kind": "Status", "code": 403}
        elif "gateway" in asked.path or "openshift" in asked.path:
            status, body = 404, {"kind": "Status", "code": 404}
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = tmp_path / "config"
    config.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "shop-cluster",
                      "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "here", "context": {"cluster": "shop-cluster", "user": "u"}}],
    }))  # fmt: skip
    from kubernetes.config import kube_config

    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(config))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    yield
    server.shutdown()


def test_all_pages_are_read_and_no_secret_is_kept(cluster: None, tmp_path: Path) -> None:
    done = collect(tmp_path / "out")
    assert done.cluster == "shop-cluster"
    assert (done.kinds["Pod"], done.kinds["Secret"], done.kinds["ConfigMap"]) == (3, 1, 1)
    assert set(done.gaps) == {"ClusterRole"}
    assert "Gateway" not in done.kinds and "Gateway" not in done.gaps
    text = "".join(p.read_text() for p in done.folder.iterdir())
    assert "hunter2" not in text and "aHVudGVyMg==" not in text and "managedFields" not in text
    assert json.loads((done.folder / "pods.json").read_text())["kind"] == "PodList"
    assert not (done.folder / "clusterroles.json").exists()


def test_the_command_imports_it(cluster: None, tmp_path: Path) -> None:
    run = CliRunner().invoke(
        secinbox, ["--home", str(tmp_path / "home"), "collect", "kubernetes", "--json"]
    )
    assert run.exit_code == 0, run.output
    answer = json.loads(run.stdout)
    assert {f["status"] for f in answer["files"]} == {"imported"}
    found = CliRunner().invoke(
        secinbox, ["--home", str(tmp_path / "home"), "resources", "type:kubernetes_pod", "--json"]
    )
    uids = [r["uid"] for r in json.loads(found.stdout)["resources"]]
    assert uids == [f"k8s://shop-cluster/shop/pod/p{i}" for i in range(3)]


def test_a_context_that_is_not_there_is_told(cluster: None, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no context"):
        collect(tmp_path, context="elsewhere")
