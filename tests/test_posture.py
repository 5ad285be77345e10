"""Own findings: for each rule the smallest estate that must match, and one condition flipped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from secinbox.session import Session
from tests.conftest import CLOCK

A, B = "111122223333", "444455556666"
R = "eu-west-1"
ROOT_ARN = f"arn:aws:iam::{A}:root"
Rows = list[dict[str, Any]]


class Home:
    """An inventory written down a call at a time, in the folders of a collector, then imported."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session = session
        self.folder = folder
        self._calls: dict[str, dict[str, Any]] = {}

    def put(
        self,
        operation: str,
        answer: Any,
        request: dict[str, Any] | None = None,
        where: str = "",
    ) -> Home:
        services = ("iam", "s3", "s3control")
        place = where or ("global" if operation.startswith(services) else R)
        name = f"{A}/{place}/{operation}.{'json' if request is None else 'jsonl'}"
        document = answer if request is None else {"request": request, "response": answer}
        self._calls.setdefault(name, {})[json.dumps(request)] = document
        return self

    def objects(self, *objects: dict[str, Any]) -> Home:
        """A whole cluster, as `kubectl get -A -o json` prints it."""
        self._calls["cluster/all.json"] = {"": {"kind": "List", "apiVersion": "v1",
                                                "items": list(objects)}}  # fmt: skip
        return self

    def _import(self) -> None:
        for name, documents in self._calls.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(json.dumps(d) for d in documents.values()))
        if self._calls:
            done = self.session.import_reports((str(self.folder),))["files"]
            assert {f["status"] for f in done} == {"imported"}, done

    def iam(self, *, users: Rows | None = None, roles: Rows | None = None,
            groups: Rows | None = None) -> Home:  # fmt: skip
        return self.put("iam.get_account_authorization_details",
                        {"UserDetailList": users or [], "RoleDetailList": roles or [],
                         "GroupDetailList": groups or [], "Policies": []})  # fmt: skip

    def report(self, **row: str) -> Home:
        base = {"user": "ana", "arn": f"arn:aws:iam::{A}:user/ana",
                "user_creation_time": "2026-11-01T00:00:00+00:00", "password_enabled": "false",
                "password_last_used": "N/A", "password_last_changed": "N/A", "mfa_active": "false",
                "access_key_1_active": "false", "access_key_1_last_rotated": "N/A",
                "access_key_1_last_used_date": "N/A", "access_key_2_active": "false",
                "access_key_2_last_rotated": "N/A", "access_key_2_last_used_date": "N/A"} | row  # fmt: skip
        text = f"{','.join(base)}\n{','.join(base.values())}\n"
        return self.put("iam.get_credential_report", {"Content": text, "ReportFormat": "text/csv"})

    def rules(self) -> set[str]:
        return {f["rule"] for f in self.found()}

    def found(self) -> Rows:
        self._import()
        return [f for f in self.session.findings("", limit=1000)["findings"]
                if "secinbox" in {a["tool"] for a in f["attributions"]}]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Session(tmp_path / "home", CLOCK) as opened:
        yield Home(opened, tmp_path / "inventory")


def user(name: str = "ana", *statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Path": "/", "UserName": name, "UserId": f"AIDA{name.upper():0<16}",
            "Arn": f"arn:aws:iam::{A}:user/{name}", "GroupList": [],
            "AttachedManagedPolicies": [], "UserPolicyList": _inline(statements), **more}  # fmt: skip


def role(
    name: str, trust: dict[str, Any], *statements: dict[str, Any], **more: Any
) -> dict[str, Any]:
    return {"Path": "/", "RoleName": name, "RoleId": f"AROA{name.upper():0<16}",
            "Arn": f"arn:aws:iam::{A}:role/{name}", "CreateDate": "2026-11-01T00:00:00Z",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "InstanceProfileList": [], "AttachedManagedPolicies": [],
            "RolePolicyList": _inline(statements), **more}  # fmt: skip


def _inline(statements: tuple[dict[str, Any], ...]) -> Rows:
    return [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17",
                                                   "Statement": list(statements)}}]  # fmt: skip


def trust(kind: str, value: str, **condition: Any) -> dict[str, Any]:
    action = "sts:AssumeRoleWithWebIdentity" if kind == "Federated" else "sts:AssumeRole"
    found: dict[str, Any] = {"Effect": "Allow", "Principal": {kind: value}, "Action": action}
    return found | ({"Condition": condition} if condition else {})


ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NONE = {"Effect": "Deny", "Action": "*", "Resource": "*"}
LAMBDA = trust("Service", "lambda.amazonaws.com")
ACCOUNT = trust("AWS", ROOT_ARN)
GITHUB = f"arn:aws:iam::{A}:oidc-provider/token.actions.githubusercontent.com"
SUB = "token.actions.githubusercontent.com:sub"
EDITS = {"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}


# Administrators and escalation


def test_a_user_with_everything_is_an_administrator(home: Home) -> None:
    home.iam(users=[user("ana", ALL)])
    (found,) = home.found()
    assert found["rule"] == "secinbox-iam-user-administrator"
    assert found["type"] == "identity_risk"
    assert found["severity"] == "medium"
    assert "Allow * on *" in found["description"]
    assert found["remediation"]
    assert found["first_seen"].startswith("2026-11-20")


def test_a_deny_makes_no_administrator(home: Home) -> None:
    assert home.iam(users=[user("ana", ALL, NONE)]).rules() == set()


def test_a_workload_that_is_administrator_is_likelier_lost(home: Home) -> None:
    home.iam(roles=[role("fn", LAMBDA, ALL)])
    (found,) = home.found()
    assert (found["rule"], found["severity"]) == ("secinbox-iam-workload-administrator", "high")


def test_somebody_of_the_account_must_be_administrator(home: Home) -> None:
    assert home.iam(roles=[role("admin", ACCOUNT, ALL)]).rules() == set()


def test_roles_of_the_identity_center_are_nobodys_mistake(home: Home) -> None:
    home.iam(roles=[role("sso", LAMBDA, ALL, Path="/aws-reserved/sso.amazonaws.com/")])
    assert home.rules() == set()


def test_a_group_of_administrators(home: Home) -> None:
    group = {"Path": "/", "GroupName": "ops", "GroupId": "AGPAOPS0000000000000",
             "Arn": f"arn:aws:iam::{A}:group/ops", "AttachedManagedPolicies": [],
             "GroupPolicyList": _inline((ALL,))}  # fmt: skip
    assert home.iam(groups=[group]).rules() == {"secinbox-iam-group-administrator"}


def test_a_way_to_administrator_shows_its_steps(home: Home) -> None:
    home.iam(users=[user("ana", EDITS)])
    (found,) = home.found()
    assert found["rule"] == "secinbox-iam-escalation"
    assert "user/ana" in found["description"]
    assert "Statement: Allow iam:PutUserPolicy" in found["description"] or (
        "iam:putuserpolicy" in found["description"]
    )


def test_the_same_on_somebody_else_leads_nowhere(home: Home) -> None:
    elsewhere = {**EDITS, "Resource": f"arn:aws:iam::{A}:user/bob"}
    assert home.iam(users=[user("ana", elsewhere)]).rules() == set()


# Trusts


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        (trust("AWS", "*"), "secinbox-iam-role-public"),
        (trust("AWS", "*", StringEquals={"aws:PrincipalOrgID": "o-1"}), ""),
        (trust("AWS", "*", StringEquals={"sts:ExternalId": "s3cret"}), ""),
        (trust("Federated", GITHUB, StringLike={SUB: "repo:*"}), "secinbox-iam-role-any-workload"),
        (trust("Federated", GITHUB, StringLike={SUB: "repo:harborline/*"}), ""),
        (trust("Federated", GITHUB), "secinbox-iam-role-any-workload"),
        (trust("AWS", f"arn:aws:iam::{B}:root"), "secinbox-iam-role-foreign-account"),
        (trust("AWS", B), "secinbox-iam-role-foreign-account"),
        (trust("AWS", f"arn:aws:iam::{A}:role/x"), ""),
        (trust("AWS", B, StringEquals={"sts:ExternalId": "x"}), ""),
        (trust("AWS", B, StringEquals={"aws:PrincipalOrgID": "o-1"}), ""),
        (trust("Service", "ec2.amazonaws.com"), ""),
    ],
)
def test_who_is_trusted(home: Home, statement: dict[str, Any], rule: str) -> None:
    home.iam(roles=[role("r", statement)])
    assert home.rules() == ({rule} if rule else set())


def test_an_account_of_the_organisation_is_no_stranger(home: Home) -> None:
    home.iam(roles=[role("r", trust("AWS", B))])
    home.put("organizations.list_accounts", {"Accounts": [{"Id": B, "JoinedMethod": "CREATED"}]},
             where="global")  # fmt: skip
    assert home.rules() == set()


def test_what_is_lost_with_the_role_decides(home: Home) -> None:
    home.iam(roles=[role("r", trust("AWS", "*"), ALL)])
    assert {f["severity"] for f in home.found()} == {"critical"}


# Credentials


OLD = {"access_key_1_active": "true", "access_key_1_last_rotated": "2026-08-01T00:00:00+00:00",
       "access_key_1_last_used_date": "2026-11-19T00:00:00+00:00"}  # fmt: skip
FRESH = {**OLD, "access_key_1_last_rotated": "2026-11-01T00:00:00+00:00"}
SECOND = {"access_key_2_active": "true", "access_key_2_last_rotated": "2026-11-02T00:00:00+00:00",
          "access_key_2_last_used_date": "2026-11-19T00:00:00+00:00"}  # fmt: skip
PASSWORD = {"password_enabled": "true", "password_last_used": "2026-11-19T00:00:00+00:00",
            "password_last_changed": "2026-01-01T00:00:00+00:00"}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        (PASSWORD, {"secinbox-iam-user-no-mfa"}),
        ({**PASSWORD, "mfa_active": "true"}, set()),
        ({**PASSWORD, "password_enabled": "false"}, set()),
        (OLD, {"secinbox-iam-key-old"}),
        (FRESH, set()),
        ({**OLD, "access_key_1_active": "false"}, set()),
        ({**FRESH, **SECOND}, {"secinbox-iam-two-keys"}),
        ({**FRESH, **SECOND, "access_key_2_active": "false"}, set()),
        ({**OLD, "access_key_1_last_used_date": "N/A"},
         {"secinbox-iam-key-old", "secinbox-iam-key-unused"}),
        ({**FRESH, "access_key_1_last_used_date": "N/A"}, set()),
        ({**PASSWORD, "mfa_active": "true", "password_last_used": "2026-02-01T00:00:00+00:00"},
         {"secinbox-iam-password-unused"}),
        ({**PASSWORD, "mfa_active": "true", "password_last_used": "no_information"},
         {"secinbox-iam-password-unused"}),
    ],
)  # fmt: skip
def test_credentials_of_a_user(home: Home, row: dict[str, str], rules: set[str]) -> None:
    assert home.iam(users=[user()]).report(**row).rules() == rules


def test_no_mfa_on_the_powerful_is_worse(home: Home) -> None:
    home.iam(users=[user("ana", ALL)]).report(**PASSWORD)
    severities = {f["rule"]: f["severity"] for f in home.found()}
    assert severities["secinbox-iam-user-no-mfa"] == "high"


def test_whether_there_is_a_device_was_not_asked(home: Home) -> None:
    home.iam(users=[user()]).put("iam.get_login_profile", {"LoginProfile": {"UserName": "ana"}},
                                 {"UserName": "ana"})  # fmt: skip
    assert home.rules() == set()
    home.put("iam.list_mfa_devices", {"MFADevices": []}, {"UserName": "ana"})
    assert home.rules() == {"secinbox-iam-user-no-mfa"}


ROOT_ROW = {"user": "<root_account>", "arn": ROOT_ARN, "password_enabled": "not_supported",
            "mfa_active": "true"}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        (ROOT_ROW, set()),
        ({**ROOT_ROW, "mfa_active": "false"}, {"secinbox-root-no-mfa"}),
        ({**ROOT_ROW, "mfa_active": "false", "password_enabled": "false"}, set()),
        ({**ROOT_ROW, "access_key_1_active": "true"}, {"secinbox-root-key"}),
    ],
)
def test_root(home: Home, row: dict[str, str], rules: set[str]) -> None:
    home.report(**row)
    assert home.rules() == rules
    assert {f["severity"] for f in home.found()} <= {"high"}


def test_root_by_the_summary_of_the_account(home: Home) -> None:
    home.put("iam.get_account_summary", {"SummaryMap": {"AccountMFAEnabled": 0,
                                                        "AccountAccessKeysPresent": 1}})  # fmt: skip
    assert home.rules() == {"secinbox-root-no-mfa", "secinbox-root-key"}


# Unused


@pytest.mark.parametrize(
    ("more", "rules"),
    [
        ({"RoleLastUsed": {"LastUsedDate": "2026-03-01T00:00:00Z"}}, {"secinbox-iam-role-unused"}),
        ({"RoleLastUsed": {"LastUsedDate": "2026-11-01T00:00:00Z"}}, set()),
        ({"RoleLastUsed": {}, "CreateDate": "2026-01-01T00:00:00Z"}, {"secinbox-iam-role-unused"}),
        ({"RoleLastUsed": {}}, set()),
        ({"CreateDate": "2026-01-01T00:00:00Z"}, set()),  # nobody said when it was used
    ],
)
def test_roles_that_nobody_uses(home: Home, more: dict[str, Any], rules: set[str]) -> None:
    assert home.iam(roles=[role("r", ACCOUNT, **more)]).rules() == rules


@pytest.mark.parametrize(("used", "total", "rules"), [
    (2, 20, {"secinbox-iam-permissions-unused"}), (10, 20, set()), (0, 20, set()), (1, 5, set()),
])  # fmt: skip
def test_the_gap_between_granted_and_used(
    home: Home, used: int, total: int, rules: set[str]
) -> None:
    services = [{"ServiceNamespace": f"s{i}", "ServiceName": "S"} for i in range(total)]
    for service in services[:used]:
        service["LastAuthenticated"] = "2026-11-01T00:00:00Z"
    home.iam(roles=[role("r", ACCOUNT)])
    home.put("iam.get_service_last_accessed_details",
             {"JobStatus": "COMPLETED", "ServicesLastAccessed": services},
             {"JobId": "1", "Arn": f"arn:aws:iam::{A}:role/r"})  # fmt: skip
    assert home.rules() == rules


# Open to anyone: the statement is that of the risk, whose own flips are tested with it


def _policy(action: str, resource: str, **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _bucket(home: Home, policy: str = "", acl: tuple[str, ...] = (), block: bool = False) -> Home:
    home.put("s3.list_buckets", {"Buckets": [{"Name": "b", "CreationDate": "2026-01-01"}]})
    asked = {"Bucket": "b"}
    home.put("s3.get_bucket_policy", {"Policy": policy} if policy else
             {"Error": "NoSuchBucketPolicy"}, asked)  # fmt: skip
    everyone = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    home.put("s3.get_bucket_acl", {"Owner": {}, "Grants": [
        {"Grantee": everyone, "Permission": p} for p in acl]}, asked)  # fmt: skip
    home.put("s3.get_bucket_ownership_controls", {"Error": "OwnershipControlsNotFoundError"}, asked)
    settings = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                              "RestrictPublicBuckets"), block)  # fmt: skip
    home.put("s3.get_public_access_block", {"PublicAccessBlockConfiguration": settings}, asked)
    home.put("s3control.get_public_access_block", {"Error": "NoSuchPublicAccessBlockConfiguration"},
             {"AccountId": A})  # fmt: skip
    return home


@pytest.mark.parametrize(
    ("policy", "acl", "rules"),
    [
        (_policy("s3:GetObject", "arn:aws:s3:::b/*"), (), {"secinbox-s3-public-read"}),
        (_policy("s3:PutObject", "arn:aws:s3:::b/*"), (), {"secinbox-s3-public-write"}),
        (_policy("s3:ListBucket", "arn:aws:s3:::b"), (), {"secinbox-s3-public-list"}),
        (_policy("s3:GetObject", "arn:aws:s3:::b/*",
                 StringEquals={"aws:PrincipalOrgID": "o-1"}), (), set()),
        ("", ("READ",), {"secinbox-s3-public-list"}),
        ("", ("WRITE",), {"secinbox-s3-public-write"}),
        ("", ("FULL_CONTROL",), {"secinbox-s3-public-write", "secinbox-s3-public-list"}),
        ("", (), set()),
    ],
)  # fmt: skip
def test_what_anyone_can_do_with_a_bucket(
    home: Home, policy: str, acl: tuple[str, ...], rules: set[str]
) -> None:
    assert _bucket(home, policy, acl).rules() == rules


def test_a_blocked_bucket_is_no_finding(home: Home) -> None:
    _bucket(home, _policy("s3:GetObject", "arn:aws:s3:::b/*"), ("READ",), block=True)
    assert home.rules() == set()


def test_restricted_data_raises_a_bucket(home: Home) -> None:
    _bucket(home, _policy("s3:GetObject", "arn:aws:s3:::b/*"))
    assert {f["severity"] for f in home.found()} == {"high"}
    home.put("s3.get_bucket_tagging", {"TagSet": [{"Key": "data-classification",
                                                   "Value": "restricted"}]}, {"Bucket": "b"})  # fmt: skip
    assert {f["severity"] for f in home.found()} == {"critical"}


def test_a_shared_snapshot(home: Home) -> None:
    home.put("ec2.describe_snapshots", {"Snapshots": [{"SnapshotId": "snap-1", "VolumeId": "vol-1",
                                                       "OwnerId": A}]})  # fmt: skip
    shared = {"SnapshotId": "snap-1", "CreateVolumePermissions": [{"UserId": B}]}
    home.put("ec2.describe_snapshot_attribute", shared, {"SnapshotId": "snap-1"})
    assert home.rules() == set()
    shared["CreateVolumePermissions"] = [{"Group": "all"}]
    home.put("ec2.describe_snapshot_attribute", shared, {"SnapshotId": "snap-1"})
    assert home.rules() == {"secinbox-ebs-snapshot-public"}


def _instance(home: Home, *, port: int = 22, cidr: str = "0.0.0.0/0", address: bool = True) -> Home:
    interface: dict[str, Any] = {"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1",
                                 "Groups": [{"GroupId": "sg-1"}], "PrivateIpAddress": "10.0.0.5"}  # fmt: skip
    if address:
        interface["Association"] = {"PublicIp": "198.51.100.7"}
    home.put("ec2.describe_instances", {"Reservations": [{"OwnerId": A, "Instances": [
        {"InstanceId": "i-1", "State": {"Name": "running"}, "SubnetId": "subnet-1",
         "VpcId": "vpc-1", "SecurityGroups": [{"GroupId": "sg-1"}],
         "NetworkInterfaces": [interface]}]}]})  # fmt: skip
    home.put("ec2.describe_subnets", {"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1",
                                                   "OwnerId": A}]})  # fmt: skip
    home.put("ec2.describe_route_tables", {"RouteTables": [
        {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "OwnerId": A, "Associations": [{"Main": True}],
         "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1",
                     "State": "active"}]}]})  # fmt: skip
    rule = {"RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0", "RuleNumber": 100}
    home.put("ec2.describe_network_acls", {"NetworkAcls": [
        {"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True, "OwnerId": A,
         "Entries": [{**rule, "Egress": False}, {**rule, "Egress": True}]}]})  # fmt: skip
    return home.put("ec2.describe_security_groups", {"SecurityGroups": [
        {"GroupId": "sg-1", "GroupName": "g", "VpcId": "vpc-1", "OwnerId": A, "IpPermissions": [
            {"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
             "IpRanges": [{"CidrIp": cidr}]}]}]})  # fmt: skip


def test_a_sensitive_port_that_is_in_use(home: Home) -> None:
    _instance(home)
    (found,) = home.found()
    assert (found["rule"], found["severity"]) == ("secinbox-port-ssh", "high")
    assert "security-group/sg-1" in found["resource"]
    assert "i-1" in found["description"]


@pytest.mark.parametrize("change", [{"port": 443}, {"cidr": "203.0.113.0/24"}, {"address": False}])
def test_a_port_that_is_closed_harmless_or_leads_nowhere(
    home: Home, change: dict[str, Any]
) -> None:
    assert _instance(home, **change).rules() == set()


def test_every_port_is_one_finding(home: Home) -> None:
    _instance(home)
    group = {"GroupId": "sg-1", "GroupName": "g", "VpcId": "vpc-1", "OwnerId": A,
             "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}  # fmt: skip
    home.put("ec2.describe_security_groups", {"SecurityGroups": [group]})
    assert home.rules() == {"secinbox-ports-all"}


# Clusters


def _object(kind: str, name: str, namespace: str = "", **body: Any) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io/v1" if "Role" in kind else "v1"
    place = {"namespace": namespace} if namespace else {}
    labels = body.pop("labels", {})
    return {"apiVersion": group, "kind": kind,
            "metadata": {"name": name, "labels": labels, **place}, **body}  # fmt: skip


def _bound(role: str, *subjects: dict[str, str], **more: Any) -> dict[str, Any]:
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return _object("ClusterRoleBinding", "b", roleRef=ref, subjects=list(subjects), **more)


def _cluster_role(name: str, resource: str, *verbs: str) -> dict[str, Any]:
    everything = resource == "*"
    return _object("ClusterRole", name, rules=[
        {"apiGroups": ["*" if everything else ""], "resources": [resource],
         "verbs": list(verbs)}])  # fmt: skip


ACCOUNT_OF = {"kind": "ServiceAccount", "name": "app", "namespace": "shop"}
APP = _object("ServiceAccount", "app", "shop")
DEFAULTS = {"labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}


@pytest.mark.parametrize(
    ("objects", "rules"),
    [
        ([APP, _cluster_role("all", "*", "*"), _bound("all", ACCOUNT_OF)],
         {"secinbox-k8s-administrator"}),
        ([APP, _cluster_role("all", "*", "*"), _bound("all", ACCOUNT_OF, **DEFAULTS)], set()),
        ([APP, _cluster_role("see", "pods", "get"), _bound("see", ACCOUNT_OF)], set()),
        ([APP, _cluster_role("run", "pods", "create"), _bound("run", ACCOUNT_OF)],
         {"secinbox-k8s-escalation"}),
        ([_cluster_role("see", "pods", "get"),
          _bound("see", {"kind": "User", "name": "system:anonymous"})],
         {"secinbox-k8s-anonymous"}),
        ([_cluster_role("see", "pods", "get"),
          _bound("see", {"kind": "Group", "name": "system:authenticated"})], set()),
        ([_cluster_role("all", "*", "*"),
          _bound("all", {"kind": "Group", "name": "system:authenticated"})],
         {"secinbox-k8s-authenticated"}),
        # A role of which nobody read the rules is judged by its name.
        ([_bound("admin", {"kind": "Group", "name": "system:authenticated"})],
         {"secinbox-k8s-authenticated"}),
        ([_bound("system:public-info-viewer", {"kind": "Group", "name": "system:unauthenticated"})],
         set()),
    ],
)  # fmt: skip
def test_who_has_power_in_a_cluster(home: Home, objects: Rows, rules: set[str]) -> None:
    assert home.objects(*objects).rules() == rules


def test_strangers_with_everything_are_the_worst(home: Home) -> None:
    home.objects(_cluster_role("all", "*", "*"),
                 _bound("all", {"kind": "Group", "name": "system:unauthenticated"}))  # fmt: skip
    assert {f["severity"] for f in home.found()} == {"critical"}


# Merging, closing, history


PROWLER = """AUTH_METHOD;TIMESTAMP;ACCOUNT_UID;FINDING_UID;PROVIDER;CHECK_ID;CHECK_TITLE;STATUS;\
STATUS_EXTENDED;SERVICE_NAME;SEVERITY;RESOURCE_TYPE;RESOURCE_UID;RESOURCE_NAME;REGION
;2026-11-20 10:00:00;{account};one;aws;{check};{check};FAIL;it is so;x;{severity};{kind};{uid};x;{region}
"""


@pytest.mark.parametrize(
    ("prepare", "check", "kind", "uid"),
    [
        (lambda h: _bucket(h, _policy("s3:GetObject", "arn:aws:s3:::b/*")),
         "s3_bucket_public_access", "AwsS3Bucket", "arn:aws:s3:::b"),
        (lambda h: h.iam(users=[user()]).report(**PASSWORD), "iam_user_mfa_enabled_console_access",
         "AwsIamUser", f"arn:aws:iam::{A}:user/ana"),
        (lambda h: h.report(**ROOT_ROW | {"mfa_active": "false"}), "iam_root_mfa_enabled",
         "AwsIamUser", ROOT_ARN),
        (lambda h: _instance(h), "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22",
         "AwsEc2SecurityGroup", f"arn:aws:ec2:{R}:{A}:security-group/sg-1"),
    ],
)  # fmt: skip
def test_the_same_statement_of_prowler_is_one_finding(
    home: Home, prepare: Callable[[Home], Home], check: str, kind: str, uid: str
) -> None:
    prepare(home).found()
    for severity in ("low", "critical"):
        text = PROWLER.format(
            account=A, check=check, kind=kind, uid=uid, severity=severity, region=R
        )
        home.session.import_reports((f"prowler-{severity}.csv",), data=text.encode())
        found = home.session.findings(f'resource:"{uid}"', limit=100)["findings"]
        (merged,) = [f for f in found if {"prowler", "secinbox"}
                     <= {a["tool"] for a in f["attributions"]}]  # fmt: skip
        assert not [f for f in found if f["rule"] == check and f["id"] != merged["id"]]


def test_a_control_of_security_hub_is_the_same_statement(home: Home) -> None:
    home.report(**ROOT_ROW | {"mfa_active": "false"})
    event = {"SchemaVersion": "2018-10-08", "Id": "x", "AwsAccountId": A, "Region": R,
             "ProductArn": f"arn:aws:securityhub:{R}::product/aws/securityhub",
             "GeneratorId": "security-control/IAM.9", "Title": "Root has MFA", "Description": "d",
             "ProductName": "Security Hub", "CompanyName": "AWS",
             "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
             "CreatedAt": "2026-11-20T00:00:00Z", "UpdatedAt": "2026-11-20T00:00:00Z",
             "Severity": {"Label": "CRITICAL"}, "RecordState": "ACTIVE",
             "Compliance": {"Status": "FAILED", "SecurityControlId": "IAM.9"},
             "Resources": [{"Type": "AwsAccount", "Id": f"AWS::::Account:{A}"}]}  # fmt: skip
    home.found()
    home.session.import_reports(("hub.json",), data=json.dumps({"Findings": [event]}).encode())
    (found,) = home.found()
    assert {a["tool"] for a in found["attributions"]} == {"aws-security-hub", "secinbox"}
    assert found["severity"] == "critical"


def test_what_is_mended_is_fixed(home: Home) -> None:
    home.iam(users=[user()]).report(**PASSWORD)
    assert home.rules() == {"secinbox-iam-user-no-mfa"}
    home.report(**PASSWORD, mfa_active="true")
    assert home.found() == []
    assert [f["rule"] for f in home.session.findings("status:fixed")["findings"]] == [
        "secinbox-iam-user-no-mfa"
    ]


def test_the_lab_is_judged_soberly(shared: Path, tmp_path: Path) -> None:
    """A real inventory of two accounts: every exposed or powerful thing once, no look-alike."""
    lab, truth = shared / "lab", json.loads((shared / "truth" / "lab.json").read_text())
    with Session(tmp_path / "home", CLOCK) as session:
        session.import_reports((str(lab / "inventory"),))
        found = session.findings("", limit=10_000)["findings"]
    accused = {f["resource"] for f in found if not f["rule"].startswith(("secinbox-iam-key",
                                                                         "secinbox-root"))}  # fmt: skip
    assert 30 <= len(found) <= 90
    assert not accused & {x["arn"] for x in truth["not_public_lookalikes"]
                          if ":s3:::" in x["arn"] or ":snapshot/" in x["arn"]}  # fmt: skip
    assert len({(f["rule"], f["resource"]) for f in found}) == len(found)
