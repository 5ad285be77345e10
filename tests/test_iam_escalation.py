"""Properties of escalation, on random small accounts."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from secinbox.iam import Escalation, Evaluator, World, privilege
from tests.accounts import (
    ADMIN,
    NOW,
    USER,
    A,
    Account,
    B,
    F,
    allow,
    aws,
    deny,
    document,
    service,
)

# Properties: random small accounts

_actions = st.sampled_from(
    ["*", "iam:*", "iam:PassRole", "lambda:*", "sts:AssumeRole", "iam:PutUserPolicy", "iam:AttachRolePolicy",
     "iam:CreateAccessKey", "iam:UpdateAssumeRolePolicy", "lambda:UpdateFunctionCode", "s3:*",
     "iam:AddUserToGroup", "iam:TagUser", "iam:TagRole", "sts:TagSession"]
)  # fmt: skip
_resources = st.sampled_from(
    ["*", USER, ADMIN, f"arn:aws:iam::{A}:role/*", f"arn:aws:iam::{A}:user/*"]
)
_conditions = st.sampled_from([
    {}, {}, {}, {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}},
    {"Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "red"}}},
    {"Condition": {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}},
])  # fmt: skip
_statement = st.builds(
    lambda effect, action, resource, condition: {
        "Effect": effect, "Action": action, "Resource": resource, **condition},
    st.sampled_from(["Allow", "Allow", "Allow", "Deny"]), _actions, _resources, _conditions,
)  # fmt: skip
_sets = st.lists(_statement, max_size=3)
_trusts = st.sampled_from(
    [
        aws(USER, StringEquals={"aws:PrincipalTag/team": "red"}),
        service("lambda.amazonaws.com"),
        aws(USER),
        aws(f"arn:aws:iam::{A}:root"),
        aws(f"arn:aws:iam::{A}:role/work"),
    ]
)


def _random(sets: list[list[dict[str, Any]]], trusts: list[list[dict[str, Any]]]) -> Account:
    made = Account().user("ana", *sets[0]).user("bob", *sets[1])
    made.role("work", trusts[0], *sets[2]).role("admin", trusts[1], allow("*")).group("g", *sets[3])
    return made.add(
        F, "aws_lambda_function", {"FunctionArn": F, "Role": f"arn:aws:iam::{A}:role/work"}
    )


_RANK = {"no": 0, "unknown": 1, "yes": 2}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_sets, min_size=4, max_size=4), st.lists(_trusts, min_size=2, max_size=2), st.data()
)
def test_less_permission_never_helps(
    sets: list[list[dict[str, Any]]], trusts: list[list[dict[str, Any]]], data: st.DataObject
) -> None:
    who = data.draw(st.integers(0, 3))
    allows = [i for i, s in enumerate(sets[who]) if s["Effect"] == "Allow"]
    if not allows:
        return
    index = data.draw(st.sampled_from(allows))
    less = deepcopy(sets)
    del less[who][index]
    assert _RANK[_random(less, trusts).can()] <= _RANK[_random(sets, trusts).can()]


@settings(max_examples=150, deadline=None)
@given(st.lists(_sets, min_size=4, max_size=4), st.lists(_trusts, min_size=2, max_size=2),
       st.integers(0, 3), _actions)  # fmt: skip
def test_a_deny_never_helps(
    sets: list[list[dict[str, Any]]], trusts: list[list[dict[str, Any]]], who: int, action: str
) -> None:
    more = deepcopy(sets)
    more[who].append(deny(action))
    assert _RANK[_random(more, trusts).can()] <= _RANK[_random(sets, trusts).can()]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_sets, min_size=4, max_size=4), st.lists(_trusts, min_size=2, max_size=2), st.randoms()
)
def test_the_order_of_the_input_does_not_matter(
    sets: list[list[dict[str, Any]]], trusts: list[list[dict[str, Any]]], random: Any
) -> None:
    one = _random(sets, trusts)
    two = _random(sets, trusts)
    random.shuffle(two.items)
    values = [[(s.resource, s.value) for s in privilege(m.estate())] for m in (one, two)]
    assert values[0] == values[1]


def test_a_single_question() -> None:
    made = Account().user("ana", allow("s3:GetObject"))
    evaluator = Evaluator(World(made.estate()), NOW)
    assert evaluator.can(USER, "s3:GetObject", "arn:aws:s3:::b/k")
    assert not evaluator.can(USER, "s3:PutObject", "arn:aws:s3:::b/k")


def test_policies_of_units_bind_the_accounts_below() -> None:
    import json

    made = Account().user("ana", allow("iam:PutUserPolicy"))
    uid = f"arn:aws:organizations::{B}:policy/o-1/service_control_policy/p-1"
    made.add(uid, "aws_organizations_policy", {
        "PolicySummary": {"Id": "p-1", "Type": "SERVICE_CONTROL_POLICY"},
        "Content": json.dumps(document([allow("*"), deny("iam:*")]))})  # fmt: skip

    def can(unit: str) -> str:
        estate = made.estate()
        estate.relate(f"arn:aws:iam::{A}:root", "member_of", "ou-1")
        estate.relate("ou-1", "member_of", "r-1")
        estate.relate(unit, "guarded_by", uid)
        found = Escalation(estate)
        return "yes" if found.way(USER) else "no"

    assert can("ou-2") == "yes"
    assert can("ou-1") == "no"
    assert can("r-1") == "no"
    assert can(f"arn:aws:iam::{A}:root") == "no"
