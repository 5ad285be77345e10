"""Which call an answer belongs to: by its content, helped by the name of the file.

Layouts that people have: `SERVICE.OPERATION.json` (pages merged), `SERVICE.OPERATION.jsonl` with
`{request, response}` a line, `SERVICE-OPERATION.json`, a folder `SERVICE-OPERATION/` with one file
a resource whose name is the (URL-encoded) parameter, and `service.OperationName_1.json` with the
answer below `data`. Account and region may be folders: `ACCOUNT/REGION/` or `ACCOUNT/global/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from secinbox.inventory.aws.shapes import DETAILS, GLOBAL_SERVICES, LISTS, SILENT

_SERVICE_WORDS = {
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "logs": "logs",
    "accessanalzyer": "accessanalyzer",  # spelt so in a widespread collector
    "access-analyzer": "accessanalyzer",
}
# Calls of services of one place that are asked in each region.
_REGIONAL = ("s3control.list_access_", "s3control.get_access_point")
_REGION = re.compile(r"(?:af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-[a-z]+-\d")
_ACCOUNT = re.compile(r"\d{12}")
_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12})?:")
_STEM = re.compile(r"([A-Za-z0-9-]+)\.([A-Za-z_0-9]+?)(?:_\d+)?$")

LISTS_BY_OPERATION = {shape.operation: shape for shape in LISTS}
DETAILS_BY_OPERATION = {shape.operation: shape for shape in DETAILS}
SPECIAL = {
    "iam.get_account_authorization_details": ("UserDetailList", "RoleDetailList", "Policies"),
    "iam.get_credential_report": ("Content", "ReportFormat"),
    "iam.get_account_summary": ("SummaryMap",),
    "iam.get_service_last_accessed_details": ("JobStatus", "ServicesLastAccessed"),
    "ec2.describe_tags": ("Tags",),
    "ec2.describe_iam_instance_profile_associations": ("IamInstanceProfileAssociations",),
    "ecr.describe_images": ("imageDetails",),
    "ecs.describe_task_definition": ("taskDefinition",),
    "eks.list_pod_identity_associations": ("associations",),
    "eks.list_access_entries": ("accessEntries",),
    "eks.list_associated_access_policies": ("associatedAccessPolicies",),
    "globalaccelerator.list_listeners": ("Listeners",),
    "globalaccelerator.list_endpoint_groups": ("EndpointGroups",),
    "wafv2.list_resources_for_web_acl": ("ResourceArns",),
    "elbv2.describe_rules": ("Rules",),
    "elbv2.describe_tags": ("TagDescriptions",),
    "organizations.describe_organization": ("Organization",),
    "organizations.list_policies_for_target": ("Policies",),
    "organizations.list_parents": ("Parents",),
    "resourcegroupstaggingapi.get_resources": ("ResourceTagMappingList",),
    "route53.list_resource_record_sets": ("ResourceRecordSets",),
    "s3control.get_public_access_block": ("PublicAccessBlockConfiguration",),
    "sqs.list_queues": ("QueueUrls",),
    "ssm.describe_instance_information": ("InstanceInformationList",),
    "ec2.get_snapshot_block_public_access_state": ("State",),
    "ec2.get_image_block_public_access_state": ("ImageBlockPublicAccessState",),
    "ec2.describe_vpc_block_public_access_options": ("VpcBlockPublicAccessOptions",),
    "ec2.describe_vpc_block_public_access_exclusions": ("VpcBlockPublicAccessExclusions",),
    "ec2.get_serial_console_access_status": ("SerialConsoleAccessEnabled",),
}
KNOWN = frozenset({*LISTS_BY_OPERATION, *DETAILS_BY_OPERATION, *SPECIAL, *SILENT})


@dataclass
class Call:
    """One answer. `request` is empty when the report only holds the answer."""

    operation: str
    account: str
    region: str
    partition: str
    response: Any
    request: Mapping[str, Any] = field(default_factory=dict)
    place: str = "$"
    # Keys of the configuration that this answer tells a part of, and why (`Item.unfinished`).
    partial: Mapping[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return self.operation.partition(".")[2]


@dataclass(frozen=True)
class Named:
    """What the file name says: the operation and the parameter (folder layouts)."""

    operation: str = ""
    parameter: str = ""


def snake(text: str) -> str:
    """`DescribeDBInstances`, `describe-db-instances` -> `describe_db_instances`."""
    text = text.replace("-", "_")
    # A plural of capitals is one word: `ListWebACLs`.
    text = re.sub(r"([A-Z]{2,})s(?![a-z])", lambda m: m.group(0).capitalize(), text)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return text.lower()


def named(path: str) -> Named:
    """`a/ec2.describe_instances.json`, `a/ec2-describe-instances.json`, `sqs-get-x/PARAMETER`."""
    parts = path.replace("\\", "/").split("/")
    last = parts[-1]
    for suffix in (".gz", ".zst", ".jsonl", ".json", ".ndjson"):
        last = last.removesuffix(suffix)
    dotted = _STEM.fullmatch(last)
    if dotted:
        operation = f"{_service(dotted.group(1))}.{snake(dotted.group(2))}"
        if operation in KNOWN or re.match(r"[a-z0-9-]+\.(describe|list|get|batch_get)_", operation):
            return Named(operation)
    for index in range(len(parts) - 1, -1, -1):
        word = last if index == len(parts) - 1 else parts[index]
        operation = _dashed(word)
        if operation:
            return Named(operation, unquote(parts[-1]) if index < len(parts) - 1 else "")
    return Named()


def _service(word: str) -> str:
    return _SERVICE_WORDS.get(word.lower(), word.lower())


def _dashed(word: str) -> str:
    found = re.match(r"([a-z0-9-]+?)-((?:describe|list|get|batch-get|generate|search)-.+)$", word)
    return f"{_service(found.group(1))}.{snake(found.group(2))}" if found else ""


def place_of(parts: tuple[str, ...]) -> tuple[str, str]:
    """Account and region that the folders say, "" where they do not."""
    account = region = ""
    for part in reversed(parts[:-1]):
        if not region and (part == "global" or _REGION.fullmatch(part)):
            region = part
        if not account and _ACCOUNT.fullmatch(part):
            account = part
    return account, region


def place_in(text: str, service: str = "") -> tuple[str, str, str]:
    """Partition, account and region of the ARNs in a text: those of `service` count first.

    The account that occurs most often is meant; a policy may name others.
    """
    accounts: dict[str, int] = {}
    regions: dict[str, int] = {}
    partition = "aws"
    for found in _ARN.finditer(text):
        weight = 10 if found.group(2) == service else 1
        partition = found.group(1)
        if found.group(4):
            accounts[found.group(4)] = accounts.get(found.group(4), 0) + weight
        if found.group(3):
            regions[found.group(3)] = regions.get(found.group(3), 0) + weight
    account = max(sorted(accounts), key=lambda a: accounts[a]) if accounts else ""
    region = max(sorted(regions), key=lambda r: regions[r]) if regions else ""
    return partition, account, region


def walk(value: Any, path: str) -> Iterator[Any]:
    """All values at `A[].B.C[]`; what is missing or of another shape yields nothing."""
    if not path:
        if value is not None:
            yield value
        return
    word, _, rest = path.partition(".")
    many = word.endswith("[]")
    if not isinstance(value, dict):
        return
    inner = value.get(word.removesuffix("[]"))
    if inner is None:
        return
    if not many:
        yield from walk(inner, rest)
    elif isinstance(inner, list):
        for item in inner:
            yield from walk(item, rest)


def _first(document: Mapping[str, Any], path: str) -> Any:
    return next(walk(document, path), None)


def operation_of(
    document: Mapping[str, Any], request: Mapping[str, Any], hint: Named
) -> tuple[str, bool]:
    """The operation of an answer, and whether its content agrees; "" when nobody can say."""
    keys = set(document) - {"ResponseMetadata", "NextToken", "Marker", "IsTruncated"}
    candidates = list(_by_content(document, keys, request))
    if hint.operation:
        if hint.operation in candidates or "Error" in keys or not keys:
            return hint.operation, hint.operation in KNOWN
        if hint.operation in KNOWN and _shape_fits(hint.operation, document, keys):
            return hint.operation, True
    if candidates:
        return candidates[0], True
    return (hint.operation, False) if hint.operation else ("", False)


def _shape_fits(operation: str, document: Mapping[str, Any], keys: set[str]) -> bool:
    shape = LISTS_BY_OPERATION.get(operation)
    if shape is not None:
        top = shape.path.split(".")[0].removesuffix("[]")
        return top in keys
    expected = SPECIAL.get(operation) or SILENT.get(operation)
    if expected is not None:
        return bool(keys & set(expected)) or not keys
    detail = DETAILS_BY_OPERATION[operation]
    return not detail.keys or bool(keys & set(detail.keys)) or not keys or bool(detail.tags)


def _by_content(
    document: Mapping[str, Any], keys: set[str], request: Mapping[str, Any]
) -> Iterator[str]:
    for operation, expected in SPECIAL.items():
        if operation == "s3control.get_public_access_block" and "Bucket" in request:
            continue
        if expected == ("Policies",) and "TargetId" not in request:
            continue
        if set(expected) <= keys and (expected != ("Tags",) or _ec2_tags(document)):
            if expected == ("State",) or (expected == ("Rules",) and not _elb_rules(document)):
                continue
            yield operation
    for shape in LISTS:
        top = shape.path.split(".")[0].removesuffix("[]")
        if top not in keys:
            continue
        first = _first(document, shape.path)
        if isinstance(first, dict) and shape.fields and all(f in first for f in shape.fields):
            yield shape.operation
    parameters = set(request)
    for detail in DETAILS:
        wanted = set(re.findall(r"\{(\w+)(?:\|\w+)?\}", detail.uid)) - {
            "account",
            "region",
            "partition",
        }
        fits = set(detail.keys) <= keys if detail.keys else False
        if fits and (wanted <= parameters if parameters else _distinct(detail.keys)):
            yield detail.operation
    for operation, expected in SILENT.items():
        if set(expected) <= keys and expected != ("findings",):
            yield operation


def _distinct(keys: tuple[str, ...]) -> bool:
    """`Policy` alone could be of ten services; such an answer needs its file name."""
    return not set(keys) <= {"Policy", "RevisionId", "Attributes", "Tags", "tags"}


def _ec2_tags(document: Mapping[str, Any]) -> bool:
    first = _first(document, "Tags[]")
    return isinstance(first, dict) and {"ResourceId", "ResourceType"} <= set(first)


def _elb_rules(document: Mapping[str, Any]) -> bool:
    first = _first(document, "Rules[]")
    return isinstance(first, dict) and "RuleArn" in first


def region_for(operation: str, region: str) -> str:
    """`global` for services that have one place."""
    if operation.startswith(_REGIONAL):
        return region
    return "global" if operation.partition(".")[0] in GLOBAL_SERVICES else region
