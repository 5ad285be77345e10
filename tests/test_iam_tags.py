"""Conditions on tags, asked of principals who may write the tags; and on the role that is given."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secinbox.estate import estate_of
from secinbox.iam import Escalation, Evaluator, World
from secinbox.inventory import aws as aws_inventory
from secinbox.reading import Report
from tests.accounts import (
    ADMIN,
    EC2,
    PASS,
    RUNNING,
    USER,
    A,
    Account,
    I,
    R,
    allow,
    attached,
    aws,
    bounded,
    deny,
    service,
)

TEAM = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
RED = {"StringEquals": {"aws:ResourceTag/team": "red"}}
OTHER = f"arn:aws:iam::{A}:user/bob"


def deny_if(action: Any, **condition: Any) -> dict[str, Any]:
    return {**deny(action), "Condition": condition}


def steps(made: Account) -> tuple[str, ...]:
    way = Escalation(made.estate()).way(USER)
    assert way is not None
    return tuple(s.sentence for s in way.steps)


# A tag of one's own that a trust, or one's own policy, asks for


def trusted(*statements: dict[str, Any], tags: dict[str, str] | None = None, **condition: Any
            ) -> Account:  # fmt: skip
    made = Account().user("ana", *statements).admin(aws(USER, **(condition or TEAM)))
    made.items[0].tags.update(tags or {})
    return made


@pytest.mark.parametrize(("statements", "expected"), [
    ((), "no"),
    ((allow("iam:TagUser", USER),), "yes"),
    ((allow("iam:TagUser", OTHER),), "no"),
    ((allow("iam:TagRole", "*"),), "no"),
    ((allow("iam:TagUser"), deny("iam:TagUser")), "no"),
    ((allow("iam:UntagUser"),), "no"),  # taking it off does not make it red
    # the tag or its value may be one of those that may be written
    ((allow("iam:TagUser", "*", StringEquals={"aws:RequestTag/team": ["blue", "red"]}),), "yes"),
    ((allow("iam:TagUser", "*", StringEquals={"aws:RequestTag/team": "blue"}),), "no"),
    ((allow("iam:TagUser", "*", StringNotEquals={"aws:RequestTag/team": "red"}),), "no"),
    ((allow("iam:TagUser", "*", **{"ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}}),), "yes"),
    ((allow("iam:TagUser", "*", **{"ForAllValues:StringEquals": {"aws:TagKeys": ["cost"]}}),), "no"),
    ((allow("iam:TagUser"), deny_if("iam:TagUser", Null={"aws:RequestTag/team": "false"})), "no"),
    # the right to write it hangs on another tag, which may be written or not
    ((allow("iam:TagUser", "*", StringEquals={"aws:PrincipalTag/lead": "true"}),), "no"),
    ((allow("iam:TagUser", "*", StringEquals={"aws:PrincipalTag/lead": "true", "aws:TagKeys": "team"}),
      allow("iam:TagUser", "*", StringEquals={"aws:TagKeys": "lead"})), "yes"),
])  # fmt: skip
def test_a_trust_that_asks_for_a_tag(statements: tuple[dict[str, Any], ...], expected: str) -> None:
    assert trusted(*statements).can() == expected


def test_what_is_done_first_is_told() -> None:
    assert steps(trusted(allow("iam:TagUser", USER))) == (
        "user/ana sets the tag team=red on user/ana and assumes role/admin (sts-001)",
    )
    way = Escalation(trusted(allow("iam:TagUser", USER)).estate()).way(USER)
    assert way is not None
    assert "iam:taguser" in way.steps[0].evidence[0].text


def test_who_has_the_tag_need_not_write_it() -> None:
    assert trusted(tags={"team": "red"}).can() == "yes"
    assert trusted(tags={"team": "blue"}).can() == "no"
    assert steps(trusted(tags={"team": "red"})) == ("user/ana assumes role/admin (sts-001)",)


def test_a_tag_that_must_not_be_there() -> None:
    wall = {"StringNotEquals": {"aws:PrincipalTag/team": "blue"}}
    assert trusted(tags={"team": "blue"}, **wall).can() == "no"
    assert trusted(allow("iam:UntagUser"), tags={"team": "blue"}, **wall).can() == "yes"
    assert trusted(allow("iam:TagUser"), tags={"team": "blue"}, **wall).can() == "yes"


def test_a_tag_that_is_compared_with_the_role_s() -> None:
    same = {"StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}}
    for tags, own, expected in (
        ({"team": "red"}, (), "no"),
        ({"team": "red"}, (allow("iam:TagUser", USER),), "yes"),
        ({"team": "red"}, (allow("iam:TagRole", ADMIN),), "no"),  # ana has no team to compare with
        ({}, (allow("iam:TagUser", USER),), "no"),
    ):
        made = trusted(*own, **same)
        made.items[1].tags.update(tags)
        assert made.can() == expected, (tags, own)


def test_administrator_once_it_has_tagged_itself() -> None:
    everything = allow("*", "*", **TEAM)
    assert Account().user("ana", everything).can() == "no"
    made = Account().user("ana", everything, allow("iam:TagUser", USER))
    assert made.can() == "yes"
    assert Escalation(made.estate()).admins[USER].value == "no"
    assert steps(made) == (
        "user/ana sets the tag team=red on user/ana, which makes it administrator (iam-025)",
    )
    assert Account().user("ana", everything, allow("iam:TagUser", OTHER)).can() == "no"
    # the boundary does not know the action
    bound = Account().user("ana", everything, allow("iam:TagUser"), **bounded("limit"))
    assert bound.policy("limit", [allow("*", "*", **TEAM)]).can() == "no"
    wide = Account().user("ana", everything, allow("iam:TagUser"), **bounded("limit"))
    assert wide.policy("limit", [allow("*")]).can() == "yes"


# A tag of the thing that is acted on


def instance(*statements: dict[str, Any], tags: dict[str, str] | None = None) -> Account:
    made = Account().user("ana", *statements).admin(service(EC2), profile=True)
    return made.add(I, "aws_ec2_instance", dict(RUNNING), tags)


SESSION = allow("ssm:StartSession", "*", StringEquals={"ssm:resourceTag/team": "red"})


@pytest.mark.parametrize(("statements", "tags", "expected"), [
    ((SESSION,), {"team": "red"}, "yes"),
    ((SESSION,), {"team": "blue"}, "no"),
    ((SESSION,), {}, "no"),
    ((SESSION, allow("ec2:CreateTags")), {}, "yes"),
    ((SESSION, allow("ec2:CreateTags", I)), {"team": "blue"}, "yes"),
    ((SESSION, allow("ec2:DeleteTags")), {"team": "blue"}, "no"),
    # tags that are only given to what is made
    ((SESSION, allow("ec2:CreateTags", "*", StringEquals={"ec2:CreateAction": "RunInstances"})), {}, "no"),
    ((SESSION, allow("ec2:CreateTags", f"arn:aws:ec2:{R}:{A}:volume/*")), {}, "no"),
    # a wall by a Deny falls where the tag is taken off
    ((allow("ssm:StartSession"), deny_if("ssm:StartSession", StringEquals={"ssm:resourceTag/wall": "1"}),
      allow("ec2:DeleteTags")), {"wall": "1"}, "yes"),
    ((allow("ssm:StartSession"), deny_if("ssm:StartSession", StringEquals={"ssm:resourceTag/wall": "1"})),
     {"wall": "1"}, "no"),
])  # fmt: skip
def test_a_tag_of_an_instance(statements: tuple[dict[str, Any], ...], tags: dict[str, str], expected: str
                              ) -> None:  # fmt: skip
    assert instance(*statements, tags=tags).can() == expected


@pytest.mark.parametrize(("statements", "expected"), [
    ((allow("iam:CreateAccessKey", "*", **RED),), "no"),
    ((allow("iam:CreateAccessKey", "*", **RED), allow("iam:TagUser", OTHER)), "yes"),
    ((allow("iam:CreateAccessKey", "*", **RED), allow("iam:TagUser", USER)), "no"),
    ((allow("iam:CreateAccessKey", "*", StringEquals={"iam:ResourceTag/team": "red"}), allow("iam:TagUser")), "yes"),
])  # fmt: skip
def test_a_tag_of_another_user(statements: tuple[dict[str, Any], ...], expected: str) -> None:
    assert Account().user("ana", *statements).user("bob", allow("*")).can() == expected


def test_a_tag_of_a_policy() -> None:
    version = allow("iam:CreatePolicyVersion", "*", **RED)
    for more, expected in (
        ((), "no"),
        ((allow("iam:TagPolicy"),), "yes"),
        ((allow("iam:TagRole"),), "no"),
    ):
        made = (
            Account().user("ana", version, *more, **attached("own")).policy("own", [allow("s3:*")])
        )
        assert made.can() == expected


def test_a_plain_question_is_not_helped() -> None:
    """What somebody may do now is not what he can bring about."""
    estate = instance(SESSION, allow("ec2:CreateTags")).estate()
    assert Evaluator(World(estate)).can(USER, "ssm:StartSession", I).value == "no"


@pytest.mark.parametrize(("calls", "expected"), [
    ({}, "unknown"),  # list-functions does not tell tags
    ({"lambda.list_tags": {"Tags": {}}}, "no"),
    ({"lambda.list_tags": {"Tags": {"team": "blue"}}}, "no"),
    ({"lambda.list_tags": {"Tags": {"team": "red"}}}, "yes"),
    ({"resourcegroupstaggingapi.get_resources": {"ResourceTagMappingList": []}}, "no"),
])  # fmt: skip
def test_tags_that_nobody_read_are_not_known(calls: dict[str, Any], expected: str) -> None:
    arn = f"arn:aws:lambda:{R}:{A}:function:f"
    change = allow("lambda:UpdateFunctionCode", "*", **RED)
    made = Account().user("ana", change).admin(service("lambda.amazonaws.com"))
    answers = {
        "lambda.list_functions": {
            "Functions": [{"FunctionName": "f", "FunctionArn": arn, "Role": ADMIN}]
        }
    }
    estate = made.estate()
    folder = f"inventory/{A}/{R}"
    for operation, response in {**answers, **calls}.items():
        asked = operation == "lambda.list_tags"
        told = {"request": {"Resource": arn}, "response": response} if asked else response
        report = Report(
            json.dumps(told).encode(), name=f"{folder}/{operation}.json{'l' if asked else ''}"
        )
        for item in estate_of(aws_inventory.read(report)).items.values():
            estate.add(item)
        estate.covered |= estate_of(aws_inventory.read(report)).covered
    found = Escalation(estate).way(USER)
    assert ("no" if found is None else "yes" if found.certain else "unknown") == expected


# Conditions that look at the role which is given to something


LIMITED = f"arn:aws:iam::{A}:role/limited"


@pytest.mark.parametrize(("role", "expected"), [(ADMIN, "yes"), (LIMITED, "no"), ("*", "yes")])
def test_a_stack_that_may_only_have_one_role(role: str, expected: str) -> None:
    name = "cloudformation.amazonaws.com"
    make = allow("cloudformation:CreateStack", "*", ArnLike={"cloudformation:RoleArn": role})
    assert Account().user("ana", make, PASS).admin(service(name)).can() == expected
    # a stack that has the role is changed as the role that the request names
    stack = f"arn:aws:cloudformation:{R}:{A}:stack/s/1"
    change = allow("cloudformation:UpdateStack", "*", ArnLike={"cloudformation:RoleArn": LIMITED})
    config = {"StackId": stack, "RoleARN": ADMIN}
    made = Account().user("ana", change).admin(service(name))
    assert made.add(stack, "aws_cloudformation_stack", config).can() == "no"
    free = Account().user("ana", allow("cloudformation:UpdateStack")).admin(service(name))
    assert free.add(stack, "aws_cloudformation_stack", config).can() == "yes"


@pytest.mark.parametrize(
    ("profile", "expected"), [("admin", "yes"), ("limited", "no"), ("*", "yes")]
)
def test_an_instance_that_may_only_have_one_profile(profile: str, expected: str) -> None:
    arn = f"arn:aws:iam::{A}:instance-profile/{profile}"
    make = allow("ec2:RunInstances", "*", ArnLike={"ec2:InstanceProfile": arn})
    assert Account().user("ana", make, PASS).admin(service(EC2), profile=True).can() == expected


@pytest.mark.parametrize(("pattern", "expected"), [
    (f"arn:aws:lambda:{R}:{A}:function:*", "yes"),
    (f"arn:aws:ec2:{R}:{A}:instance/*", "no"),
    ("arn:aws:*:*:*:*", "yes"),
    ("*", "yes"),
])  # fmt: skip
def test_a_role_that_may_only_be_given_to_one_kind_of_thing(pattern: str, expected: str) -> None:
    make = allow(["lambda:CreateFunction", "lambda:InvokeFunction"])
    give = allow("iam:PassRole", ADMIN, ArnLike={"iam:AssociatedResourceArn": pattern})
    assert (
        Account().user("ana", make, give).admin(service("lambda.amazonaws.com")).can() == expected
    )


# A job of Glue is started with another script


JOB = f"arn:aws:glue:{R}:{A}:job/j"


@pytest.mark.parametrize(("may", "expected"), [
    ("*", "yes"),
    ("iam:*", "no"),  # the role could not read a script of the one who starts it
])  # fmt: skip
def test_a_job_with_a_script_of_one_s_own(may: str, expected: str) -> None:
    def account(*statements: dict[str, Any]) -> Account:
        made = Account().user("ana", *statements)
        made.role("admin", service("glue.amazonaws.com"), allow(may))
        return made.add(JOB, "aws_glue_job", {"Name": "j", "Role": ADMIN})

    assert account(allow("glue:StartJobRun")).can() == expected
    assert account(allow("glue:StartJobRun", JOB.replace("job/j", "job/k"))).can() == "no"
    assert account(allow("glue:GetJob")).can() == "no"


# Tags that whoever assumes a role gives to the session


def session(trust_tags: Any, *statements: dict[str, Any], caller: tuple[dict[str, Any], ...] = ()
            ) -> Account:  # fmt: skip
    trust = aws(f"arn:aws:iam::{A}:root")
    trust[0]["Action"] = (
        ["sts:AssumeRole", "sts:TagSession"] if trust_tags is not None else "sts:AssumeRole"
    )
    if trust_tags:
        trust.append(
            {**trust[0], "Action": "sts:TagSession", "Effect": "Deny", "Condition": trust_tags}
        )
    return Account().user("ana", *caller).role("work", trust, *statements)


WORK = f"arn:aws:iam::{A}:role/work"
BOTH = (allow(["sts:AssumeRole", "sts:TagSession"], WORK),)
POWER = allow("*", "*", **TEAM)


@pytest.mark.parametrize(("made", "expected"), [
    (session({}, POWER, caller=BOTH), "yes"),
    (session({}, POWER, caller=(allow("sts:AssumeRole", WORK),)), "no"),
    (session(None, POWER, caller=BOTH), "no"),
    (session({}, allow("s3:*"), caller=BOTH), "no"),
    (session({"StringEquals": {"aws:RequestTag/team": "red"}}, POWER, caller=BOTH), "no"),
    (session({"StringEquals": {"aws:RequestTag/team": "blue"}}, POWER, caller=BOTH), "yes"),
    (session({}, POWER, caller=(*BOTH, deny("sts:TagSession"))), "no"),
])  # fmt: skip
def test_tags_of_a_session(made: Account, expected: str) -> None:
    assert made.can() == expected
    # the role itself is not administrator: a session without the tag has nothing
    assert Escalation(made.estate()).admins[WORK].value == "no"
    assert made.can(WORK) == "no"


def test_a_tagged_session_goes_on_to_another_role() -> None:
    made = session({}, allow("sts:AssumeRole", ADMIN), caller=BOTH)
    made.admin(aws(WORK, **TEAM))
    assert made.can() == "yes"
    assert steps(made) == (
        "user/ana assumes role/work (session tag team=red) (sts-002)",
        "role/work (session tag team=red) assumes role/admin (sts-001)",
    )
    untagged = session(None, allow("sts:AssumeRole", ADMIN), caller=BOTH)
    assert untagged.admin(aws(WORK, **TEAM)).can() == "no"


# Against a search that really writes the tags


_wants = st.sampled_from(["aws:PrincipalTag/team", "aws:ResourceTag/team", "aws:RequestTag/team"])
_value = st.sampled_from(["red", "blue"])
_if = st.one_of(
    st.just({}),
    st.builds(lambda op, key, value: {"Condition": {op: {key: value}}},
              st.sampled_from(["StringEquals", "StringNotEquals"]), _wants, _value),
    st.just({"Condition": {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}}),
)  # fmt: skip
_says = st.builds(
    lambda effect, action, resource, condition: {
        "Effect": effect, "Action": action, "Resource": resource, **condition},
    st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
    st.sampled_from(["iam:PassRole", "iam:TagUser", "iam:UntagUser", "iam:TagRole", "iam:UntagRole", "iam:*"]),
    st.sampled_from(["*", USER, ADMIN]), _if,
)  # fmt: skip
_own = st.sampled_from([None, "red", "blue"])


def _ask(policies: list[dict[str, Any]], tags: tuple[str | None, str | None]) -> Evaluator:
    made = Account().user("ana", *policies).admin(service("lambda.amazonaws.com"))
    for item, tag in zip(made.items, tags, strict=True):
        item.tags.update({"team": tag} if tag else {})
    return Evaluator(World(made.estate()))


def _searched(policies: list[dict[str, Any]], start: tuple[str | None, str | None]) -> str:
    """yes: some order of writes that are each allowed then leads to where the action is allowed."""
    seen, queue = {start}, [start]
    while queue:
        tags = queue.pop()
        evaluator = _ask(policies, tags)
        persona = evaluator.world.principals[USER].persona
        if evaluator.decide(persona, "iam:passrole", ADMIN).value == "yes":
            return "yes"
        for index, (arn, kind) in enumerate(((USER, "user"), (ADMIN, "role"))):
            for value in ("red", "blue", "secinbox-any", None):
                extra: dict[str, Any] = {"aws:tagkeys": ("team",)}
                if value is not None:
                    extra["aws:requesttag/team"] = (value,)
                else:
                    extra["aws:requesttag/team"] = None
                action = f"iam:{'tag' if value else 'untag'}{kind}"
                after = (value, tags[1]) if index == 0 else (tags[0], value)
                if (
                    after not in seen
                    and evaluator.decide(persona, action, arn, extra).value == "yes"
                ):
                    seen.add(after)
                    queue.append(after)
    return "no"


@settings(max_examples=150, deadline=None)
@given(st.lists(_says, min_size=1, max_size=4), st.tuples(_own, _own))
def test_what_a_search_through_all_tags_finds(
    policies: list[dict[str, Any]], start: tuple[str | None, str | None]
) -> None:
    evaluator = _ask(policies, start)
    persona = evaluator.world.principals[USER].persona
    assert evaluator.attain(persona, "iam:passrole", ADMIN).value == _searched(policies, start)


# Many values and many tags

TEAMS = [f"team-{n:02}" for n in range(40)]
SAME = {"aws:RequestTag/team": TEAMS[-1]}


def one_of(teams: list[str]) -> dict[str, Any]:
    return {"StringEquals": {"aws:PrincipalTag/team": teams}}


@pytest.mark.parametrize(("statements", "trust", "expected"), [
    ([allow("iam:TagUser", USER)], one_of(TEAMS), "yes"),
    ([], one_of(TEAMS), "no"),
    # only the last of them may be written
    ([allow("iam:TagUser", USER, StringEquals=SAME)], one_of(TEAMS), "yes"),
    ([allow("iam:TagUser", USER, StringEquals=SAME)], one_of(TEAMS[:-1]), "no"),
    # each of them has a statement of its own: all but the last are denied
    ([allow("iam:TagUser", USER), *(deny_if("iam:TagUser", StringEquals={"aws:RequestTag/team": t})
                                    for t in TEAMS[:12])], one_of(TEAMS[:13]), "yes"),
    ([allow("iam:TagUser", USER), *(deny_if("iam:TagUser", StringEquals={"aws:RequestTag/team": t})
                                    for t in TEAMS[:12])], one_of(TEAMS[:12]), "no"),
    ([allow("iam:TagUser", USER), *(deny_if("iam:TagUser", StringEquals={"aws:RequestTag/team": t})
                                    for t in TEAMS)], one_of(TEAMS), "unknown"),
    # ten tags at once
    ([allow("iam:TagUser", USER)],
     {"StringEquals": {f"aws:PrincipalTag/k{n}": f"v{n}" for n in range(10)}}, "yes"),
    ([allow("iam:TagUser", USER), deny_if("iam:TagUser", StringEquals={"aws:RequestTag/k9": "v9"})],
     {"StringEquals": {f"aws:PrincipalTag/k{n}": f"v{n}" for n in range(10)}}, "unknown"),
    ([allow("iam:TagUser", USER), deny_if("iam:TagUser", StringEquals={"aws:RequestTag/k2": "v2"})],
     {"StringEquals": {f"aws:PrincipalTag/k{n}": f"v{n}" for n in range(3)}}, "no"),
])  # fmt: skip
def test_more_than_is_tried_is_unknown_and_never_no(
    statements: list[dict[str, Any]], trust: dict[str, Any], expected: str
) -> None:
    made = trusted(*statements, **trust)
    assert made.can() == expected


def test_what_was_not_tried_is_said() -> None:
    denied = (deny_if("iam:TagUser", StringEquals={"aws:RequestTag/team": t}) for t in TEAMS)
    made = trusted(allow("iam:TagUser", USER), *denied, **one_of(TEAMS))
    world = World(made.estate())
    evaluator = Evaluator(world)
    role = next(r for r in world.roles() if r.arn == ADMIN)
    from secinbox.iam.trusts import Trusts

    found = Trusts(world, evaluator).assume(world.principals[USER].persona, role)
    assert found.value == "unknown"
    assert any("tags that it may write: more values" in d for d in found.doubts)


HOPS = "ec2:MetadataHttpPutResponseHopLimit"


@pytest.mark.parametrize(("condition", "expected"), [
    ({"NumericLessThan": {HOPS: "2"}}, "yes"),
    ({"NumericLessThanEquals": {HOPS: "1"}}, "yes"),
    ({"NumericGreaterThan": {HOPS: "1"}}, "yes"),
    ({"StringEquals": {"ec2:InstanceType": [f"t{n}.micro" for n in range(60)]}}, "yes"),
])  # fmt: skip
def test_what_the_caller_chooses(condition: dict[str, Any], expected: str) -> None:
    made = Account().user("ana", allow("ec2:RunInstances", "*", **condition))
    found = Evaluator(World(made.estate())).can(
        USER, "ec2:RunInstances", f"arn:aws:ec2:{R}:{A}:instance/*"
    )
    assert found.value == expected


def test_of_many_values_the_one_that_is_not_denied_is_found() -> None:
    types = [f"t{n}.micro" for n in range(12)]
    statements = [allow("ec2:RunInstances", "*", StringEquals={"ec2:InstanceType": types})]
    statements += [
        deny_if("ec2:RunInstances", StringEquals={"ec2:InstanceType": t}) for t in types[:-1]
    ]
    made = Account().user("ana", *statements)
    found = Evaluator(World(made.estate())).can(
        USER, "ec2:RunInstances", f"arn:aws:ec2:{R}:{A}:instance/*"
    )
    assert found.value == "yes"
