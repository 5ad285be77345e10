"""CloudFront: distributions, and what they serve to everyone although it is closed to others.

A bucket or a function that admits the distribution by its policy, a load balancer or an instance
whose group admits CloudFront's prefix list, a private balancer behind a VPC origin.
Source: CloudFront Developer Guide, "Restrict access to an origin", "Restrict access with VPC origins".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.matching import common
from secinbox.iam.policy import Policy, Statement, parse
from secinbox.inventory.aws.answers import Unread, answer, covered
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.openings import entries
from secinbox.network.aws.walls import behind
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence

_BUCKET = re.compile(r"(.+)\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True)
class Origin:
    """An origin to which some behaviour leads that asks for no signature."""

    item: Item  # the distribution
    verdict: Verdict  # of the distribution
    config: Mapping[str, Any]

    @property
    def inside(self) -> bool:
        """Reached inside its VPC (a VPC origin)."""
        return isinstance(self.config.get("VpcOriginConfig"), dict)

    @property
    def ports(self) -> tuple[int, ...]:
        """Where CloudFront connects to a server of the owner's."""
        told = self.config.get("CustomOriginConfig")
        custom = told if isinstance(told, dict) else {}
        http, https = custom.get("HTTPPort", 80), custom.get("HTTPSPort", 443)
        policy = str(custom.get("OriginProtocolPolicy") or "")
        wanted = {"http-only": (http,), "https-only": (https,)}.get(policy, (http, https))
        return tuple(p for p in wanted if isinstance(p, int))

    def passed(self, target: str, via: str, what: str = "private") -> Verdict:
        """Everyone is passed on to the target."""
        if self.verdict.value != "yes":
            return self.verdict
        host = self.verdict.evidence[0].source
        text = f"{what}, but served to everyone by the distribution {host}"
        return yes(Evidence(kind="route", text=text, source=via, via=(self.item.uid,),
                            ports="tcp 80, 443", steps=("Internet", host, target)))  # fmt: skip


class Distributions:
    """All distributions with their verdicts, and their open origins by host name."""

    def __init__(self, estate: Estate) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.origins: dict[str, list[Origin]] = defaultdict(list)
        self._estate = estate
        for item in estate.of_type("aws_cloudfront_distribution"):
            verdict = behind(estate, [str(item.config.get("WebACLId") or "")], distribution(item))
            self.verdicts[item.uid] = verdict
            if verdict.value == "no":
                continue
            known = [] if item.unfinished("DefaultCacheBehavior") else _behaviours(item)
            led_to = {str(b.get("TargetOriginId")) for b in known if not _signed(b)}
            # A group of origins falls back on each of its members.
            for group in walk(item.config, "OriginGroups.Items[]"):
                if isinstance(group, dict) and str(group.get("Id")) in led_to:
                    led_to |= {str(m) for m in walk(group, "Members.Items[].OriginId")}
            for config in entries(list(walk(item.config, "Origins.Items[]"))):
                if not led_to or str(config.get("Id")) in led_to:
                    found = Origin(item, verdict, config)
                    for host in _hosts(estate, str(config.get("DomainName") or "").lower()):
                        self.origins[host].append(found)

    def buckets(self, buckets: dict[str, Item]) -> Iterator[tuple[str, Verdict]]:
        """Buckets that a public distribution serves to everyone although they are private."""
        for host, origins in self.origins.items():
            named = _BUCKET.fullmatch(host)
            bucket = buckets.get(named.group(1)) if named else None
            for origin in origins if bucket is not None else ():
                assert bucket is not None
                gate = _served(origin, bucket)
                passed = origin.passed(bucket.uid, origin.item.uid)
                yield bucket.uid, passed if gate.value == "yes" else gate

    def unread(self, item: Item) -> Verdict | None:
        """What admits CloudFront may be served by a distribution that was not read."""
        if covered(self._estate, item.account, "global", "cloudfront.list_distributions"):
            return None
        return unknown(
            "it admits CloudFront: whether a distribution leads to it was not read", item.uid
        )

    def unread_bucket(self, item: Item) -> Verdict | None:
        """A bucket that admits a distribution which nobody read."""
        found = answer(item, "get_bucket_policy")
        text = None if isinstance(found, Unread) or not found else found.get("Policy")
        return self._named(item, parse(text, "bucket policy"), "s3:getobject") if text else None

    def _named(self, item: Item, policy: Policy, action: str) -> Verdict | None:
        for statement in policy.statements:
            if statement.effect != "Allow" or not statement.about(action):
                continue
            for kind, value in statement.principals or ():
                identity = "CloudFront Origin Access Identity" in value or kind == "CanonicalUser"
                if not identity and value != "cloudfront.amazonaws.com":
                    continue
                sources = [v for _, key, found in statement.conditions if key == "aws:sourcearn"
                           for v in found]  # fmt: skip
                if not sources or any(s not in self.verdicts for s in sources):
                    return self.unread(item)
        return None

    def function(self, item: Item) -> Iterator[Verdict]:
        """A function whose URL asks for a signature, which the distribution makes."""
        found = answer(item, "get_function_url_config")
        policy = answer(item, "get_policy")
        if isinstance(policy, Unread) or not policy:
            return
        if not isinstance(found, Unread) and not found:
            return
        told = {} if isinstance(found, Unread) else found
        host = str(told.get("FunctionUrl") or "").partition("://")[2].partition("/")[0].lower()
        read = parse(policy.get("Policy") or {"Statement": []}, "function policy")
        for origin in self.origins.get(host, ()):
            if any(s.effect == "Allow" and s.about("lambda:invokefunctionurl")
                   and _names_distribution(s, origin.item) for s in read.statements):  # fmt: skip
                yield origin.passed(item.name, item.uid, "asks for a signature")
        gap = self._named(item, read, "lambda:invokefunctionurl")
        if isinstance(found, Unread) and any(
            ("Service", "cloudfront.amazonaws.com") in (s.principals or ()) for s in read.statements
        ):  # fmt: skip
            gap = unknown(f"function URL: {found.text}", item.uid)
        if gap is not None:
            yield gap


def _hosts(estate: Estate, host: str) -> Iterator[str]:
    """The name, and where a DNS record of that name leads."""
    yield host
    record = estate.find(f"dns:{host}")
    if record is not None:
        for path in ("AliasTarget.DNSName", "ResourceRecords[].Value"):
            for name in walk(record.config, path):
                yield str(name).rstrip(".").lower().removeprefix("dualstack.")


def distribution(item: Item) -> Verdict:
    enabled = item.config.get("Enabled")
    if enabled is None:
        return unknown("whether it is enabled was not read", item.uid)
    if enabled is not True:
        return no("the distribution is disabled", item.uid)
    if item.unfinished("DefaultCacheBehavior"):
        return unknown(item.unfinished("DefaultCacheBehavior"), item.uid)
    behaviours = _behaviours(item)
    if behaviours and all(_signed(b) for b in behaviours):
        return no("every behaviour asks for signed URLs or cookies", item.uid)
    host = str(item.config.get("DomainName") or item.uid)
    return yes(Evidence(kind="endpoint", text="an enabled distribution answers everyone",
                        source=host, steps=("Internet", host), ports="tcp 80, 443"))  # fmt: skip


def _behaviours(item: Item) -> list[dict[str, Any]]:
    found = [b for b in walk(item.config, "DefaultCacheBehavior") if isinstance(b, dict)]
    return found + [b for b in walk(item.config, "CacheBehaviors.Items[]") if isinstance(b, dict)]


def _signed(behaviour: dict[str, Any]) -> bool:
    return any(
        isinstance(behaviour.get(k), dict) and behaviour[k].get("Enabled") is True
        for k in ("TrustedSigners", "TrustedKeyGroups")
    )


def _served(origin: Origin, bucket: Item) -> Verdict:
    """The bucket's policy lets this distribution (or its origin access identity) read."""
    found = answer(bucket, "get_bucket_policy")
    if isinstance(found, Unread):
        return unknown(f"bucket policy: {found.text}", bucket.uid)
    policy = parse((found or {}).get("Policy") or {"Statement": []}, "bucket policy")
    told = origin.config.get("S3OriginConfig")
    named = str(told.get("OriginAccessIdentity") or "") if isinstance(told, dict) else ""
    identity = named.rpartition("/")[2]
    for statement in policy.statements:
        if statement.effect != "Allow" or not statement.about("s3:getobject"):
            continue
        if _names_distribution(statement, origin.item):
            return yes()
        if identity and _names_identity(statement, identity):
            return yes()
    return no("the bucket's policy does not let the distribution read", bucket.uid)


def _names_distribution(statement: Statement, item: Item) -> bool:
    if ("Service", "cloudfront.amazonaws.com") not in (statement.principals or ()):
        return False
    for operator, key, values in statement.conditions:
        if key == "aws:sourcearn" and not operator.lower().startswith(("stringnot", "arnnot")):
            if not any(common(v, item.uid) for v in values):
                return False
        elif key == "aws:sourceaccount" and values:
            account = item.uid.split(":")[4]
            if account not in values:
                return False
    return True


def _names_identity(statement: Statement, identity: str) -> bool:
    return any(
        kind == "CanonicalUser" or value.endswith(identity)
        for kind, value in statement.principals or ()
    )
