"""Terraform sources: what they build, what cannot be told, and hostile ones."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from secinbox import opening
from secinbox.connectors import recognise
from secinbox.estate import Estate, estate_of
from secinbox.iam.evaluate import Evaluator as Permissions
from secinbox.iam.privilege import escalations, privilege
from secinbox.iam.world import World
from secinbox.inventory import hcl
from secinbox.inventory.hcl.syntax import parse
from secinbox.inventory.hcl.values import Budget, Evaluator, Unknown
from secinbox.network import exposure
from secinbox.pipeline import import_reports
from secinbox.reading import Report, ReportError
from secinbox.records import AnyRecord, Skipped
from tests.conftest import CLOCK

SAMPLE = Path(__file__).parent / "samples/hcl"
ROLE = """
resource "aws_iam_role" "r" {
  name = "r"
  assume_role_policy = jsonencode({Version = "2012-10-17", Statement = [%s]})
}
"""
TRUST = '{Effect = "Allow", Action = "sts:AssumeRole", Principal = {AWS = %s}}'


def records(files: dict[str, str], name: str = "infra/shop", **options: str) -> list[AnyRecord]:
    data = json.dumps({hcl.KEY: files}).encode()
    return list(hcl.read(Report(data, name, (), CLOCK, {"account": hcl.NEW, **options})))


def estate(main: str, **options: str) -> Estate:
    return estate_of(records({"main.tf": main}, **options))


def sample() -> list[AnyRecord]:
    data = opening.load(next(p for p in opening.find((str(SAMPLE),)) if p.sources))
    assert recognise(data, "samples/hcl").id == "hcl"
    return list(hcl.read(Report(data, "samples/hcl", (), CLOCK, {"account": "111122223333"})))


def public(found: Estate) -> dict[str, str]:
    return {s.resource: s.value for s in exposure(found)}


def value(text: str) -> Any:
    expression = parse(f"x = {text}\n", "x.tf").arguments["x"]
    evaluator = Evaluator(lambda name, steps: Unknown(f"({name}.{steps[0]}~123456)"), "123456",
                          Budget())  # fmt: skip
    return evaluator.value(expression, {})


def test_the_sample_says_what_it_builds() -> None:
    found = estate_of(sample())
    said = public(found)
    servers = found.of_type("aws_ec2_instance")
    assert len(servers) == 2
    assert {said[s.uid] for s in servers} == {"yes"}
    tokens = {s.config["MetadataOptions"]["HttpTokens"] for s in servers}
    assert tokens == {"required", "optional"}
    bucket = found.of_type("aws_s3_bucket")[0]
    assert bucket.uid.startswith("arn:aws:s3:::") and "lower-var.prefix-shop-Orders" in bucket.uid
    assert len(found.of_type("aws_ec2_subnet")) == 2
    assert {s.config["CidrBlock"] for s in found.of_type("aws_ec2_subnet")} == {
        "10.0.0.0/24", "10.0.1.0/24"}  # fmt: skip
    roles = {r.uid for r in found.of_type("aws_iam_role")}
    assert len(roles) == 2 and all(":111122223333:role/" in r for r in roles)


def test_no_secret_of_the_sample_becomes_a_record() -> None:
    assert "SECRETVALUE" not in repr(sample())


def test_the_role_of_a_module_is_powerful_and_the_other_is_not() -> None:
    found = estate_of(sample())
    held = {p.resource: p for p in privilege(found)}
    worker = next(u for u in held if u.endswith("worker"))
    web = next((p for u, p in held.items() if u.endswith("-web")), None)
    assert held[worker].value == "yes"
    assert web is None or web.value == "no"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"a-${1 + 2 * 3}"', "a-7"),
        ('true ? "a" : var.x', "a"),
        ('"$${aws:username}"', "${aws:username}"),
        ('"a\\"b\\u0041\\n"', 'a"bA\n'),
        ("[for x in [1, 2, 3] : x * 2 if x != 2]", [2, 6]),
        ('{for k, v in {a = 1} : upper(k) => v}', {"A": 1}),
        ('{\n  a = 1\n  "b-${1}" : 2,\n}', {"a": 1, "b-1": 2}),
        ('merge({a = 1}, {a = 2}).a', 2),
        ('join(",", concat(["a"], ["b"]))', "a,b"),
        ('format("%s-%d", "a", 3)', "a-3"),
        ('cidrsubnet("10.0.0.0/16", 8, 2)', "10.0.2.0/24"),
        ('jsondecode(jsonencode({a = [1, true, null]}))', {"a": [1, True, None]}),
        ('lookup({a = 1}, "b", 3)', 3),
        ('element(["a", "b"], 3)', "b"),
        ('replace("a.b", ".", "-")', "a-b"),
        ('1 > 2 || !false', True),
        ('"${"a" == "a" ? "{" : "}"}"', "{"),
        ("<<-E\n    a\n      b\n  E", "a\n  b\n"),
        ("<<E\n  a ${1}\nE", "  a 1\n"),
        ("[{a = 1}, {a = 2}][*].a", [1, 2]),
        ("-2 # a remark", -2),
        ('contains(["a"], "a") /* x */', True),
    ],
)  # fmt: skip
def test_expressions(text: str, said: Any) -> None:
    assert value(text) == said


@pytest.mark.parametrize(
    "text", ["var.x", "var.x[0].y", "file(var.x)", "timestamp()", 'var.x ? "a" : "b"',
             "[for a in var.x : a]", "1 / 0", "length(var.x)", 'var.x == "a"', "sha1(var.x)"],
)  # fmt: skip
def test_what_cannot_be_told_is_unknown(text: str) -> None:
    assert isinstance(value(text), Unknown)


def test_a_text_with_something_unknown_is_the_same_wherever_it_is_the_same() -> None:
    assert value('"a-${var.x}"') == value('"a-${var.x}"') != value('"a-${var.y}"')
    assert value("lower(var.x)") == value("lower(var.x)") != value("lower(var.y)")


@pytest.mark.parametrize(
    "text", ['var.x ? "a" : "b"', "uuid()", "var.x + 1", '"%{ if var.x }a%{ endif }"']
)
def test_two_things_that_have_no_name_are_never_taken_for_one(text: str) -> None:
    one, two = value(f"[{text}, {text}]")
    assert one != two


GROUP = """
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "s" {
  vpc_id = aws_vpc.v.id
  cidr_block = "10.0.0.0/24"
}
resource "aws_internet_gateway" "g" { vpc_id = aws_vpc.v.id }
resource "aws_route_table" "t" {
  vpc_id = aws_vpc.v.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.g.id
  }
}
resource "aws_route_table_association" "a" {
  subnet_id = aws_subnet.s.id
  route_table_id = aws_route_table.t.id
}
resource "aws_security_group" "w" {
  vpc_id = aws_vpc.v.id
  ingress {
    from_port = %(port)s
    to_port = %(port)s
    protocol = "tcp"
    cidr_blocks = %(who)s
  }
}
resource "aws_instance" "i" {
  subnet_id = aws_subnet.s.id
  associate_public_ip_address = %(address)s
  vpc_security_group_ids = [aws_security_group.w.id]
}
%(more)s
"""
OPEN = {"port": "22", "who": '["0.0.0.0/0"]', "address": "true", "more": ""}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "yes"),
        ({"who": '["10.0.0.0/8"]'}, "no"),
        ({"who": "var.office"}, "unknown"),
        ({"who": "[var.office]"}, "unknown"),
        ({"who": '["${var.ip}/32"]'}, "unknown"),
        ({"port": "var.port"}, "unknown"),
        ({"address": "false"}, "no"),
        ({"more": 'resource "aws_network_acl" "n" {\n vpc_id = aws_vpc.v.id\n'
                  " subnet_ids = [aws_subnet.s.id]\n}"}, "no"),
    ],
)  # fmt: skip
def test_a_server_and_who_reaches_it(change: dict[str, str], said: str) -> None:
    found = estate(GROUP % (OPEN | change))
    assert public(found)[found.of_type("aws_ec2_instance")[0].uid] == said


@pytest.mark.parametrize(
    ("trust", "said"),
    [
        (TRUST % '"*"', "yes"),
        (TRUST % "data.aws_caller_identity.me.account_id", "no"),
        (TRUST % "var.partner", "unknown"),
        (TRUST % '"arn:aws:iam::${var.partner}:root"', "unknown"),
        ("var.statement", "unknown"),
    ],
)
def test_whom_a_role_trusts(trust: str, said: str) -> None:
    data = 'data "aws_caller_identity" "me" {}'
    found = estate(ROLE % trust + data)
    assert public(found)[found.of_type("aws_iam_role")[0].uid] == said


def test_a_policy_that_hangs_on_something_unknown_makes_no_certain_no() -> None:
    policy = """
    resource "aws_iam_user" "u" { name = "u" }
    resource "aws_iam_user_policy" "p" {
      user = aws_iam_user.u.name
      policy = jsonencode({Version = "2012-10-17", Statement = [
        {Effect = "Allow", Action = %s, Resource = "*"}]})
    }
    """

    def power(action: str) -> set[str]:
        return {p.value for p in privilege(estate(policy % action))}

    assert power('"*"') == {"yes"}
    assert "yes" not in power('"s3:ListAllMyBuckets"')
    assert "unknown" in power("var.actions") and "yes" not in power("var.actions")


@pytest.mark.parametrize(
    ("region", "said"),
    [("eu-west-1", {"yes"}), ("eu-north-1", {"no"}), ("", {"unknown"})],
)
def test_a_policy_for_one_region_where_the_region_is_unknown(region: str, said: set[str]) -> None:
    text = f"""
    {f'provider "aws" {{ region = "{region}" }}' if region else ""}
    resource "aws_iam_user" "u" {{ name = "u" }}
    resource "aws_secretsmanager_secret" "s" {{
      name = "s"
      tags = {{ other = "us-east-1 and eu-west-1" }}
    }}
    resource "aws_iam_user_policy" "p" {{
      user = aws_iam_user.u.name
      policy = jsonencode({{Version = "2012-10-17", Statement = [{{Effect = "Allow",
        Action = "secretsmanager:GetSecretValue", Resource = "arn:aws:secretsmanager:eu-west-1:*:secret:*"}}]}})
    }}
    """
    found = estate(text)
    secret = found.of_type("aws_secretsmanager_secret")[0].uid
    user = found.of_type("aws_iam_user")[0].uid
    assert {
        Permissions(World(found)).can(user, "secretsmanager:GetSecretValue", secret).value
    } == said


def test_count_zero_builds_nothing() -> None:
    found = estate('resource "aws_sqs_queue" "q" {\n count = 0\n name = "q"\n}\n'
                   'resource "aws_sqs_queue" "p" {\n count = var.n\n name = "p"\n}')  # fmt: skip
    assert [q.uid.rpartition(":")[2] for q in found.of_type("aws_sqs_queue")] == ["p"]


def test_two_folders_are_never_taken_for_one_account() -> None:
    files = {f"{f}/main.tf": ROLE % (TRUST % '"*"') for f in ("a", "b")}
    accounts = {r.uid.split(":")[4] for r in estate_of(records(files)).of_type("aws_iam_role")}
    assert len(accounts) == 2 and all(a.startswith("0000") for a in accounts)
    told = estate_of(records(files, account="111122223333")).of_type("aws_iam_role")
    assert {r.uid.split(":")[4] for r in told} == {"111122223333"}


def test_providers_that_sign_in_elsewhere_are_other_accounts_and_regions_are_not() -> None:
    text = """
    provider "aws" { region = "eu-west-1" }
    provider "aws" {
      alias = "other"
      region = "us-east-1"
      %s
    }
    resource "aws_sqs_queue" "a" { name = "a" }
    resource "aws_sqs_queue" "b" {
      name = "b"
      provider = aws.other
    }
    """
    role = 'assume_role { role_arn = "arn:aws:iam::111122223333:role/x" }'
    same, apart = ({q.uid.split(":")[4] for q in estate(text % more).of_type("aws_sqs_queue")}
                   for more in ("", role))  # fmt: skip
    assert (len(same), len(apart)) == (1, 2)
    assert {q.region for q in estate(text % "").of_type("aws_sqs_queue")} == {
        "eu-west-1", "us-east-1"}  # fmt: skip


def test_values_that_the_folder_gives_to_its_variables() -> None:
    files = {"main.tf": 'variable "n" {}\nresource "aws_sqs_queue" "q" { name = var.n }',
             "terraform.tfvars": 'n = "orders"\n'}  # fmt: skip
    assert estate_of(records(files)).of_type("aws_sqs_queue")[0].uid.endswith(":orders")


def one(kind: str, /, **arguments: str) -> str:
    return (
        f'resource "{kind}" "x" {{\n'
        + "".join(f"{k} = {v}\n" for k, v in arguments.items())
        + "}\n"
    )


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"main.tf": 'resource "aws_vpc" "v" {\n cidr_block = "10'}, "truncated"),
        ({"main.tf": 'resource "aws_vpc" "v" {\n'}, "truncated"),
        ({"main.tf": "x {\n y = <<E\n never closed"}, "truncated"),
        ({"main.tf": "x = " + "[" * 5000 + "]" * 5000}, "nested too deeply"),
        ({"main.tf": "a { " * 3000 + "}" * 3000}, "nested too deeply"),
        ({"main.tf": "x { y = " + "!" * 5000 + "true }"}, "nested too deeply"),
        ({"main.tf": 'x { y = "' + "${\"" * 3000 + '"}' * 3000 + '" }'}, "nested too deeply"),
        ({"main.tf": "x" * (1 << 21)}, "too large"),
        ({"main.tf": "= 3"}, "expected a name"),
        ({"main.tf": "locals {\n a = local.b\n b = local.a\n}\n" + one("aws_sqs_queue", name="local.a")},
         "refer to each other"),
        ({"main.tf": one("aws_sqs_queue", name="aws_sqs_queue.x.name")}, "refer to each other"),
        ({"main.tf": 'module "a" {\n source = "./"\n}\n'}, "call themselves"),
        ({"a/main.tf": 'module "b" {\n source = "../b"\n}', "b/main.tf": 'module "a" {\n source = "../a"\n}'},
         "call themselves"),
        ({"main.tf": one("aws_sqs_queue", name="jsonencode([for a in range(900) : [for b in range(900) : "
                         "[for c in range(900) : a]]])")}, "too much"),
        ({"main.tf": "locals {\n" + "".join(f"a{i} = local.a{i + 1}\n" for i in range(2000))
          + "a2000 = 1\n}\n" + one("aws_sqs_queue", name="local.a0")}, "nested too deeply"),
    ],
)  # fmt: skip
def test_bad_sources_give_one_clear_error(files: dict[str, str], said: str) -> None:
    with pytest.raises(ReportError) as caught:
        records(files)
    assert said in caught.value.message
    assert caught.value.place and caught.value.hint


def test_a_folder_that_is_broken_keeps_the_others() -> None:
    found = records({"a/main.tf": "x {", "b/main.tf": one("aws_sqs_queue", name='"q"')})
    left = [r for r in found if isinstance(r, Skipped) and not r.harmless]
    assert len(left) == 1 and left[0].place.startswith("a/main.tf line")
    assert estate_of(found).of_type("aws_sqs_queue")


@pytest.mark.parametrize("twice", ["${%s}${%s}", None])
@pytest.mark.parametrize("use", ["local.a0", "jsonencode(local.a0)", "local.a0 == local.a1",
                                 "length(local.a0)", "var.x ? local.a0 : local.a1"])  # fmt: skip
def test_values_that_double_are_given_up(twice: str | None, use: str) -> None:
    def doubled(name: str) -> str:
        return f'"{twice % (name, name)}"' if twice else f"[{name}, {name}]"

    text = "locals {\n" + "".join(f"a{i} = {doubled(f'local.a{i + 1}')}\n" for i in range(60))
    text += 'a60 = "xxxxxxxx"\n}\n' + one("aws_sqs_queue", name=f'"${{{use}}}"')
    found = estate(text).of_type("aws_sqs_queue")
    assert all(len(q.uid) < 1 << 20 for q in found)


@pytest.mark.parametrize(
    "source", ["../../etc", "/etc", "../secret", "./../../x", "git::https://x/y"]
)
def test_a_module_from_elsewhere_is_never_read(tmp_path: Path, source: str) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/main.tf").write_text(one("aws_sqs_queue", name='"outside"'))
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "main.tf").write_text(f'module "m" {{\n source = "{source}"\n}}\n'
                                    + one("aws_sqs_queue", name='"${module.m.name}"'))  # fmt: skip
    (inside / "linked.tf").symlink_to(tmp_path / "secret/main.tf")
    place = next(p for p in opening.find((str(inside),)) if p.sources)
    found = list(hcl.read(Report(opening.load(place), "x/inside", (), CLOCK, {"account": hcl.NEW})))
    assert "outside" not in repr(found)
    assert any("not in the import" in r.reason for r in found if isinstance(r, Skipped))


def test_a_folder_a_zip_and_a_file_of_sources(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "main.tf").write_text('module "m" {\n source = "./m"\n}\n')
    (tmp_path / "m/main.tf").write_text(one("aws_sqs_queue", name='"q"'))
    (tmp_path / "notes.txt").write_text("nothing")
    places = list(opening.find((str(tmp_path),)))
    assert [p.sources for p in places] == [False, True]
    packed = tmp_path.parent / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("main.tf", "m/main.tf", "notes.txt"):
            archive.write(tmp_path / name, name)
    zipped = [p for p in opening.find((str(packed),)) if p.sources]
    assert opening.load(zipped[0]) == opening.load(places[1])
    data = opening.load(opening.Place(str(tmp_path / "m/main.tf")))
    assert recognise(data, "m/main.tf").id == "hcl"
    assert estate_of(hcl.read(Report(data, "m/main.tf", (), CLOCK, {"account": hcl.NEW}))).of_type(
        "aws_sqs_queue"
    )


def test_sources_among_reports_are_no_estate(session: Any) -> None:
    """A checkout that a scanner read lies beside its reports: what it would build is not there."""
    done = import_reports(session.facts, (str(SAMPLE),))
    assert done[0]["status"] == "imported" and done[0]["records"]["resources"] == 0
    assert "--account" in done[0]["skipped"][0]["reason"]


def test_an_import_of_a_folder(session: Any) -> None:
    done = import_reports(session.facts, (str(SAMPLE),), options={"account": "111122223333"})
    assert [d["format"] for d in done] == ["hcl"]
    assert done[0]["status"] == "imported" and done[0]["records"]["resources"] > 10


REFILL = """
resource "aws_iam_role" "weak" {
  name = "weak"
  assume_role_policy = local.ec2
}
resource "aws_iam_role" "strong" {
  name = "strong"
  assume_role_policy = local.ec2
}
resource "aws_iam_role_policy" "strong" {
  role = aws_iam_role.strong.name
  policy = jsonencode({Version = "2012-10-17", Statement = [
    {Effect = "Allow", Action = "*", Resource = "*"}]})
}
resource "aws_iam_instance_profile" "p" {
  name = "p"
  role = aws_iam_role.weak.name
}
locals {
  ec2 = jsonencode({Version = "2012-10-17", Statement = [
    {Effect = "Allow", Action = "sts:AssumeRole", Principal = {Service = "ec2.amazonaws.com"}}]})
}
resource "aws_iam_user" "u" { name = "u" }
resource "aws_iam_user_policy" "u" {
  user = aws_iam_user.u.name
  policy = jsonencode({Version = "2012-10-17", Statement = [
    {Effect = "Allow", Action = [%s], Resource = "*"}]})
}
"""
REFILLS = ("iam:PassRole", "iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile",
           "ec2:RunInstances")  # fmt: skip


@pytest.mark.parametrize("without", ["", *REFILLS])
def test_a_profile_can_be_given_another_role(without: str) -> None:
    actions = ", ".join(f'"{a}"' for a in REFILLS if a != without)
    said = {p.resource: p.value for p in privilege(estate(REFILL % actions))}
    held = next(v for u, v in said.items() if u.endswith(":user/u"))
    assert (held == "yes") is (without == "")


SHARED = """
provider "aws" { region = "eu-west-1" }
provider "aws" {
  alias = "prod"
  region = "eu-west-1"
  assume_role { role_arn = "arn:aws:iam::111122223333:role/x" }
}
resource "aws_iam_user" "dev" { name = "dev" }
resource "aws_iam_user_policy" "dev" {
  user = aws_iam_user.dev.name
  policy = jsonencode({Version = "2012-10-17", Statement = [
    {Effect = "Allow", Action = ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"], Resource = "*"}]})
}
resource "aws_iam_role" "prod" {
  provider = aws.prod
  name = "prod"
  assume_role_policy = jsonencode({Version = "2012-10-17", Statement = [
    {Effect = "Allow", Action = "sts:AssumeRole", Principal = {Service = "lambda.amazonaws.com"}}]})
}
resource "aws_lambda_function" "f" {
  provider = aws.prod
  function_name = "f"
  role = aws_iam_role.prod.arn
}
resource "aws_lambda_permission" "p" {
  provider = aws.prod
  function_name = aws_lambda_function.f.function_name
  action = "%(action)s"
  principal = %(whom)s
}
"""


@pytest.mark.parametrize(
    ("change", "reached"),
    [
        ({}, True),
        ({"action": "lambda:InvokeFunction"}, False),
        ({"whom": '"arn:aws:iam::999999999999:root"'}, False),
    ],
)
def test_the_code_of_a_function_is_replaced_from_another_account(
    change: dict[str, str], reached: bool
) -> None:
    granted = {"action": "lambda:UpdateFunctionCode", "whom": "aws_iam_user.dev.arn"}
    found = estate(SHARED % (granted | change))
    steps = {(s.source, s.target) for s in escalations(found)}
    assert any(
        a.endswith("user/dev") and b.endswith("role/prod") for a, b in steps
    ) is reached  # fmt: skip


def test_a_peering_joins_the_networks_that_it_names() -> None:
    found = estate("""
    resource "aws_vpc" "a" { cidr_block = "10.0.0.0/16" }
    resource "aws_vpc" "b" { cidr_block = "10.1.0.0/16" }
    resource "aws_vpc_peering_connection" "p" {
      vpc_id = aws_vpc.a.id
      peer_vpc_id = aws_vpc.b.id
    }
    """)
    config = found.of_type("aws_ec2_vpc_peering_connection")[0].config
    ends = {config["RequesterVpcInfo"]["VpcId"], config["AccepterVpcInfo"]["VpcId"]}
    assert ends == {v.config["VpcId"] for v in found.of_type("aws_ec2_vpc")}


def test_what_runs_on_order_is_described() -> None:
    found = estate("""
    resource "aws_ecs_cluster" "c" { name = "c" }
    resource "aws_ecs_task_definition" "t" {
      family = "t"
      task_role_arn = "arn:aws:iam::111122223333:role/t"
      container_definitions = jsonencode([{name = "a", image = "nginx:1",
        environment = [{name = "KEY", value = "SECRETVALUE"}]}])
    }
    resource "aws_ecs_service" "s" {
      name = "s"
      cluster = aws_ecs_cluster.c.id
      task_definition = aws_ecs_task_definition.t.arn
    }
    resource "aws_codebuild_project" "b" {
      name = "b"
      service_role = "arn:aws:iam::111122223333:role/b"
    }
    resource "aws_elb" "e" {
      name = "e"
      internal = var.inside
      listener {
        lb_port = 80
        lb_protocol = "http"
        instance_port = 80
        instance_protocol = "http"
      }
    }
    resource "aws_eks_cluster" "open" {
      name = "open"
      vpc_config { subnet_ids = [] }
    }
    resource "aws_eks_cluster" "shut" {
      name = "shut"
      vpc_config { endpoint_public_access = false }
    }
    resource "aws_eks_cluster" "either" {
      name = "either"
      vpc_config { endpoint_public_access = var.open }
    }
    """)
    said = {u.rpartition("/")[2]: v for u, v in public(found).items() if ":eks:" in u}
    assert said == {"open": "yes", "shut": "no", "either": "unknown"}
    assert next(v for u, v in public(found).items() if u.endswith("loadbalancer/e")) != "no"
    assert {i.type for i in found.items.values()} >= {
        "aws_ecs_cluster", "aws_ecs_service", "aws_ecs_task_definition", "aws_codebuild_project"}  # fmt: skip
    assert "SECRETVALUE" not in repr(found.items)


@pytest.mark.parametrize(("instance", "wanted"), [
    ("", "unknown"),  # another folder may build it
    ("publicly_accessible = false", "no"),
])  # fmt: skip
def test_a_cluster_of_databases_is_as_public_as_its_instances(instance: str, wanted: str) -> None:
    text = 'resource "aws_rds_cluster" "c" { cluster_identifier = "orders" }\n'
    if instance:
        text += ('resource "aws_rds_cluster_instance" "i" {\n  identifier = "orders-1"\n'
                 f'  cluster_identifier = aws_rds_cluster.c.id\n  {instance}\n}}\n')  # fmt: skip
    told = {s.resource.rpartition(":")[2]: s.value for s in exposure(estate(text))}
    assert told["orders"] == wanted


def test_services_that_a_folder_builds() -> None:
    found = public(
        estate("""
    resource "aws_api_gateway_rest_api" "a" { name = "a" }
    resource "aws_api_gateway_resource" "pets" {
      rest_api_id = aws_api_gateway_rest_api.a.id
      path_part = "pets"
    }
    resource "aws_api_gateway_method" "m" {
      rest_api_id = aws_api_gateway_rest_api.a.id
      resource_id = aws_api_gateway_resource.pets.id
      http_method = "GET"
      authorization = "NONE"
    }
    resource "aws_api_gateway_stage" "s" {
      rest_api_id = aws_api_gateway_rest_api.a.id
      stage_name = "live"
    }
    resource "aws_apigatewayv2_api" "h" {
      name = "h"
      protocol_type = "HTTP"
    }
    resource "aws_apigatewayv2_route" "r" {
      api_id = aws_apigatewayv2_api.h.id
      route_key = "GET /"
      authorization_type = "JWT"
    }
    resource "aws_apprunner_service" "w" { service_name = "w" }
    resource "aws_apprunner_service" "x" {
      service_name = "x"
      network_configuration {
        ingress_configuration { is_publicly_accessible = false }
      }
    }
    resource "aws_apprunner_service" "y" {
      service_name = "y"
      network_configuration {
        ingress_configuration { is_publicly_accessible = var.open }
      }
    }
    resource "aws_transfer_server" "t" {}
    resource "aws_cognito_identity_pool" "p" { identity_pool_name = "p" }
    resource "aws_backup_vault" "v" { name = "v" }
    resource "aws_backup_vault_policy" "v" {
      backup_vault_name = aws_backup_vault.v.name
      policy = jsonencode({Version = "2012-10-17", Statement = [
        {Effect = "Allow", Principal = "*", Action = "backup:*", Resource = "*"}]})
    }
    """)
    )
    kinds = sorted((u.split(":")[2], v) for u, v in found.items())
    assert kinds == [
        ("apigateway", "no"), ("apigateway", "yes"), ("apprunner", "no"), ("apprunner", "unknown"),
        ("apprunner", "yes"), ("backup", "yes"), ("cognito-identity", "no"), ("transfer", "yes"),
    ]  # fmt: skip
