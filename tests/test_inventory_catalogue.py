"""The catalogue of services: what belongs together, and mistakes that are answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from secinbox.connectors import all_connectors
from secinbox.inventory import catalogue
from secinbox.reading import Report, ReportError, head_of
from secinbox.records import AnyRecord, Relation, Resource, Skipped

SAMPLES = Path(__file__).parent / "samples" / "catalogue"


def read(data: bytes) -> list[AnyRecord]:
    return list(catalogue.read(Report(data, "x.yaml")))


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*")), ids=lambda p: p.name)
def test_samples_are_recognised_by_content_and_name_a_service(path: Path) -> None:
    head = head_of(path.read_bytes(), "x.bin")
    scores = {k.id: k.connector.recognise(head) for k in all_connectors()}
    assert {k for k, v in scores.items() if v} == {"catalogue"}
    records = read(path.read_bytes())
    services = {r.uid: r.tags for r in records if isinstance(r, Resource) and r.type == "service"}
    assert services["service:checkout"]["team"] == "payments"
    edges = {(r.source, r.kind, r.target) for r in records if isinstance(r, Relation)}
    assert ("repo:github.com/example/checkout", "part_of", "service:checkout") in edges


def test_a_report_without_a_target_is_about_the_only_repository() -> None:
    records = read((SAMPLES / "services.yaml").read_bytes())
    holders = {a.name: r.uid for r in records if isinstance(r, Resource) for a in r.aliases}
    assert holders == {
        "unnamed:checkout/pip-audit.json": "repo:github.com/example/checkout",
        "unnamed:tools/bandit.json": "service:tools",
    }
    members = {r.source for r in records if isinstance(r, Relation)}
    assert "image:registry.example/shop/checkout:1.2" in members
    assert "arn:aws:lambda:eu-west-1:123456789012:function:checkout" in members


def test_entities_that_are_no_service_are_counted() -> None:
    skipped = [
        r for r in read((SAMPLES / "catalog-info.yaml").read_bytes()) if isinstance(r, Skipped)
    ]
    assert [s.harmless for s in skipped] == [True]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("secinbox_catalogue: 1\nservices:\n - name: a\n   repos: [b]", "services[0].repos", "repositories"),
        ("secinbox_catalogue: 1\nservice: []", "$.service", "services"),
        ("secinbox_catalogue: 2", "secinbox_catalogue", "1"),
        ("secinbox_catalogue: 1\nservices: x", "services", "dash"),
        ("secinbox_catalogue: 1\nservices: [x]", "services[0]", "name"),
        ("secinbox_catalogue: 1\nservices: [{owner: x}]", "name", "unique"),
        ("secinbox_catalogue: 1\nservices: [{name: a}, {name: A}]", "services[1]", "unique"),
        ("secinbox_catalogue: 1\nservices: [{name: a, images: x}]", "images", "[one, two]"),
        ("secinbox_catalogue: 1\nservices: [{name: [a]}]", "name", "word"),
        ("secinbox_catalogue: 1\nservices: [{name: a, resources: ['arn:*']}]", "resources[0]", "uid"),
        ("apiVersion: backstage.io/v1\nkind: Component\nmetadata: []\nspec: {}", "name", "name"),
        ("apiVersion: backstage.io/v1\nkind: Component\nmetadata: x", "metadata", "backstage"),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_with_its_place_and_what_is_allowed(
    text: str, place: str, hint: str
) -> None:
    assert catalogue.recognise(head_of(text.encode())) == 100
    with pytest.raises(ReportError) as error:
        read(text.encode())
    assert place in error.value.place
    assert hint in error.value.hint
