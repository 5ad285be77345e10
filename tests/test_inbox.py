"""Risks, admission, grouping, order and explanation, on the smallest estates that decide them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from secinbox.inbox.fields import FINDING_FIELDS, FINDING_FREE_TEXT
from secinbox.inbox.query import QueryError, compile_query
from secinbox.risks.in_production import production_pattern
from secinbox.session import Session
from secinbox.settings import Settings
from secinbox.versions import best_fix, version_key
from tests.conftest import CLOCK, trivy, vulnerability

DIGEST = "sha256:" + "a" * 64


def asff(rule: str, resource: str, *, severity: str = "HIGH", tags: dict[str, str] | None = None):
    """A failed check of Security Hub on a resource."""
    return {
        "SchemaVersion": "2018-10-08", "Id": f"{rule}/{resource}",
        "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/securityhub",
        "ProductName": "Security Hub", "CompanyName": "AWS", "GeneratorId": rule,
        "AwsAccountId": "111122223333",
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "CreatedAt": "2026-11-01T00:00:00Z", "UpdatedAt": "2026-11-18T00:00:00Z",
        "Severity": {"Label": severity}, "Title": f"{rule} is wrong", "Description": "d",
        "Resources": [{"Type": "AwsEc2Instance", "Id": resource, "Region": "us-east-1",
                       "Tags": tags or {}}],
        "Compliance": {"Status": "FAILED", "SecurityControlId": rule}, "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE", "WorkflowState": "NEW",
    }  # fmt: skip


def instance(number: int) -> str:
    return f"arn:aws:ec2:us-east-1:111122223333:instance/i-{number:017x}"


def guardduty(resource_id: str, when: str = "2026-11-19T00:00:00Z", severity: float = 5.0):
    """A GuardDuty finding on an instance."""
    return {
        "Findings": [
            {
                "SchemaVersion": "2.0", "AccountId": "111122223333", "Region": "us-east-1",
                "Id": f"gd-{resource_id}-{when}", "Arn": "arn:aws:guardduty:us-east-1:1:detector/d/finding/f",
                "Type": "UnauthorizedAccess:EC2/SSHBruteForce", "Severity": severity,
                "CreatedAt": when, "UpdatedAt": when, "Title": "SSH brute force", "Description": "d",
                "Resource": {"ResourceType": "Instance",
                             "InstanceDetails": {"InstanceId": resource_id}},
                "Service": {"EventFirstSeen": when, "EventLastSeen": when, "Archived": False,
                            "Count": 1, "Action": {"ActionType": "NETWORK_CONNECTION"}},
            }
        ]
    }  # fmt: skip


def test_order_is_severity_then_risks_then_impact(session, put) -> None:
    prod = {"env": "prod"}
    put({"Findings": [
        asff("C.1", instance(1), severity="CRITICAL", tags=prod),
        asff("B.1", instance(2), tags=prod), asff("B.1", instance(3), tags=prod),
        asff("A.1", instance(4), tags=prod),
    ]})  # fmt: skip
    titles = [(i["title"], i["severity"], i["risk_count"], i["impacted_resources"])
              for i in session.issues()["issues"]]  # fmt: skip
    assert [t[1:] for t in titles] == [("critical", 1, 1), ("high", 1, 2), ("high", 1, 1)]
    put(guardduty(f"i-{4:017x}"), "signals/gd.json")  # one more risk beats more resources
    put({"Findings": [asff("Z.9", f"i-{4:017x}", severity="LOW")]}, "reports/alias.json")
    ordered = session.issues()["issues"]
    assert [i["rank"] for i in ordered] == list(range(1, len(ordered) + 1))


def test_a_signal_counts_for_fifteen_days_from_the_clock(tmp_path: Path) -> None:
    home = tmp_path / "home"
    arn = instance(1)
    with Session(home, CLOCK) as session:
        session.import_reports(
            ("r/a.json",), data=json.dumps({"Findings": [asff("A", arn)]}).encode()
        )
        event = guardduty(arn.rsplit("/", 1)[1], "2026-11-06T00:00:00Z")
        session.import_reports(("s/g.json",), data=json.dumps(event).encode())
        instances = {
            "Reservations": [{"OwnerId": "111122223333", "Instances": [
                {"InstanceId": arn.rsplit("/", 1)[1], "Placement": {"AvailabilityZone": "us-east-1a"},
                 "State": {"Name": "running"}, "Tags": [{"Key": "env", "Value": "dev"}]}]}]
        }  # fmt: skip
        name = "111122223333/us-east-1/ec2.describe_instances.json"
        session.import_reports((name,), data=json.dumps(instances).encode())
        risks = session.findings()["findings"][0]["risks"]
        assert risks["under_attack"]["value"] == "yes"
        assert risks["under_attack"]["evidence"][0]["kind"] == "signal"
        assert risks["in_production"]["value"] == "no"
    with Session(home, CLOCK.replace(day=25)) as later:
        risks = later.findings()["findings"][0]["risks"]
        assert risks["under_attack"]["value"] == "unknown"  # no sensor has reported since


def test_exploit_is_unknown_without_fresh_feeds_and_yes_with_evidence(session, put) -> None:
    put(trivy(vulnerability("CVE-2021-44228", "log4j")))
    exploit = session.findings()["findings"][0]["risks"]["exploit_available"]
    assert exploit["value"] == "unknown"
    assert "cisa_kev is missing" in exploit["evidence"][0]["text"]
    kev = {"title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2026.11.19",
           "dateReleased": "2026-11-19T00:00:00Z", "count": 1, "vulnerabilities": [
               {"cveID": "CVE-2021-44228", "vendorProject": "Apache", "product": "Log4j2",
                "vulnerabilityName": "Log4Shell", "dateAdded": "2021-12-10",
                "shortDescription": "s", "requiredAction": "r", "dueDate": "2021-12-24",
                "knownRansomwareCampaignUse": "Known"}]}  # fmt: skip
    put(kev, "intel/kev.json")
    exploit = session.findings()["findings"][0]["risks"]["exploit_available"]
    assert exploit["value"] == "yes"
    assert exploit["evidence"][0]["maturity"] == "active"
    put(trivy(vulnerability("CVE-2024-1111", "zlib")), "reports/two.json")
    other = session.findings("vulnerability:CVE-2024-1111")["findings"][0]
    assert other["risks"]["exploit_available"]["value"] == "unknown"


def test_risks_are_those_of_one_place_not_a_union_over_places(session, put) -> None:
    """An image that runs public in dev and private in production is not a public production one."""
    deployments = [
        {"kind": "Deployment", "apiVersion": "apps/v1",
         "metadata": {"name": name, "namespace": "shop", "labels": {"env": env, "app": name}},
         "spec": {"template": {"spec": {"containers": [
             {"name": "c", "image": "registry.test/shop/api@" + DIGEST}]}}}}
        for name, env in (("api-dev", "dev"), ("api-live", "prod"))
    ]  # fmt: skip
    put({"kind": "List", "apiVersion": "v1", "items": deployments}, "k8s/all.json", cluster="c1")
    put(trivy(vulnerability()))
    event = {"uuid": "1", "output": "o", "priority": "Warning", "rule": "Shell",
             "time": "2026-11-20T08:00:00Z", "source": "syscall",
             "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "api-dev-1"}}  # fmt: skip
    pod = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": "api-dev-1",
            "namespace": "shop",
            "ownerReferences": [
                {
                    "kind": "ReplicaSet",
                    "name": "api-dev-7",
                    "apiVersion": "apps/v1",
                    "uid": "u",
                    "controller": True,
                }
            ],
        },
        "spec": {"containers": [{"name": "c", "image": "registry.test/shop/api@" + DIGEST}]},
    }
    replica = {"kind": "ReplicaSet", "apiVersion": "apps/v1",
               "metadata": {"name": "api-dev-7", "namespace": "shop", "ownerReferences": [
                   {"kind": "Deployment", "name": "api-dev", "apiVersion": "apps/v1", "uid": "v",
                    "controller": True}]}}  # fmt: skip
    put(
        {"kind": "List", "apiVersion": "v1", "items": [pod, replica]}, "k8s/pods.json", cluster="c1"
    )
    put(event, "signals/falco.json")
    finding = session.findings("type:container_image_vulnerability")["findings"][0]
    values = {n: v["value"] for n, v in finding["risks"].items()}
    assert (values["under_attack"], values["in_production"]) in (("yes", "no"), ("no", "yes"))
    # The default rule needs critical and under attack (or public ...): the dev place lets it in.
    assert finding["in_inbox"] and values["under_attack"] == "yes"


def test_library_rule_needs_production_and_attack_together(session, put) -> None:
    put(trivy(vulnerability("CVE-2024-0007", "lodash"), cls="lang-pkgs"))
    finding = session.findings("type:library_vulnerability")["findings"][0]
    assert not finding["in_inbox"]
    assert "risk.in_production:yes" in finding["why_not"]
    assert "risk.under_attack:yes" in finding["why_not"]


def test_one_upgrade_is_one_issue_with_the_version_that_closes_all(session, put) -> None:
    put({"kind": "List", "apiVersion": "v1", "items": [
        {"kind": "Deployment", "apiVersion": "apps/v1",
         "metadata": {"name": "api", "namespace": "shop", "labels": {"env": "prod", "app": "api"}},
         "spec": {"template": {"spec": {"containers": [
             {"name": "c", "image": "registry.test/shop/api@" + DIGEST}]}}}}]},
        "k8s/all.json", cluster="c1")  # fmt: skip
    put({"uuid": "1", "output": "o", "priority": "Warning", "rule": "Shell",
         "time": "2026-11-20T08:00:00Z", "source": "syscall",
         "output_fields": {"container.image.repository": "registry.test/shop/api",
                           "container.image.tag": "1", "k8s.ns.name": "shop"}}, "s/f.json")  # fmt: skip
    put(trivy(vulnerability("CVE-2024-0001", fixed="3.0.9"), vulnerability("CVE-2024-0002", fixed="3.0.15"),
              vulnerability("CVE-2024-0003", fixed="3.0.2, 3.1.0")))  # fmt: skip
    put({"title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "1",
         "dateReleased": "2026-11-19T00:00:00Z", "count": 3, "vulnerabilities": [
             {"cveID": f"CVE-2024-000{n}", "dateAdded": "2026-11-01", "vendorProject": "x",
              "product": "y", "vulnerabilityName": "z", "shortDescription": "s",
              "requiredAction": "a", "dueDate": "2026-11-22"} for n in (1, 2, 3)]}, "i/kev.json")  # fmt: skip
    found = [i for i in session.issues()["issues"] if i["package"] == "openssl"]
    assert len(found) == 1
    assert found[0]["findings"] == 3
    assert found[0]["title"].startswith("Upgrade openssl to 3.0.15 in ")
    shown = session.show(found[0]["id"][:8])
    assert shown["closes"]["vulnerabilities"] == 3
    assert shown["fix"]["version"] == "3.0.15"
    assert shown["resources"] == ["k8s://c1/shop/deployment/api"]
    assert {a["tool"] for f in shown["details"] for a in f["attributions"]} == {"trivy"}


def test_why_answers_for_issue_finding_resource_and_says_what_is_missing(session, put) -> None:
    put({"Findings": [asff("A.1", instance(1), tags={"env": "prod"}), asff("A.2", instance(2))]})
    issue = session.issues()["issues"][0]
    why = session.why(issue["id"])
    assert why["kind"] == "issue" and why["why"]["admitted_by"] == "misconfiguration_default_rule"
    out = session.findings("in_inbox:no")["findings"][0]
    told = session.why(out["id"])
    assert told["kind"] == "finding" and "risk_count:>=1" in told["why_not"]
    resource = session.why(instance(2))
    assert resource["kind"] == "resource" and resource["not_in_inbox"]


def test_ranks_have_no_ties_and_every_page_continues_the_last(session, put) -> None:
    put({"Findings": [asff(f"R.{n}", instance(1), tags={"env": "prod"}) for n in range(23)]})
    seen, cursor = [], ""
    while True:
        page = session.issues(limit=5, cursor=cursor)
        seen += [(i["rank"], i["id"]) for i in page["issues"]]
        cursor = page["next"]
        if not cursor:
            break
    assert [r for r, _ in seen] == list(range(1, 24))
    assert len({i for _, i in seen}) == 23


@pytest.mark.parametrize(
    ("word", "production"),
    [("prod", True), ("production", True), ("prod-eu", True), ("eu-prod", True), ("live", True),
     ("prd", True), ("prod_1", True), ("nonprod", False), ("non-prod", False), ("preprod", False),
     ("pre-prod", False), ("dev", False), ("staging", False), ("product", False),
     ("reproduction", False), ("no-prod", False), ("delivery", False)],
)  # fmt: skip
def test_production_words(word: str, production: bool) -> None:
    import re

    pattern = production_pattern(Settings().production_values)
    assert bool(re.match(pattern, word)) is production


@pytest.mark.parametrize(
    ("lower", "higher"),
    [("1.9", "1.10"), ("2.0.0-rc1", "2.0.0"), ("2.0", "2.0.1"), ("1.2.3", "1:0.1"),
     ("1.0~beta", "1.0"), ("v1.2.3", "v1.2.4"), ("2.14.1", "2.15.0"), ("1.1.1k", "1.1.2")],
)  # fmt: skip
def test_versions_sort_as_people_expect(lower: str, higher: str) -> None:
    assert version_key(lower) < version_key(higher)


def test_best_fix_is_the_smallest_above_the_installed() -> None:
    assert best_fix("2.13.0", "2.3.1, 2.12.2, 2.15.0")[0] == "2.15.0"
    assert best_fix("2.3.0", "2.3.1, 2.12.2, 2.15.0")[0] == "2.3.1"
    assert best_fix("1.0", "")[0] == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [("sevrity:high", "severity"), ("severity:urgent", "critical"), ("epss:abc", "number"),
     ("(a", "brackets"), ("risk.public:maybe", "unknown"), ("first_seen:tuesday", "date"),
     ("title:/a.*b/", "regular expressions"), ("x" * 5000, "4000")],
)  # fmt: skip
def test_a_wrong_query_names_what_is_allowed(text: str, told: str) -> None:
    with pytest.raises(QueryError) as error:
        compile_query(text, FINDING_FIELDS, FINDING_FREE_TEXT, CLOCK)
    assert told in str(error.value)


def test_query_values_are_data_never_sql(session, put) -> None:
    put({"Findings": [asff("A.1", instance(1), tags={"env": "prod"})]})
    for hostile in ("x' OR 1=1 --", 'title:"\'; DROP TABLE findings; --"', "title:*%_*"):
        with contextlib.suppress(QueryError):
            assert session.findings(hostile)["total"] == 0
    assert session.findings()["total"] == 1


def test_vex_of_the_owner_takes_a_finding_out_with_its_statement(session, put) -> None:
    put(trivy(vulnerability(), vulnerability("CVE-2024-0002", "zlib")))
    put({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://x.test/1", "author": "us",
         "timestamp": "2026-11-19T12:00:00Z", "version": 1, "statements": [
             {"vulnerability": {"name": "CVE-2024-0001"}, "status": "not_affected",
              "justification": "vulnerable_code_not_in_execute_path",
              "products": [{"@id": "pkg:deb/debian/openssl@3.0.1"}]}]}, "vex/one.json")  # fmt: skip
    open_ = {f["vulnerability"] for f in session.findings()["findings"]}
    assert open_ == {"CVE-2024-0002"}
    gone = session.findings("status:not_affected")["findings"][0]
    assert gone["why_not"] == "the finding is not_affected"


def test_decisions_outlive_reimport_and_rebuild(session, put) -> None:
    put({"Findings": [asff("A.1", instance(1), tags={"env": "prod"}),
                      asff("A.2", instance(1), tags={"env": "prod"})]})  # fmt: skip
    first = session.issues()["issues"][0]["id"]
    session.decide(
        {"action": "mute", "issues": [first], "reason": "risk_accepted", "text": "known"}, "ann"
    )
    assert first not in {i["id"] for i in session.issues()["issues"]}
    session.rebuild()
    assert first not in {i["id"] for i in session.issues()["issues"]}
    assert [i["id"] for i in session.issues("status:muted")["issues"]] == [first]
    assert session.show(first)["timeline"][0]["actor"] == "ann"
