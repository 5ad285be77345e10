"""Resources of sources as the blocks that a state would hold, without what cannot be told.

A name or an identifier that hangs on something unknown stays, as a mark: it is the same wherever it
is used. Any other unknown value is left out, which the readers of blocks take as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from secinbox.inventory.hcl.documents import judged
from secinbox.inventory.hcl.modules import NOWHERE, Copy
from secinbox.inventory.hcl.provider import defaults
from secinbox.inventory.hcl.values import Instance, Unknown, vague
from secinbox.inventory.terraform.blocks import Block

_NAMES = re.compile(
    r"(?:.*_)?(?:ids?|arns?|names?|users?|roles?|groups?|bucket|identifiers?|members?|project|topic|"
    r"queue_url|function|repository|location|zone|region|subnets|family|cluster|instance|ami|url|"
    r"dataset|service|email)"
)
_DOCUMENTS = frozenset({"policy", "assume_role_policy", "access_policies", "resource_policy",
                        "policy_data"})  # fmt: skip
_COMPUTED = ("arn", "id", "owner_id", "url", "key_id", "unique_id", "project", "zone", "region",
             "email", "member", "primary_network_interface_id", "stack_set_id")  # fmt: skip
_RULES = frozenset({"aws_security_group", "aws_default_security_group", "aws_security_group_rule",
                    "aws_vpc_security_group_ingress_rule"})  # fmt: skip
# Types with a nested block that decides who reaches them.
_NESTED = {"aws_eks_cluster": "vpc_config", "google_compute_instance": "network_interface"}
_ALL_OR_NOTHING = frozenset(
    {"aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"}
)


def blocks_of(copies: Iterable[Copy]) -> tuple[list[Block], dict[str, int]]:
    """Blocks, and how many of each type were left out because they hang on something unknown."""
    made = list(copies)
    addresses = set(_addresses(made))
    blocks: list[Block] = []
    left: dict[str, int] = {}
    for copy in made:
        values = copy.values()
        if copy.kind in _ALL_OR_NOTHING and any(
            vague(v) for k, v in values.items() if not _NAMES.fullmatch(k)
        ):
            left[copy.kind] = left.get(copy.kind, 0) + 1
            continue
        if copy.kind in _RULES:
            values = _sources(copy.kind, values)
        if copy.kind in _NESTED:
            values = _filled(copy, values)
        nowhere = copy.where.region == NOWHERE
        out = {k: _clean(k, v, nowhere) for k, v in values.items()}
        out |= {n: v for n, v in defaults(copy.kind).items() if values.get(n) is None}
        for name in _COMPUTED:
            if out.get(name) is None:
                found = copy.attribute(name)
                if isinstance(found, str) and "(None)" not in found:
                    out[name] = found
        if copy.kind in ("aws_iam_user", "aws_iam_role", "aws_iam_group", "aws_iam_policy",
                         "aws_s3_bucket", "aws_security_group"):  # fmt: skip
            name = "bucket" if copy.kind == "aws_s3_bucket" else "name"
            if out.get(name) is None:
                out[name] = _text(copy.attribute(name))
        if copy.kind == "aws_instance" and copy.name in addresses:
            out["public_ip"] = _text(copy.attribute("public_ip"))
        out = {k: v for k, v in out.items() if v is not None}
        blocks.append(
            Block(copy.kind, out, copy.block.place + " " + copy.module.address + copy.name)
        )
    _name_networks(blocks)
    return [*blocks, *_open_lists(blocks), *_open_urls(blocks)], left


def _open_urls(blocks: list[Block]) -> Iterator[Block]:
    """The statement that the provider adds to a function whose URL asks for no sign-in."""
    for url in blocks:
        if url.type != "aws_lambda_function_url" or url.text("authorization_type") != "NONE":
            continue
        yield Block("aws_lambda_permission", {
            "statement_id": "FunctionURLAllowPublicAccess", "action": "lambda:InvokeFunctionUrl",
            "principal": "*", "function_name": url.text("function_name"),
            "function_url_auth_type": "NONE",
        }, f"{url.place} (what the provider adds)")  # fmt: skip


def _name_networks(blocks: list[Block]) -> None:
    """Google's instances may name their subnetwork alone: it says which network they are in."""
    networks = {
        name: b.text("network") for b in blocks if b.type == "google_compute_subnetwork"
        for name in (b.text("name"), b.text("id")) if name
    }  # fmt: skip
    for block in blocks:
        for row in (
            block.rows("network_interface") if block.type == "google_compute_instance" else ()
        ):
            if not row.text("network") and networks.get(row.text("subnetwork")):
                row.values["network"] = networks[row.text("subnetwork")]


def _filled(copy: Copy, values: dict[str, Any]) -> dict[str, Any]:
    """Defaults inside of nested blocks; a block whose decisive part is unknown is left out."""
    name = _NESTED[copy.kind]
    rows = values.get(name)
    made: list[Any] = []
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, dict):
            continue
        if copy.kind == "aws_eks_cluster":
            full = {"endpoint_public_access": True, "public_access_cidrs": ["0.0.0.0/0"], **row}
            if not any(vague(full[k]) for k in ("endpoint_public_access", "public_access_cidrs")):
                made.append(full)
        else:
            mark = copy.module.unknown(f"{copy.name}.address").mark
            given = row.get("access_config")
            open_ = [a if isinstance(a, dict) and a.get("nat_ip") else {"nat_ip": mark}
                     for a in given] if isinstance(given, list) else []  # fmt: skip
            made.append(row | ({"access_config": open_} if open_ else {}))
    return {k: v for k, v in values.items() if k != name} | ({name: made} if made else {})


def _open_lists(blocks: list[Block]) -> Iterator[Block]:
    """The network ACL that AWS gives to every VPC when it is made: it admits everything."""
    kept = {b.text("vpc_id") for b in blocks if b.type == "aws_default_network_acl"}
    kept |= {
        b.text("default_network_acl_id") for b in blocks if b.type == "aws_default_network_acl"
    }
    own = {s for b in blocks if b.type == "aws_network_acl" for s in b.texts("subnet_ids")}
    own |= {b.text("subnet_id") for b in blocks if b.type == "aws_network_acl_association"}
    for vpc in blocks:
        number = vpc.text("id")  # vpc-(ADDRESS~123456)
        if vpc.type != "aws_vpc" or any(vpc.text("id")[5:-8] in k for k in kept):
            continue
        subnets = [b.text("id") for b in blocks
                   if b.type == "aws_subnet" and b.text("vpc_id") == number and b.text("id") not in own]  # fmt: skip
        rule = {"protocol": "-1", "action": "allow", "rule_no": 100, "cidr_block": "0.0.0.0/0"}
        yield Block("aws_default_network_acl", {
            "id": f"acl-{number}", "vpc_id": number, "subnet_ids": subnets,
            "owner_id": vpc.text("owner_id"), "ingress": [rule], "egress": [rule],
            "arn": vpc.arn.replace("vpc/", "network-acl/acl-"),
        }, vpc.place + " (its default network ACL)")  # fmt: skip


def _text(value: Any) -> str | None:
    return value.mark if isinstance(value, Unknown) else value if isinstance(value, str) else None


def _addresses(copies: list[Copy]) -> Iterator[str]:
    """Names of instances that will get a public address, which nobody knows yet."""
    subnets = {_text(c.attribute("id")) for c in copies if c.kind in ("aws_subnet", "aws_default_subnet")
               and (c.kind == "aws_default_subnet" or c.attribute("map_public_ip_on_launch") is True)}  # fmt: skip
    for copy in copies:
        if copy.kind != "aws_instance":
            continue
        asked = copy.block.body.arguments.get("associate_public_ip_address")
        wanted = copy.attribute("associate_public_ip_address") if asked is not None else None
        subnet = _text(copy.attribute("subnet_id"))
        if wanted in (True, "true") or (wanted is None and subnet in subnets):
            yield copy.name


def _sources(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Whom a rule admits: what is unknown becomes a list that nobody read, never nobody."""
    if kind in ("aws_security_group", "aws_default_security_group"):
        rows = values.get("ingress")
        if isinstance(rows, Unknown):
            rows = [{"prefix_list_ids": [rows]}]
        listed = rows if isinstance(rows, list) else [rows] if isinstance(rows, dict) else []
        made = [_rule(r) if isinstance(r, dict) else {"prefix_list_ids": [r]} for r in listed]
        return values | ({"ingress": made} if "ingress" in values else {})
    return _rule(values)


def _rule(row: dict[str, Any]) -> dict[str, Any]:
    out = dict(row)
    doubtful = any(vague(row.get(k)) for k in ("from_port", "to_port", "protocol", "ip_protocol"))
    unread: list[Any] = []
    for field in ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"):
        given = row.get(field)
        listed = given if isinstance(given, list) else [] if given is None else [given]
        sure = [c for c in listed if not vague(c) and not doubtful]
        unread += [c for c in listed if c not in sure]
        if given is not None:
            out[field] = sure if field.endswith("blocks") else sure[0] if sure else None
    if unread:
        lists = row.get("prefix_list_ids")
        said = [str(_text(c) or "an unknown range") for c in unread]
        out["prefix_list_ids"] = [*(lists if isinstance(lists, list) else []), *said]
    return out


def _clean(name: str, value: Any, nowhere: bool) -> Any:
    if isinstance(value, Unknown):
        named = _NAMES.fullmatch(name) or name in _DOCUMENTS or name == "prefix_list_ids"
        return value.mark if named else None
    if isinstance(value, Instance):
        return None
    if isinstance(value, dict):
        return {k: c for k, v in value.items() if (c := _clean(k, v, nowhere)) is not None}
    if isinstance(value, list):
        return [c for v in value if (c := _clean(name, v, nowhere)) is not None]
    if name in _DOCUMENTS and isinstance(value, str):
        return judged(value, nowhere)
    if value in ("true", "false") and not _NAMES.fullmatch(name):
        return value == "true"
    return value
