"""What is read by policy: queues, topics, keys, secrets, functions, registries, shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from secinbox.arn import parse_arn
from secinbox.estate import Estate, Item
from secinbox.iam.guardrails import walls_of
from secinbox.iam.policy import Policy, parse
from secinbox.inventory.aws.answers import Unread, answer, covered
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.openings import entries
from secinbox.network.aws.policies import Surroundings, admits_strangers
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence


def around(estate: Estate, item: Item, **known: tuple[str, ...] | None) -> Surroundings:
    return Surroundings(
        item.account, item.tags, {k.replace("__", ":"): v for k, v in known.items()},
        walls=walls_of(estate, item.account),
    )  # fmt: skip


def policy_verdict(
    estate: Estate, item: Item, call: str, path: str, actions: tuple[str, ...], what: str,
    resource: str = "",
) -> Verdict:  # fmt: skip
    """The resource policy that `call` answered, at `path`."""
    found = answer(item, call)
    if isinstance(found, Unread):
        return unknown(f"{what}: {found.text}", item.uid)
    document = next(walk(dict(found), path), None) if found else None
    if document in (None, ""):
        return no(f"no {what}", item.uid)
    return admits_strangers(
        parse(document, what), actions, resource or item.uid, around(estate, item), what
    )


# Messages, keys, secrets


def queue(estate: Estate, item: Item) -> Verdict:
    return policy_verdict(estate, item, "get_queue_attributes", "Attributes.Policy",
                          ("sqs:sendmessage", "sqs:receivemessage", "sqs:*"), "queue policy")  # fmt: skip


def topic(estate: Estate, item: Item) -> Verdict:
    return policy_verdict(estate, item, "get_topic_attributes", "Attributes.Policy",
                          ("sns:publish", "sns:subscribe", "sns:*"), "topic policy")  # fmt: skip


def key(estate: Estate, item: Item) -> Verdict:
    if str(item.config.get("KeyState") or "") in ("PendingDeletion", "Disabled"):
        return no(f"the key is {item.config['KeyState']}", item.uid)
    return policy_verdict(estate, item, "get_key_policy", "Policy",
                          ("kms:decrypt", "kms:encrypt", "kms:putkeypolicy", "kms:*"), "key policy")  # fmt: skip


def secret(estate: Estate, item: Item) -> Verdict:
    return policy_verdict(estate, item, "get_resource_policy", "ResourcePolicy",
                          ("secretsmanager:getsecretvalue", "secretsmanager:*"), "secret's policy")  # fmt: skip


def repository(estate: Estate, item: Item) -> Verdict:
    if item.uid.split(":")[2] == "ecr-public":
        return yes(
            Evidence(kind="endpoint", text="a public registry: anyone may pull", source=item.uid)
        )
    return policy_verdict(estate, item, "get_repository_policy", "policyText",
                          ("ecr:batchgetimage", "ecr:getdownloadurlforlayer", "ecr:putimage", "ecr:*"),
                          "repository policy")  # fmt: skip


def file_system(estate: Estate, item: Item) -> Verdict:
    return policy_verdict(
        estate,
        item,
        "describe_file_system_policy",
        "Policy",
        ("elasticfilesystem:clientmount", "elasticfilesystem:*"),
        "file system policy",
    )


def table(estate: Estate, item: Item) -> Verdict:
    if "get_resource_policy" not in item.config:
        # Resource policies of tables are rare and seldom collected: no statement, no guess.
        return unknown("table's policy: get_resource_policy was not read", item.uid)
    return policy_verdict(estate, item, "get_resource_policy", "Policy",
                          ("dynamodb:getitem", "dynamodb:scan", "dynamodb:*"), "table's policy")  # fmt: skip


# Functions

_API_CALLS = ("apigateway.get_rest_apis", "apigatewayv2.get_apis")


def function(estate: Estate, item: Item, fronts: list[Verdict]) -> Verdict:
    """By its policy (any caller may invoke), by a URL without sign-in, or through something."""
    found = answer(item, "get_policy")
    if isinstance(found, Unread):
        return either([*fronts, unknown(f"function policy: {found.text}", item.uid)])
    policy = parse(found["Policy"], "function policy") if found and found.get("Policy") else None
    ways = [*fronts, _invoked(estate, item, policy), _url(estate, item, policy)]
    if policy is not None:
        ways += _fronts_unread(estate, item, policy)
    return either(ways)


def _fronts_unread(estate: Estate, item: Item, policy: Policy) -> Iterator[Verdict]:
    """What the policy lets call the function, and nobody read whether it lets anyone in."""
    for statement in policy.statements:
        services = {v for k, v in statement.principals or () if k == "Service"}
        services &= {"apigateway.amazonaws.com", "elasticloadbalancing.amazonaws.com"}
        if statement.effect != "Allow" or not statement.about("lambda:invokefunction"):
            continue
        sources = [
            v for _, key, values in statement.conditions if key == "aws:sourcearn" for v in values
        ]
        for service in sorted(services):
            of_api = service.startswith("apigateway")
            calls = _API_CALLS if of_api else ("elbv2.describe_target_groups",)
            listed = all(covered(estate, item.account, item.region, c) for c in calls)
            if not of_api:
                listed = listed and not any(
                    g.config.get("TargetType") == "lambda" and g.account == item.account
                    and isinstance(answer(g, "describe_target_health"), Unread)
                    for g in estate.of_type("aws_elbv2_target_group")
                )  # fmt: skip
            if listed if not sources else all(
                _api_read(estate, s) if of_api else _group_read(estate, s, listed) for s in sources
            ):  # fmt: skip
                continue
            what = "an API" if of_api else "a load balancer"
            yield unknown(f"whether {what} that its policy names is open was not read", item.uid)


def _api_read(estate: Estate, source: str) -> bool:
    """Whether the API of an execute-api ARN and what it calls were read."""
    words = source.split(":")
    region, account, rest = words[3:6] if len(words) > 5 else ("", "", "")
    number = rest.partition("/")[0]
    if not number.isalnum():
        return all(covered(estate, account, region, c) for c in _API_CALLS)
    for word, call in (("restapis", "get_resources"), ("apis", "get_integrations")):
        api = estate.find(f"arn:aws:apigateway:{region}::/{word}/{number}")
        if api is not None and not isinstance(answer(api, call), Unread):
            return True
    return False


def _group_read(estate: Estate, source: str, listed: bool) -> bool:
    if "*" in source or "?" in source:
        return listed
    group = estate.find(source)
    return (
        group is not None
        and bool(group.config.get("TargetGroupArn"))
        and not isinstance(answer(group, "describe_target_health"), Unread)
    )


def _invoked(estate: Estate, item: Item, policy: Policy | None) -> Verdict:
    if policy is None:
        return no("no function policy", item.uid)
    request = around(
        estate, item, lambda__invokedviafunctionurl=("false",), lambda__functionurlauthtype=None
    )
    return admits_strangers(
        policy, ("lambda:invokefunction",), item.uid, request, "function policy"
    )


def _url(estate: Estate, item: Item, policy: Policy | None) -> Verdict:
    found = answer(item, "get_function_url_config")
    if not isinstance(found, Unread):
        if not found:
            return no("no function URL", item.uid)
        kind = str(found.get("AuthType") or "")
        if kind != "NONE":
            return _signed_url(estate, item, policy, found, kind)
    # Without the policy's permission no URL takes calls of strangers: then it need not be known.
    if policy is None:
        return no("the function URL has no permission for strangers", item.uid)
    request = around(
        estate, item, lambda__invokedviafunctionurl=("true",), lambda__functionurlauthtype=("NONE",)
    )
    allowed = admits_strangers(
        policy, ("lambda:invokefunctionurl",), item.uid, request, "function policy"
    )
    if allowed.value == "no":
        return allowed
    if isinstance(found, Unread):
        return unknown(f"function URL: {found.text}", item.uid)
    if allowed.value != "yes":
        return allowed
    url = str(found.get("FunctionUrl") or item.uid) if found else item.uid
    text = "function URL without sign-in; " + allowed.evidence[0].text
    return yes(Evidence(kind="endpoint", text=text, source=url, steps=("Internet", url, item.name),
                        ports="tcp 443"))  # fmt: skip


def _signed_url(
    estate: Estate, item: Item, policy: Policy | None, found: Mapping[str, Any], kind: str
) -> Verdict:
    """A URL that asks for a signature: who may sign is in the policy, anyone of any account too."""
    shut = no(f"the function URL asks for a signature (AuthType {kind})", item.uid)
    if policy is None:
        return shut
    request = around(
        estate, item, lambda__invokedviafunctionurl=("true",), lambda__functionurlauthtype=(kind,)
    )
    allowed = admits_strangers(
        policy, ("lambda:invokefunctionurl",), item.uid, request, "function policy"
    )
    if allowed.value != "yes":
        return shut if allowed.value == "no" else allowed
    url = str(found.get("FunctionUrl") or item.uid)
    text = "function URL for anyone with an AWS account; " + allowed.evidence[0].text
    return yes(Evidence(kind="endpoint", text=text, source=url, steps=("any AWS account", url, item.name),
                        ports="tcp 443"))  # fmt: skip


# Shares


def snapshot(estate: Estate, item: Item) -> Verdict:
    found = answer(item, "describe_snapshot_attribute")
    if isinstance(found, Unread) or (found is not None and "CreateVolumePermissions" not in found):
        return unknown("createVolumePermission of the snapshot was not read", item.uid)
    permissions = list(entries((found or {}).get("CreateVolumePermissions")))
    if not any(p.get("Group") == "all" for p in permissions):
        return _shared(item, [str(p.get("UserId")) for p in permissions if p.get("UserId")])
    state = _account_setting(estate, item, "get_snapshot_block_public_access_state", "State")
    if state == "block-all-sharing":
        return no("public sharing of snapshots is blocked in the account", item.uid)
    return _share("any AWS account may create a volume from it", item)


def image(estate: Estate, item: Item) -> Verdict:
    found = answer(item, "describe_image_attribute")
    permissions: list[dict[str, Any]] = []
    if not isinstance(found, Unread) and found is not None and "LaunchPermissions" in found:
        permissions = list(entries(found["LaunchPermissions"]))
        public = any(p.get("Group") == "all" for p in permissions)
        part = item.unfinished("describe_image_attribute")
        # Rows of others may be missing; the image itself says whether it is public.
        if not public and part and item.config.get("Public") is not False:
            return unknown(part, item.uid)
    elif item.config.get("Public") in (True, False):
        public = item.config["Public"] is True
    else:
        return unknown("launchPermission of the image was not read", item.uid)
    if not public:
        return _shared(item, [str(p.get("UserId")) for p in permissions if p.get("UserId")])
    return _share("any AWS account may launch it", item)


def database_snapshot(item: Item) -> Verdict:
    call, key_name = "describe_db_snapshot_attributes", "DBSnapshotAttribute"
    if item.type == "aws_rds_cluster_snapshot":
        call, key_name = "describe_db_cluster_snapshot_attributes", "DBClusterSnapshotAttribute"
    found = answer(item, call)
    if isinstance(found, Unread):
        return unknown(f"sharing of the snapshot: {found.text}", item.uid)
    values: list[str] = []
    for attribute in walk(dict(found or {}), f"{key_name}sResult.{key_name}s[]"):
        if isinstance(attribute, dict) and attribute.get("AttributeName") == "restore":
            values = [str(v) for v in attribute.get("AttributeValues") or []]
    if "all" in values:
        return _share("any AWS account may restore it", item)
    return _shared(item, values)


def _share(text: str, item: Item) -> Verdict:
    return yes(
        Evidence(kind="shared", text=text, source=item.uid, steps=("Any AWS account", item.uid))
    )


def _shared(item: Item, accounts: list[str]) -> Verdict:
    if accounts:
        names = ", ".join(sorted(accounts)[:4])
        return no(f"shared with {names} only", item.uid, names)
    return no("not shared", item.uid)


def _account_setting(estate: Estate, item: Item, call: str, field: str) -> str:
    owner = estate.find(f"arn:aws:iam::{item.account}:root")
    found = owner.config.get(f"{call}:{item.region}") if owner else None
    return str(found.get(field) or "") if isinstance(found, dict) else ""


# Search


def search_domain(estate: Estate, item: Item) -> Verdict:
    if not item.config.get("DomainId") and not item.config.get("ARN"):
        return unknown("the domain was not described", item.uid)
    if item.config.get("Deleted") is True:
        return no("the domain is being deleted", item.uid)
    if item.config.get("VPCOptions") and (item.config["VPCOptions"] or {}).get("VPCId"):
        return no("its endpoint is inside a VPC", item.uid)
    text = item.config.get("AccessPolicies")
    if not text:
        part = item.unfinished("AccessPolicies")
        return unknown(part, item.uid) if part else no("no access policy", item.uid)
    verdict = admits_strangers(parse(text, "access policy"),
                               ("es:eshttpget", "es:eshttppost", "es:eshttpput", "es:*"),
                               f"{item.uid}/*", around(estate, item), "access policy")  # fmt: skip
    if verdict.value != "yes":
        return verdict
    endpoint = str(item.config.get("Endpoint") or item.uid)
    return yes(Evidence(kind="endpoint", text=f"public endpoint; {verdict.evidence[0].text}",
                        source=endpoint, steps=("Internet", endpoint), ports="tcp 443"))  # fmt: skip


def account_of(arn: str) -> str:
    parts = parse_arn(arn)
    return parts.account if parts else ""
