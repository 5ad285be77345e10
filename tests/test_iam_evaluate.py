"""Policy evaluation: matching, conditions, and the order of layers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secinbox.estate import Estate, Item
from secinbox.iam.conditions import condition_holds
from secinbox.iam.evaluate import Evaluator
from secinbox.iam.matching import action_matches, arn_matches, common, common_arn, glob
from secinbox.iam.policy import parse
from secinbox.iam.world import World

ACCOUNT, OTHER = "111122223333", "444455556666"
USER = f"arn:aws:iam::{ACCOUNT}:user/ana"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
BUCKET = "arn:aws:s3:::data"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RANK = {"no": 0, "unknown": 1, "yes": 2}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def estate_with(
    *statements: dict[str, Any],
    boundary: dict[str, Any] | None = None,
    trust: dict[str, Any] | None = None,
    bucket: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
    scp: list[dict[str, Any]] | None = None,
    key: dict[str, Any] | None = None,
) -> Estate:
    """A user and a role with the same policy; a bucket and a key with theirs."""
    estate = Estate()

    def add(uid: str, kind: str, config: dict[str, Any], own: dict[str, str] | None = None) -> None:
        estate.add(Item(uid, kind, uid, "aws", ACCOUNT, "", own or {}, config))

    inline = [{"PolicyName": "own", "PolicyDocument": document(*statements)}]
    limits: dict[str, Any] = {}
    if boundary is not None:
        arn = f"arn:aws:iam::{ACCOUNT}:policy/limit"
        limits = {"PermissionsBoundary": {"PermissionsBoundaryArn": arn}}
        add(arn, "aws_iam_policy", {"Arn": arn, "PolicyVersionList": [
            {"VersionId": "v1", "IsDefaultVersion": True, "Document": boundary}]})  # fmt: skip
    add(USER, "aws_iam_user", {"UserName": "ana", "UserId": "AIDAEXAMPLEEXAMPLE1", "Path": "/",
                               "UserPolicyList": inline, **limits}, tags)  # fmt: skip
    add(ROLE, "aws_iam_role", {"RoleName": "app", "RoleId": "AROAEXAMPLEEXAMPLE1", "Path": "/",
                               "RolePolicyList": inline, "AssumeRolePolicyDocument": trust or document(),
                               **limits}, tags)  # fmt: skip
    if bucket is not None:
        add(BUCKET, "aws_s3_bucket", {"get_bucket_policy": {"Policy": _text(bucket)}})
    if key is not None:
        add(_KEY, "aws_kms_key", {"get_key_policy": {"Policy": _text(key)}})
    for index, level in enumerate(scp or []):
        uid = f"arn:aws:organizations::{OTHER}:policy/o-1/service_control_policy/p-{index}"
        add(uid, "aws_organizations_policy", {
            "PolicySummary": {"Id": f"p-{index}", "Type": "SERVICE_CONTROL_POLICY"},
            "Content": _text(level),
            "list_targets_for_policy": {"Targets": [{"TargetId": ("r-1", "ou-1", ACCOUNT)[index]}]}})  # fmt: skip
    estate.relate(f"arn:aws:iam::{ACCOUNT}:root", "member_of", "ou-1")
    estate.relate("ou-1", "member_of", "r-1")
    return estate


_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k"


def _text(value: dict[str, Any]) -> str:
    import json

    return json.dumps(value)


def ask(
    *statements: dict[str, Any],
    who: str = USER,
    action: str = "s3:GetObject",
    resource: str = f"{BUCKET}/x",
    context: dict[str, Any] | None = None,
    **more: Any,
) -> str:
    evaluator = Evaluator(World(estate_with(*statements, **more)), NOW)
    return evaluator.can(who, action, resource, context).value


# Matching


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "s3:getobject", True),
        ("s3:*", "s3:getobject", True),
        ("s3:get*", "s3:getobject", True),
        ("s3:get?bject", "s3:getobject", True),
        ("s3:getobject", "s3:getobjectacl", False),
        ("*:getobject", "s3:getobject", True),
        ("s*:getobject", "s3:getobject", False),
        ("getobject", "s3:getobject", False),
    ],
)
def test_actions(pattern: str, action: str, expected: bool) -> None:
    assert action_matches(pattern, action) is expected


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("*", "*", True),
        ("arn:aws:s3:::data", "*", False),
        ("arn:aws:s3:::data/*", f"{BUCKET}/a/b:c", True),
        ("arn:aws:s3:::Data/*", f"{BUCKET}/a", False),
        ("arn:aws:s3:::*", USER, False),
        ("arn:aws:iam::*:user/*", USER, True),
        ("arn:aws:iam::*", USER, True),
        ("arn:aws:iam", USER, True),
        ("arn:*:user/ana", USER, False),
        (f"arn:aws:iam::{OTHER}:user/*", USER, False),
    ],
)
def test_arns_match_segment_by_segment(pattern: str, arn: str, expected: bool) -> None:
    assert arn_matches(pattern, arn) is expected


@settings(max_examples=200, deadline=None)
@given(st.text("ab*?", max_size=6), st.text("ab*?", max_size=6))
def test_a_common_text_matches_both_patterns(one: str, two: str) -> None:
    found = common(one, two)
    if found is not None:
        assert glob(one, found)
        assert glob(two, found)
    else:
        import itertools

        texts = ("".join(t) for n in range(5) for t in itertools.product("ab", repeat=n))
        assert not any(glob(one, t) and glob(two, t) for t in texts)


def test_common_arns_do_not_cross_segments() -> None:
    own = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:*"
    assert common_arn(own, f"arn:aws:*:*:{OTHER}:?*") is None
    assert common_arn("arn:aws:sns:*:*:*", f"arn:aws:*:*:{OTHER}:?*") == f"arn:aws:sns::{OTHER}:x"


# Conditions

HELD: list[tuple[str, str, list[str], dict[str, tuple[str, ...] | None], bool | None]] = [
    ("StringEquals", "aws:username", ["ana"], {"aws:username": ("ana",)}, True),
    ("StringEquals", "aws:username", ["Ana"], {"aws:username": ("ana",)}, False),
    ("StringEqualsIgnoreCase", "aws:username", ["Ana"], {"aws:username": ("ana",)}, True),
    ("StringEquals", "k", ["x"], {"k": None}, False),
    ("StringNotEquals", "k", ["x"], {"k": None}, True),
    ("StringNotLike", "k", ["x*"], {"k": None}, True),
    ("StringEqualsIfExists", "k", ["x"], {"k": None}, True),
    ("StringEqualsIfExists", "k", ["x"], {"k": ("y",)}, False),
    ("StringEquals", "k", ["x"], {}, None),
    ("StringNotEquals", "k", ["a", "b"], {"k": ("b",)}, False),
    ("StringNotEquals", "k", ["a", "b"], {"k": ("c",)}, True),
    ("StringLike", "k", ["a[b*"], {"k": ("a[bc",)}, True),
    ("StringLike", "k", ["a+"], {"k": ("aa",)}, False),
    ("StringEquals", "k", ["*"], {"k": ("x",)}, False),
    ("StringLike", "k", ["${aws:username}/*"], {"k": ("ana/x",), "aws:username": ("ana",)}, True),
    ("StringLike", "k", ["${aws:username}/*"], {"k": ("ana/x",)}, None),
    (
        "StringEquals",
        "k",
        ["${aws:username, 'nobody'}"],
        {"k": ("nobody",), "aws:username": None},
        True,
    ),
    ("Null", "k", ["true"], {"k": None}, True),
    ("Null", "k", ["false"], {"k": None}, False),
    ("Null", "k", ["false"], {"k": ("x",)}, True),
    ("ForAllValues:StringEquals", "k", ["a"], {"k": None}, True),
    ("ForAllValues:StringEquals", "k", ["a", "b"], {"k": ("a", "b")}, True),
    ("ForAllValues:StringEquals", "k", ["a"], {"k": ("a", "b")}, False),
    ("ForAnyValue:StringEquals", "k", ["a"], {"k": None}, False),
    ("ForAnyValue:StringEquals", "k", ["a"], {"k": ("a", "b")}, True),
    ("Bool", "aws:MultiFactorAuthPresent", ["true"], {"aws:multifactorauthpresent": None}, False),
    (
        "BoolIfExists",
        "aws:MultiFactorAuthPresent",
        ["false"],
        {"aws:multifactorauthpresent": None},
        True,
    ),
    ("NumericLessThan", "k", ["10"], {"k": ("9",)}, True),
    ("NumericLessThanIfExists", "k", ["10"], {"k": None}, True),
    ("NumericGreaterThanEquals", "k", ["10"], {"k": ("10",)}, True),
    ("DateGreaterThan", "k", ["2020-01-01T00:00:00Z"], {"k": ("2026-01-01T00:00:00+00:00",)}, True),
    ("DateLessThan", "k", ["2020-01-01T00:00:00Z"], {"k": ("2026-01-01T00:00:00+00:00",)}, False),
    ("DateGreaterThan", "k", ["1577836800"], {"k": ("2026-01-01T00:00:00+00:00",)}, True),
    (
        "DateGreaterThan",
        "aws:TokenIssueTime",
        ["2020-01-01T00:00:00Z"],
        {"aws:tokenissuetime": None},
        False,
    ),
    ("IpAddress", "aws:SourceIp", ["10.0.0.0/8"], {"aws:sourceip": ("10.1.2.3",)}, True),
    ("NotIpAddress", "aws:SourceIp", ["10.0.0.0/8"], {"aws:sourceip": ("10.1.2.3",)}, False),
    ("IpAddress", "aws:SourceIp", ["2001:db8::/32"], {"aws:sourceip": ("2001:db8::1",)}, True),
    ("IpAddress", "aws:SourceIp", ["10.1.2.3/8"], {"aws:sourceip": ("10.9.9.9",)}, True),
    ("IpAddress", "aws:SourceIp", ["nonsense"], {"aws:sourceip": ("10.1.2.3",)}, None),
    ("IpAddressIfExists", "aws:SourceIp", ["10.0.0.0/8"], {"aws:sourceip": None}, True),
    (
        "ArnLike",
        "aws:PrincipalArn",
        ["arn:aws:iam::*:role/app"],
        {"aws:principalarn": (ROLE,)},
        True,
    ),
    (
        "ArnEquals",
        "aws:PrincipalArn",
        ["arn:aws:iam::*:role/*"],
        {"aws:principalarn": (ROLE,)},
        True,
    ),
    (
        "ArnNotLike",
        "aws:PrincipalArn",
        ["arn:aws:iam::*:role/*"],
        {"aws:principalarn": (ROLE,)},
        False,
    ),
    ("SomethingNew", "k", ["x"], {"k": ("x",)}, None),
]


@pytest.mark.parametrize(("operator", "key", "values", "context", "expected"), HELD)
def test_condition(
    operator: str,
    key: str,
    values: list[str],
    context: dict[str, tuple[str, ...] | None],
    expected: bool | None,
) -> None:
    assert condition_holds((operator, key.lower(), tuple(values)), context) is expected


# Layers

ANY = document(allow("*"))
DIRECT_USER = document({**allow("s3:GetObject", f"{BUCKET}/*"), "Principal": {"AWS": USER}})
DIRECT_ROLE = document({**allow("s3:GetObject", f"{BUCKET}/*"), "Principal": {"AWS": ROLE}})
FOR_ROOT = document({**allow("*", "*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}})
NOTHING = document(allow("ec2:DescribeInstances"))

ASKED: list[tuple[str, dict[str, Any], str]] = [
    ("allowed", {"statements": [allow()]}, "yes"),
    ("not allowed", {"statements": []}, "no"),
    ("explicit deny", {"statements": [allow("*"), deny("s3:*")]}, "no"),
    ("deny of something else", {"statements": [allow("*"), deny("ec2:*")]}, "yes"),
    ("deny of all but", {"statements": [allow("*"), {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}]},
     "no"),
    ("deny with not resource", {"statements": [allow("*"), {
        "Effect": "Deny", "Action": "s3:*", "NotResource": f"{BUCKET}/*"}]}, "yes"),
    ("not action", {"statements": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}, "yes"),
    ("case of actions", {"statements": [allow("S3:getOBJECT")]}, "yes"),
    ("case of resources", {"statements": [allow(resource="arn:aws:s3:::DATA/*")]}, "no"),
    ("an action without resource needs a star",
     {"statements": [allow("ec2:DescribeInstances", "arn:aws:ec2:*:*:instance/*")],
      "action": "ec2:DescribeInstances", "resource": "*"}, "no"),
    ("variable", {"statements": [allow(resource="arn:aws:s3:::data/${aws:username}/*")],
                  "resource": f"{BUCKET}/ana/x"}, "yes"),
    ("variable of somebody else", {"statements": [allow(resource="arn:aws:s3:::data/${aws:username}/*")],
                                   "resource": f"{BUCKET}/bob/x"}, "no"),
    ("own tag", {"statements": [allow(Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})],
                 "tags": {"team": "red"}}, "yes"),
    ("no such tag", {"statements": [allow(Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})],
                     "tags": {"cost": "1"}}, "no"),
    ("tags were not read", {"statements": [allow(Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})]},
     "unknown"),
    ("from one network", {"statements": [allow(Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})]},
     "unknown"),
    ("from one network, known", {"statements": [allow(Condition={
        "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], "context": {"aws:SourceIp": "203.0.113.9"}}, "yes"),
    ("from a private network", {"statements": [allow(Condition={
        "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})]}, "no"),
    ("unknown deny", {"statements": [allow("*"), deny(Condition={
        "StringNotEquals": {"aws:SourceVpc": "vpc-1"}})]}, "unknown"),
    ("what the caller chooses", {"statements": [allow(Condition={
        "StringEquals": {"aws:RequestedRegion": "eu-west-1"}})]}, "yes"),
    ("choices must fit together", {"statements": [
        allow(Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        deny(Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})]}, "no"),
    ("boundary", {"statements": [allow("*")], "boundary": NOTHING}, "no"),
    ("boundary that allows", {"statements": [allow("*")], "boundary": ANY}, "yes"),
    ("boundary alone allows nothing", {"statements": [], "boundary": ANY}, "no"),
    ("bucket names the user", {"statements": [], "bucket": DIRECT_USER}, "yes"),
    ("bucket names the user, boundary has nothing", {
        "statements": [], "bucket": DIRECT_USER, "boundary": NOTHING}, "yes"),
    ("bucket names the role, boundary has nothing", {
        "statements": [], "bucket": DIRECT_ROLE, "boundary": NOTHING, "who": ROLE}, "no"),
    ("bucket names the role", {"statements": [], "bucket": DIRECT_ROLE, "who": ROLE}, "yes"),
    ("bucket names the account", {"statements": [], "bucket": FOR_ROOT}, "no"),
    ("bucket denies", {"statements": [allow("*")], "bucket": document(
        {**deny("s3:*"), "Principal": "*"})}, "no"),
    ("bucket denies all but the role", {"statements": [allow("*")], "who": ROLE, "bucket": document(
        {**deny("s3:*"), "Principal": "*", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}})}, "yes"),
    ("bucket denies all but the role, asked by the user", {"statements": [allow("*")], "bucket": document(
        {**deny("s3:*"), "Principal": "*", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}})}, "no"),
    ("key hands over to the account", {"statements": [allow("kms:*")], "key": FOR_ROOT,
                                       "action": "kms:Decrypt", "resource": _KEY}, "yes"),
    ("key does not hand over", {"statements": [allow("kms:*")], "key": document(
        {**allow("kms:*"), "Principal": {"AWS": ROLE}}), "action": "kms:Decrypt", "resource": _KEY}, "no"),
    ("organisation denies", {"statements": [allow("*")], "scp": [document(allow("*"), deny("s3:*"))]}, "no"),
    ("organisation allows at each level", {"statements": [allow("*")], "scp": [ANY, ANY]}, "yes"),
    ("organisation allows at one level only", {"statements": [allow("*")], "scp": [ANY, NOTHING]}, "no"),
    ("unreadable statement", {"statements": [{"Effect": "Perhaps"}, allow()]}, "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), [c[1:] for c in ASKED], ids=[c[0] for c in ASKED])
def test_asked(options: dict[str, Any], expected: str) -> None:
    options = dict(options)
    assert ask(*options.pop("statements"), **options) == expected


def test_the_deciding_statement_is_named() -> None:
    evaluator = Evaluator(World(estate_with(allow("*"), deny("s3:*"))), NOW)
    found = evaluator.can(USER, "s3:GetObject", f"{BUCKET}/x")
    assert found.value == "no"
    assert found.statements[0].text == "Deny s3:* on * (own)"


def test_an_unknown_principal_is_unknown() -> None:
    assert ask(who=f"arn:aws:iam::{ACCOUNT}:user/nobody") == "unknown"


@pytest.mark.parametrize(
    "broken",
    [None, 5, "", "{", "%7B", [], {}, {"Statement": 5}, {"Statement": [5]},
     {"Statement": {"Effect": "Allow", "Action": 5, "Resource": "*"}},
     {"Statement": {"Effect": "Allow", "Action": "x", "NotAction": "y", "Resource": "*"}},
     {"Statement": {"Effect": "Allow", "Action": "x", "Resource": "*", "Condition": [1]}},
     {"Statement": {"Effect": "Allow", "Action": "x", "Resource": "*", "Principal": 7}}],
)  # fmt: skip
def test_a_broken_document_never_is_a_silent_no(broken: Any) -> None:
    policy = parse(broken, "p")
    assert policy.problems
    assert policy.statements[0].effect == "broken"


def test_url_encoded_documents() -> None:
    policy = parse("%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C"
                   "%22Resource%22%3A%22%2A%22%7D%7D")  # fmt: skip
    assert policy.statements[0].actions == ("s3:*",)


# Properties

_conditions = st.sampled_from(
    [None, {"StringEquals": {"aws:username": "ana"}}, {"StringNotEquals": {"aws:username": "ana"}},
     {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"Bool": {"aws:SecureTransport": "false"}},
     {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, {"Null": {"aws:TokenIssueTime": "true"}},
     {"StringEquals": {"aws:NobodyKnows": "x"}}]
)  # fmt: skip
_statements = st.lists(
    st.builds(
        lambda effect, word, action, resource, condition: {
            "Effect": effect, word: action, "Resource": resource,
            **({"Condition": condition} if condition else {})},
        st.sampled_from(["Allow", "Allow", "Deny"]),
        st.sampled_from(["Action", "Action", "NotAction"]),
        st.sampled_from(["*", "s3:*", "s3:GetObject", "s3:Get*", "iam:*", ["ec2:*", "s3:GetObject"]]),
        st.sampled_from(["*", "arn:aws:s3:::data/*", "arn:aws:s3:::other/*", "arn:aws:s3:::data/x"]),
        _conditions,
    ),
    max_size=5,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_statements, st.sampled_from([USER, ROLE]), st.data())
def test_removing_an_allow_never_adds_access(
    statements: list[dict[str, Any]], who: str, data: st.DataObject
) -> None:
    allows = [i for i, s in enumerate(statements) if s["Effect"] == "Allow"]
    if not allows:
        return
    index = data.draw(st.sampled_from(allows))
    less = statements[:index] + statements[index + 1 :]
    assert RANK[ask(*less, who=who)] <= RANK[ask(*statements, who=who)]


@settings(max_examples=150, deadline=None)
@given(_statements, _conditions, st.sampled_from([USER, ROLE]))
def test_adding_a_deny_never_adds_access(
    statements: list[dict[str, Any]], condition: dict[str, Any] | None, who: str
) -> None:
    more = {"Condition": condition} if condition else {}
    assert RANK[ask(*statements, deny(**more), who=who)] <= RANK[ask(*statements, who=who)]


@settings(max_examples=80, deadline=None)
@given(_statements, st.randoms())
def test_the_order_of_statements_does_not_matter(
    statements: list[dict[str, Any]], random: Any
) -> None:
    shuffled = list(statements)
    random.shuffle(shuffled)
    assert ask(*statements) == ask(*shuffled)


@pytest.mark.parametrize(("principal", "session", "expected"), [
    (None, None, "yes"),
    (None, document(allow()), "yes"),
    (None, document(allow("sqs:*")), "no"),
    (None, document(allow(), deny("s3:GetObject")), "no"),
    ({"AWS": ROLE}, document(allow("sqs:*")), "no"),
    # What names the session was given to it after its own policy.
    ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/now"}, document(allow("sqs:*")), "yes"),
    ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/now"}, document(deny("s3:GetObject")), "no"),
])  # fmt: skip
def test_a_policy_that_a_session_was_given(principal: Any, session: Any, expected: str) -> None:
    bucket = document(allow(Principal=principal)) if principal else None
    made = estate_with(allow(), bucket=bucket)
    found = Evaluator(World(made), NOW).can(ROLE, "s3:GetObject", f"{BUCKET}/a", session=session)
    assert found.value == expected
