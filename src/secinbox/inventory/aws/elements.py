"""The records of one AWS answer: resources with names and relations, configuration kept as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from secinbox.arn import name_of, parse_arn, type_of
from secinbox.estate import PARTIAL
from secinbox.inventory.aws import special
from secinbox.inventory.aws.calls import (
    DETAILS_BY_OPERATION,
    LISTS_BY_OPERATION,
    Call,
    walk,
)
from secinbox.inventory.aws.names import aliases_of
from secinbox.inventory.aws.shapes import DetailShape, ListShape
from secinbox.records import Alias, AnyRecord, Relation, Resource, Skipped

_FIELD = re.compile(r"\{(\w*)(?:\|(\w+))?\}")
_VERSIONED = re.compile(r"(arn:aws[a-z-]*:lambda:[^:]*:\d{12}:function:[^:]+):.+")


def records_of(call: Call) -> Iterator[AnyRecord]:
    """All records of one answer of a known operation."""
    handler = special.HANDLERS.get(call.operation)
    if handler is not None:
        yield from handler(call)
        return
    shape = LISTS_BY_OPERATION.get(call.operation)
    if shape is not None:
        yield from _listed(shape, call)
        return
    detail = DETAILS_BY_OPERATION.get(call.operation)
    if detail is not None:
        yield from _detail(detail, call)


def records_of_unknown(call: Call) -> Iterator[AnyRecord]:
    """Elements that name their own ARN are resources, whatever the operation is."""
    for key, value in call.response.items():
        if not isinstance(value, list):
            continue
        for index, element in enumerate(value):
            if isinstance(element, dict):
                arn = _own_arn(element, key)
                if arn:
                    yield resource(call, arn, element, place=f"{call.place}.{key}[{index}]")


def _own_arn(element: Mapping[str, Any], key: str) -> str:
    singular = key.lower().removesuffix("list").removesuffix("s").removesuffix("summarie")
    found = ""
    for field, value in element.items():
        if not isinstance(value, str) or not field.lower().endswith("arn"):
            continue
        if parse_arn(value) is None:
            continue
        if field.lower() == "arn" or field.lower() == f"{singular}arn":
            return value
        found = found or value
    own = [f for f in element if f.lower().endswith("arn")]
    return found if len(own) == 1 else ""


def canonical(arn: str) -> str:
    """Lambda functions without version or alias."""
    found = _VERSIONED.fullmatch(arn)
    return found.group(1) if found else arn


def is_thing(arn: str) -> bool:
    """An ARN of its own: not a version or an alias of a function, not an object of a bucket."""
    parts = parse_arn(arn)
    object_of = arn.split(":")[2:3] == ["s3"] and "/" in arn and parts and not parts.account
    return parts is not None and canonical(arn) == arn and not object_of


def resource(
    call: Call,
    uid: str,
    config: Mapping[str, Any] | None,
    *,
    name: str = "",
    tags: Mapping[str, str] | None = None,
    aliases: tuple[Alias, ...] = (),
    place: str = "",
) -> Resource:
    """A Resource whose account and region come from its own ARN first."""
    parts = parse_arn(uid)
    account = (parts.account if parts else "") or call.account
    region = parts.region if parts else ""
    kind = type_of(uid)
    element = dict(config or {})
    told = {key: why for key, why in call.partial.items() if key in element}
    if told:
        element[PARTIAL] = told
    all_tags = {**tags_of(element), **(tags or {})}
    return Resource(
        uid=uid,
        type=kind,
        name=all_tags.get("Name", "") or name or name_of(uid),
        provider="aws",
        account="" if account == "aws" else account,
        region=region,
        tags=all_tags,
        aliases=(*aliases, *aliases_of(kind, uid, element)),
        config=msgspec.json.encode(element).decode() if element else "",
        place=place or call.place,
    )


def tags_of(element: Mapping[str, Any]) -> dict[str, str]:
    """Tags in any of the forms that AWS uses."""
    out: dict[str, str] = {}
    for key in ("Tags", "TagSet", "TagList", "tags"):
        out |= tags_in(element.get(key))
    return out


def tags_in(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(k): str(v) for k, v in value.items() if isinstance(v, (str, int, float))}
    out: dict[str, str] = {}
    if isinstance(value, list):
        for tag in value:
            if isinstance(tag, dict):
                key = tag.get("Key") or tag.get("key") or tag.get("TagKey")
                text = tag.get("Value", tag.get("value", tag.get("TagValue")))
                if key:
                    out[str(key)] = str(text if text is not None else "")
    return out


def fill(template: str, call: Call, element: Any) -> str:
    """The template with fields of the element and the call's place; "" when a field is missing."""
    values: Mapping[str, Any] = element if isinstance(element, dict) else {"": element}
    # An account that nobody names stays empty: the ARN is still one, and says what it is of.
    owner = str(values.get("OwnerId") or values.get("registryId") or "")
    account = owner if re.fullmatch(r"\d{12}", owner) else call.account
    region = _zone_region(values) or call.region
    missing = False

    def one(found: re.Match[str]) -> str:
        nonlocal missing
        field, how = found.group(1), found.group(2)
        if field == "account":
            return account
        if field == "region":
            return region
        if field == "partition":
            return call.partition
        value = values.get(field)
        if value is None and field != "" and "" in values:
            value = values[""]  # the parameter of a file named after it
        if value is None or value == "":
            missing = True
            return ""
        return _shorten(str(value), how)

    text = _FIELD.sub(one, template)
    return "" if missing else text


def _shorten(value: str, how: str | None) -> str:
    if how == "tail":
        return value.rstrip("/").rpartition("/")[2]
    if how == "bare":
        return value.lstrip("/")
    if how == "function":
        return value.rpartition("function:")[2].split(":")[0]
    return value


def _zone_region(values: Mapping[str, Any]) -> str:
    zone = values.get("AvailabilityZone")
    if not zone and isinstance(values.get("Placement"), dict):
        zone = values["Placement"].get("AvailabilityZone")
    found = re.fullmatch(r"([a-z]{2}(?:-[a-z]+)+-\d)[a-z]", str(zone or ""))
    return found.group(1) if found else ""


def _listed(shape: ListShape, call: Call) -> Iterator[AnyRecord]:
    if shape.operation == "ec2.describe_instances":
        for reservation in walk(call.response, "Reservations[]"):
            # The owner stands on the reservation, not on the instance.
            owner = str(reservation.get("OwnerId") or "") if isinstance(reservation, dict) else ""
            for element in walk(reservation, "Instances[]"):
                yield from _element(shape, call, element, owner)
        return
    for element in walk(call.response, shape.path):
        yield from _element(shape, call, element, "")


def _element(shape: ListShape, call: Call, element: Any, owner: str) -> Iterator[AnyRecord]:
    values: dict[str, Any] = element if isinstance(element, dict) else {"": element}
    scoped = {"OwnerId": owner, **values} if owner else values
    uid = fill(shape.arn, call, scoped) if "{" in shape.arn else str(values.get(shape.arn) or "")
    if not uid and "FileSystemId" in values:
        uid = fill(
            "arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{FileSystemId}",
            call,
            values,
        )
    if shape.operation == "logs.describe_log_groups" and not uid:
        uid = str(values.get("arn") or "").removesuffix(":*")
    if shape.operation == "redshift.describe_clusters" and values.get("ClusterNamespaceArn"):
        owner_arn = parse_arn(str(values["ClusterNamespaceArn"]))
        if owner_arn:
            uid = fill(shape.arn, call, {**values, "OwnerId": owner_arn.account})
    if not uid:
        yield Skipped(f"{call.operation}: an element without {shape.arn}", place=call.place)
        return
    uid = canonical(uid)
    config = element if isinstance(element, dict) else {}
    named = (
        fill(shape.name, call, element) if "{" in shape.name else str(values.get(shape.name) or "")
    )
    aliases = tuple(Alias(str(values[f])) for f in shape.aliases if values.get(f))
    found = resource(call, uid, config, name=named, aliases=aliases)
    yield found
    for kind, path, template in shape.relations:
        for value in walk(config, path):
            if not isinstance(value, str) or not value:
                continue
            target = _target(template, call, scoped, value)
            if target:
                yield Relation(source=uid, kind=kind, target=canonical(target))
    yield from special.after(call, uid, config)


def _target(template: str, call: Call, scoped: Mapping[str, Any], value: str) -> str:
    if template == "{role}":
        if value.startswith("arn:"):
            return value
        return f"arn:{call.partition}:iam::{call.account}:role/{value}"
    if template == "{}":
        return value
    return fill(template.replace("{}", value), call, scoped)


def _detail(shape: DetailShape, call: Call) -> Iterator[AnyRecord]:
    response = {k: v for k, v in call.response.items() if k != "ResponseMetadata"}
    own = next(walk(response, shape.arn), None) if shape.arn else None
    uid = own if isinstance(own, str) and own.startswith("arn:") else _requested(shape, call)
    if not uid:
        yield Skipped(f"{call.operation}: cannot say of which resource", place=call.place)
        return
    uid = canonical(uid)
    failed = "Error" in response
    if shape.tags and not failed:
        tags = tags_in(next(walk(response, shape.tags), None))
        if shape.operation == "lambda.get_function":
            yield resource(
                call,
                uid,
                {call.method: response, **dict(response.get("Configuration") or {})},
                tags=tags,
            )
        else:
            # That there are none is an answer too.
            yield resource(call, uid, None if tags else {"Tags": []}, tags=tags)
        return
    inner = response if shape.inner == "$" else response.get(shape.inner) if shape.inner else None
    if isinstance(inner, dict) and not failed:
        yield resource(call, uid, inner)
        yield from special.after(call, uid, inner)
        return
    key = call.method
    if key.startswith("describe_") and key.endswith("_attribute"):
        asked = str(call.request.get("Attribute") or "")
        if asked and asked not in ("launchPermission", "createVolumePermission"):
            key = f"{key}:{asked}"
    yield resource(call, uid, {key: response})
    if not failed:
        yield from special.after_detail(call, uid, response)


def _requested(shape: DetailShape, call: Call) -> str:
    """The uid from the request; a parameter that is an ARN already is the uid."""
    request = call.request
    for field, _ in _FIELD.findall(shape.uid):
        value = request.get(field, request.get("") if set(request) == {""} else None)
        if isinstance(value, str) and value.startswith("arn:"):
            return value
    text = fill(shape.uid, call, {"registryId": call.response.get("registryId"), **request})
    if not text and "Resource" in _policy_arns(call):
        return _policy_arns(call)["Resource"]
    return text


def _policy_arns(call: Call) -> dict[str, str]:
    """A function's policy names the function in each statement."""
    policy = call.response.get("Policy")
    if call.operation == "lambda.get_policy" and isinstance(policy, str):
        found = re.search(r'"Resource"\s*:\s*"(arn:[^"]+)"', policy)
        if found:
            return {"Resource": found.group(1)}
    return {}
