"""What OpenAPI says of the answers is what the answers are, on the sample estate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from fastapi.testclient import TestClient

from secinbox.api.app import create_app
from secinbox.api.shapes import schema
from secinbox.cli.commands.demo import PARTS, find_estate
from secinbox.session import Session, parse_clock
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("openapi") / "home"
    estate = find_estate()
    with Session(home) as session:
        session.pin_clock(parse_clock(json.loads((estate / "truth.json").read_text())["as_of"]))
        session.import_reports(tuple(str(estate / part) for part in PARTS))
        session.decide({"action": "mute", "issues": ["3"], "reason": "other", "text": "x",
                        "expires": "30d"}, "ann")  # fmt: skip
        session.decide({"action": "assign", "issues": ["2"], "assignee": "ann"}, "ann")
        session.administration.create_token("ci", "viewer", "90d", "ann")
        session.administration.write_team("pay", ["ann"], "ann")
        app = create_app(session, "the-token")
        with TestClient(app, headers={"authorization": "Bearer the-token"}) as opened:
            yield opened


def asked(client: TestClient) -> list[tuple[str, str]]:
    """(route, address to ask) of all that is read."""
    issues = client.get("/api/v1/issues").json()["issues"]
    finding = client.get("/api/v1/findings").json()["findings"][0]["id"]
    path = client.get("/api/v1/paths").json()["paths"][0]["id"]
    resource = quote(client.get("/api/v1/resources").json()["resources"][0]["uid"], safe="")
    plan = client.get("/api/v1/plan").json()["actions"][0]["key"]
    return [
        ("/api/v1/issues", "/api/v1/issues?limit=500"),
        ("/api/v1/issues", "/api/v1/issues?q=status:muted"),
        *[("/api/v1/issues/{name}", f"/api/v1/issues/{i['id']}") for i in issues],
        ("/api/v1/findings", "/api/v1/findings?limit=5000"),
        ("/api/v1/findings", "/api/v1/findings?q=status:fixed"),
        ("/api/v1/resources", "/api/v1/resources?limit=5000"),
        *[("/api/v1/why", f"/api/v1/why?name={n}") for n in ("1", finding, resource)],
        ("/api/v1/facets", "/api/v1/facets"), ("/api/v1/groups", "/api/v1/groups?by=service"),
        ("/api/v1/report", "/api/v1/report"), ("/api/v1/doctor", "/api/v1/doctor"),
        ("/api/v1/paths", "/api/v1/paths"), ("/api/v1/paths/{name}", f"/api/v1/paths/{path}"),
        ("/api/v1/plan", "/api/v1/plan"),
        ("/api/v1/plan/what-if", f"/api/v1/plan/what-if?fix={quote(plan, safe='')}"),
        ("/api/v1/rules", "/api/v1/rules"), ("/api/v1/deliveries", "/api/v1/deliveries"),
        ("/api/v1/tokens", "/api/v1/tokens"), ("/api/v1/users", "/api/v1/users"),
        ("/api/v1/teams", "/api/v1/teams"), ("/api/v1/audit", "/api/v1/audit"),
        ("/healthz", "/healthz"),
    ]  # fmt: skip


def said(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/openapi.json").json()["paths"]
    return found


def body(operation: Any, status: str = "200") -> dict[str, Any]:
    found: dict[str, Any] = operation["responses"][status]["content"]["application/json"]["schema"]
    return found


def test_answers_have_the_shape_that_openapi_says(client: TestClient) -> None:
    told = said(client)
    for route, address in asked(client):
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.text[:300])
        shape = body(told[route]["get"])
        assert shape.get("properties") or shape.get("additionalProperties"), route
        jsonschema.validate(answer.json(), shape)


def test_every_list_of_the_first_api_has_a_shape(client: TestClient) -> None:
    nothing = [
        path
        for path, methods in said(client).items()
        if "get" in methods and path.startswith("/api/v1/") and not body(methods["get"])
    ]
    # These answer what rules, feeds and exports of many formats say.
    assert set(nothing) <= {"/api/v1/intel", "/api/v1/export", "/api/v1/deliveries/preview"}


def test_a_decision_and_an_import_have_the_shape_that_openapi_says(client: TestClient) -> None:
    told = said(client)
    decided = client.post(
        "/api/v1/decisions", json={"action": "comment", "issues": ["1"], "text": "x"}
    )
    jsonschema.validate(decided.json(), body(told["/api/v1/decisions"]["post"]))
    sample = next((ROOT / "tests" / "samples" / "gitleaks").iterdir())
    imported = client.post("/api/v1/imports", params={"name": "r/x.json"},
                           content=Path(sample).read_bytes())  # fmt: skip
    jsonschema.validate(imported.json(), body(told["/api/v1/imports"]["post"]))


@pytest.mark.parametrize(("shape", "right", "wrong"), [
    ("string?", None, 1), ("integer", 1, None), (["string"], ["a"], [1]),
    ({"a": "string", "b?": "integer"}, {"a": "x"}, {"b": 1}),
    ({"*": "integer"}, {"x": 1}, {"x": "1"}), ("one of a, b", "a", "c"),
    ("one of a, b?", None, "c"),
])  # fmt: skip
def test_shapes_mean_what_they_say(shape: Any, right: Any, wrong: Any) -> None:
    jsonschema.validate(right, schema(shape))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema(shape))
