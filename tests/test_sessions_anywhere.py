"""IAM Roles Anywhere: who gets a role by a certificate, and each single condition flipped."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.iam import escalation_of, privilege
from secinbox.iam.sessions.anywhere import outside
from secinbox.inventory import hcl
from secinbox.paths import routes
from secinbox.paths.world import World
from secinbox.reading import Report
from secinbox.records import RiskStatement
from secinbox.session import Session
from tests.accounts import A, B, R, allow
from tests.conftest import CLOCK
from tests.handing import IAM, Said, arn, document, estate, records, role, roles
from tests.test_posture import Home

PROFILE = arn("rolesanywhere", "profile/p-1")
ANCHOR = arn("rolesanywhere", "trust-anchor/t-1")
ROLE = f"{IAM}role/app"
THREE = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
ALL = allow("*")
CN = "aws:PrincipalTag/x509Subject/CN"


def trust(action: Any = THREE, effect: str = "Allow", **condition: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": effect, "Action": action,
                            "Principal": {"Service": "rolesanywhere.amazonaws.com"}}  # fmt: skip
    return made | ({"Condition": condition} if condition else {})


def profile(**more: Any) -> dict[str, Any]:
    return {"profileArn": PROFILE, "profileId": "p-1", "name": "web", "enabled": True,
            "roleArns": [ROLE], "managedPolicyArns": [], **more}  # fmt: skip


def anchor(**more: Any) -> dict[str, Any]:
    return {"trustAnchorArn": ANCHOR, "trustAnchorId": "t-1", "name": "partners", "enabled": True,
            "source": {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": "pem"}}, **more}  # fmt: skip


def told(profiles: list[dict[str, Any]] | None = None, anchors: list[dict[str, Any]] | None = None
         ) -> list[Said]:  # fmt: skip
    said: list[Said] = []
    if profiles is not None:
        said.append(("rolesanywhere.list_profiles", {"profiles": profiles}, {}))
    if anchors is not None:
        said.append(("rolesanywhere.list_trust_anchors", {"trustAnchors": anchors}, {}))
    return said


def judged(statements: list[dict[str, Any]], made: dict[str, Any] | None = None,
           at: dict[str, Any] | None = None, *own: dict[str, Any]) -> RiskStatement:  # fmt: skip
    """What the profile hands out; the role does everything unless said otherwise."""
    said = [
        *told([made or profile()], [at or anchor()]),
        roles(role("app", statements, *(own or (ALL,)))),
    ]
    return {s.resource: s for s in privilege(estate(said))}[PROFILE]


def test_holders_of_a_certificate_get_the_role() -> None:
    found = judged([trust()])
    (evidence,) = [e for e in found.evidence if e.kind != "granted"]
    assert (found.value, evidence.kind) == ("yes", "administrator")
    assert "gives role/app to holders of a certificate of trust anchor partners" in evidence.text


@pytest.mark.parametrize(
    ("statements", "made", "at", "expected"),
    [
        ([trust()], {}, {}, "yes"),
        ([trust(THREE[:2])], {}, {}, "no"),
        ([trust(THREE[1:])], {}, {}, "no"),
        ([trust([THREE[0], THREE[2]])], {}, {}, "no"),
        ([trust("sts:*")], {}, {}, "yes"),
        ([trust() | {"Principal": {"Service": "ec2.amazonaws.com"}}], {}, {}, "no"),
        ([trust(), trust(effect="Deny")], {}, {}, "no"),
        ([trust()], {"enabled": False}, {}, "no"),
        ([trust()], {"enabled": None}, {}, "unknown"),
        ([trust()], {}, {"enabled": False}, "no"),
        ([trust()], {}, {"enabled": None}, "unknown"),
        ([trust()], {"roleArns": [f"{IAM}role/app2"]}, {}, "unknown"),  # another role: not read
        ([trust(ArnEquals={"aws:SourceArn": ANCHOR})], {}, {}, "yes"),
        ([trust(ArnEquals={"aws:SourceArn": f"{ANCHOR}2"})], {}, {}, "no"),
        ([trust(StringEquals={"aws:SourceAccount": A})], {}, {}, "yes"),
        ([trust(StringEquals={"aws:SourceAccount": B})], {}, {}, "no"),
        # somebody holds a certificate of that name
        ([trust(StringEquals={CN: "web"})], {}, {}, "yes"),
        ([trust(StringEquals={CN: "web"}), trust(effect="Deny", StringEquals={CN: "web"})], {}, {}, "no"),
        ([trust(StringEquals={"sts:SourceIdentity": "web"})], {}, {}, "yes"),
        ([trust(StringEquals={"aws:OriginIdentity/x": "web"})], {}, {}, "unknown"),
        # a field that the profile does not map is no tag
        ([trust(StringEquals={CN: "web"})],
         {"attributeMappings": [{"certificateField": "x509Subject", "mappingRules": [{"specifier": "CN"}]}]}, {},
         "yes"),
        ([trust(StringEquals={CN: "web"})],
         {"attributeMappings": [{"certificateField": "x509Subject", "mappingRules": [{"specifier": "*"}]}]}, {},
         "yes"),
        ([trust(StringEquals={CN: "web"})],
         {"attributeMappings": [{"certificateField": "x509Subject", "mappingRules": [{"specifier": "OU"}]}]}, {},
         "no"),
        ([trust(StringEquals={CN: "web"})], {"attributeMappings": []}, {}, "no"),
        # the name of the session: the holder's own where the profile takes one
        ([trust(StringEquals={"sts:RoleSessionName": "web"})], {"acceptRoleSessionName": True}, {}, "yes"),
        ([trust(StringEquals={"sts:RoleSessionName": "web"})], {"acceptRoleSessionName": False}, {}, "unknown"),
    ],
)  # fmt: skip
def test_flips(
    statements: list[dict[str, Any]], made: dict[str, Any], at: dict[str, Any], expected: str
) -> None:
    found = judged(statements, profile(**made), anchor(**at))
    assert found.value == expected
    if expected == "no":
        assert any(e.kind == "control" and "hands out no session" in e.text for e in found.evidence)


S3 = document(allow("s3:GetObject", "arn:aws:s3:::x/*"))
MANAGED = f"{IAM}policy/cut"


@pytest.mark.parametrize(
    ("made", "policies", "expected"),
    [
        ({"sessionPolicy": json.dumps(S3)}, [], "no"),
        ({"sessionPolicy": json.dumps(document(ALL))}, [], "yes"),
        ({"managedPolicyArns": [MANAGED]}, [S3], "no"),
        ({"managedPolicyArns": [MANAGED]}, [document(ALL)], "yes"),
        ({"managedPolicyArns": [MANAGED]}, [], "unknown"),  # not read
        # one of both must allow
        ({"managedPolicyArns": [MANAGED], "sessionPolicy": json.dumps(document(ALL))}, [S3], "yes"),
        ({"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}, [], "yes"),
    ],
)
def test_policies_of_the_profile_cut_the_session(
    made: dict[str, Any], policies: list[dict[str, Any]], expected: str
) -> None:
    listed = [{"Arn": MANAGED, "PolicyName": "cut", "PolicyVersionList": [
        {"VersionId": "v1", "IsDefaultVersion": True, "Document": p}]} for p in policies]  # fmt: skip
    said = [
        *told([profile(**made)], [anchor()]),
        roles(role("app", [trust()], ALL), policies=listed),
    ]
    found = {s.resource: s for s in privilege(estate(said))}
    assert found[PROFILE].value == expected
    assert found[ROLE].value == "yes"


def test_fields_of_the_certificate_are_tags_of_the_session() -> None:
    own = {**ALL, "Condition": {"StringEquals": {"aws:PrincipalTag/x509Subject/OU": "ops"}}}
    assert judged([trust()], None, None, own).value == "unknown"  # it hangs on the certificate
    other = {**ALL, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "ops"}}}
    assert judged([trust()], None, None, other).value == "no"


# Who holds the role from outside


def held(said: list[Said], statements: list[dict[str, Any]] | None = None) -> tuple[str, str]:
    made = estate([*said, roles(role("app", statements or [trust()], allow("s3:ListBucket")))])
    escalation = escalation_of(made)
    value, shown = outside(escalation.world, escalation.handed, escalation.world.principals[ROLE])
    lines = [e.text for s in privilege(made) if s.resource == ROLE for e in s.evidence]
    assert all(e.text in lines for e in shown)
    return value, "; ".join(e.text for e in shown)


def test_who_holds_a_role_is_told_and_never_guessed() -> None:
    value, text = held(told([profile()], [anchor()]))
    assert value == "yes" and "holders of a certificate of trust anchor partners" in text
    assert "profile web" in text and "cut by" not in text
    value, text = held(told([profile(sessionPolicy=json.dumps(S3))], [anchor()]))
    assert value == "yes" and "cut by its session policy" in text
    value, text = held(told([profile()], [anchor()]), [trust(StringEquals={CN: "web"})])
    assert value == "yes" and "with x509subject/cn web of trust anchor" in text
    value, text = held(told([profile(enabled=False)], [anchor()]))
    assert value == "no" and "the profile is disabled" in text
    assert held(told([], [anchor()])) == (
        "no",
        "nobody gets it by IAM Roles Anywhere: no profile names it",
    )
    assert held(told([profile()], []))[0] == "no"
    # Profiles, or trust anchors, that nobody listed.
    assert held(told(None, [anchor()]))[0] == "unknown"
    assert held(told([profile()], None))[0] == "unknown"
    value, text = held(told([profile(enabled=False)], [anchor()])[1:])
    assert value == "unknown" and "list_profiles was not read" in text
    # In one region only.
    far: Said = ("ec2.describe_vpcs", {"Vpcs": []}, {})
    made = estate_of([*records([*told([], [anchor()]), roles(role("app", [trust()]))]),
                      *records([far], region="us-east-1")])  # fmt: skip
    escalation = escalation_of(made)
    assert (
        outside(escalation.world, escalation.handed, escalation.world.principals[ROLE])[0]
        == "unknown"
    )
    # Roles that do not trust the service are asked nothing.
    mild = [trust() | {"Principal": {"Service": "ec2.amazonaws.com"}}]
    assert held(told(None, None) or [far], mild) == ("no", "")


def test_an_anchor_of_another_region_opens_nothing() -> None:
    away = anchor(trustAnchorArn=arn("rolesanywhere", "trust-anchor/t-1", "us-east-1"))
    said = [*told([profile()], []), roles(role("app", [trust()], ALL))]
    made = estate_of([*records(said), *records(told(None, [away]), region="us-east-1")])
    assert {s.resource: s.value for s in privilege(made)}[PROFILE] == "no"


def test_the_order_of_the_reports_does_not_matter() -> None:
    second = anchor(trustAnchorArn=f"{ANCHOR}2", name="own", source={"sourceType": "AWS_ACM_PCA"})
    made = records([*told([profile(sessionPolicy=json.dumps(S3)), profile(profileArn=f"{PROFILE}2")],
                          [anchor(), second]), roles(role("app", [trust()], ALL))])  # fmt: skip
    first = list(privilege(estate_of(made)))
    assert any("own of AWS Private CA" in e.text for s in first for e in s.evidence)
    for seed in range(4):
        random.Random(seed).shuffle(made)
        assert list(privilege(estate_of(made))) == first


# Attack paths


def entered(statements: list[dict[str, Any]], **made: Any) -> list[Any]:
    said = [*told([profile(**made)], [anchor()]), roles(role("app", statements, ALL))]
    paths = routes.analyse(World(estate=estate(said))).paths
    return [(p, p.steps[0]) for p in paths if p.steps[0].move == "certificate-role"]


def test_attack_paths_begin_where_any_certificate_will_do() -> None:
    ((path, step),) = entered([trust()])
    assert path.target == f"arn:aws:iam::{A}:root" and not path.certain
    assert step.sentence.startswith(
        "whoever holds a certificate of trust anchor partners/t-1 gets role app"
    )
    assert step.doubt == "who else holds a certificate of it"
    assert not entered([trust(StringEquals={CN: "web"})])
    assert not entered([trust()], enabled=False)
    assert not entered([trust()], sessionPolicy=json.dumps(S3))  # nothing that matters is left


# Findings


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Session(tmp_path / "home", CLOCK) as opened:
        yield Home(opened, tmp_path / "inventory")


RULE = "secinbox-iam-role-any-certificate"


@pytest.mark.parametrize(
    ("statements", "made", "own", "severity"),
    [
        ([trust()], {}, allow("s3:ListBucket"), "low"),
        ([trust()], {}, ALL, "medium"),
        ([trust()], {"sessionPolicy": json.dumps(S3)}, ALL, "low"),
        ([trust(ArnEquals={"aws:SourceArn": ANCHOR})], {}, ALL, "medium"),
        ([trust(StringEquals={CN: "web"})], {}, ALL, ""),
        ([trust(StringLike={CN: "*"})], {}, ALL, "medium"),
        ([trust()], {"enabled": False}, ALL, ""),
        ([trust(THREE[:2])], {}, ALL, ""),
    ],
)
def test_a_role_for_any_certificate_is_a_finding(
    home: Home,
    statements: list[dict[str, Any]],
    made: dict[str, Any],
    own: dict[str, Any],
    severity: str,
) -> None:
    home.put("rolesanywhere.list_profiles", {"profiles": [profile(**made)]})
    home.put("rolesanywhere.list_trust_anchors", {"trustAnchors": [anchor()]})
    home.iam(roles=[role("app", statements, own)])
    found = [f for f in home.found() if f["rule"] == RULE]
    assert [f["severity"] for f in found] == ([severity] if severity else [])
    if found:
        assert found[0]["resource"] == ROLE
        assert "trust anchor partners, through profile web" in found[0]["description"]
        why = json.dumps(home.session.why(ROLE))
        assert "holders of a certificate of trust anchor partners" in why


def test_terraform_tells_profiles() -> None:
    source = """
resource "aws_iam_role" "app" {
  name = "app"
  assume_role_policy = jsonencode(%s)
  inline_policy {
    name = "own"
    policy = jsonencode(%s)
  }
}
resource "aws_rolesanywhere_trust_anchor" "partners" {
  name = "partners"
  enabled = true
  source {
    source_type = "CERTIFICATE_BUNDLE"
    source_data {
      x509_certificate_data = "x"
    }
  }
}
resource "aws_rolesanywhere_profile" "web" {
  name = "web"
  role_arns = [aws_iam_role.app.arn]
  enabled = %s
  %s
}
"""
    for enabled, more, expected in (("true", "", "yes"), ("false", "", "no"), (
            "true", f"session_policy = jsonencode({json.dumps(S3)})", "no")):  # fmt: skip
        body = source % (json.dumps(document(trust())), json.dumps(document(ALL)), enabled, more)
        report = Report(json.dumps({"terraform_sources": {"main.tf": body}}).encode(), name="x",
                        options={"account": A, "region": R})  # fmt: skip
        every = privilege(estate_of(hcl.read(report)))
        assert [s.value for s in every if ":profile/" in s.resource] == [expected]
