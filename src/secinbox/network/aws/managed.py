"""Services that AWS runs: policies of rarer resources as rows, and endpoints of their own.

A row of POLICIES is a type whose resource policy decides alone; a function of ENDPOINTS judges a
type whose endpoint stands on the Internet or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from secinbox.estate import Estate, Item
from secinbox.iam.policy import parse
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws import buckets as s3
from secinbox.network.aws import lightsail
from secinbox.network.aws.compute import database
from secinbox.network.aws.policies import admits_strangers
from secinbox.network.aws.stores import around, policy_verdict
from secinbox.network.aws.vpc import Network
from secinbox.network.aws.walls import behind
from secinbox.network.verdict import Verdict, both, no, unknown, yes
from secinbox.records import Evidence


@dataclass(frozen=True)
class ByPolicy:
    """The call that answers the policy, where it stands there, what strangers could do with it."""

    type: str
    call: str
    path: str
    actions: tuple[str, ...]
    what: str


POLICIES: tuple[ByPolicy, ...] = (
    ByPolicy("aws_lambda_layer", "get_layer_version_policy", "Policy",
             ("lambda:getlayerversion",), "layer policy"),
    ByPolicy("aws_backup_backup_vault", "get_backup_vault_access_policy", "Policy",
             ("backup:copyintobackupvault", "backup:startrestorejob", "backup:*"), "vault policy"),
    ByPolicy("aws_glacier_vaults", "get_vault_access_policy", "policy.Policy",
             ("glacier:initiatejob", "glacier:uploadarchive", "glacier:*"), "vault policy"),
    ByPolicy("aws_glue", "get_resource_policy", "PolicyInJson",
             ("glue:gettable", "glue:getdatabase", "glue:*"), "catalogue policy"),
    ByPolicy("aws_codeartifact_repository", "get_repository_permissions_policy", "policy.document",
             ("codeartifact:readfromrepository", "codeartifact:publishpackageversion",
              "codeartifact:*"), "repository policy"),
    ByPolicy("aws_codeartifact_domain", "get_domain_permissions_policy", "policy.document",
             ("codeartifact:getauthorizationtoken", "codeartifact:*"), "domain policy"),
    ByPolicy("aws_kinesis_stream", "get_resource_policy", "Policy",
             ("kinesis:getrecords", "kinesis:putrecord", "kinesis:*"), "stream policy"),
)  # fmt: skip


def _by_policy(row: ByPolicy) -> Callable[[Estate, Item], Verdict]:
    def judge(estate: Estate, item: Item) -> Verdict:
        return policy_verdict(estate, item, row.call, row.path, row.actions, row.what)

    return judge


def event_bus(estate: Estate, item: Item) -> Verdict:
    """Its policy stands in the list of buses; a bus without one is the account's own."""
    text = item.config.get("Policy")
    if not text:
        return no("no bus policy", item.uid)
    return admits_strangers(parse(text, "bus policy"), ("events:putevents", "events:*"), item.uid,
                            around(estate, item), "bus policy")  # fmt: skip


def document(item: Item) -> Verdict:
    """An SSM document that is shared with everyone."""
    found = answer(item, "describe_document_permission")
    if isinstance(found, Unread):
        return unknown(f"sharing of the document: {found.text}", item.uid)
    accounts = [str(a) for a in walk(dict(found or {}), "AccountIds[]")]
    if "all" in accounts:
        return yes(Evidence(kind="shared", text="any AWS account may read and run it",
                            source=item.uid, steps=("Any AWS account", item.uid)))  # fmt: skip
    return no(f"shared with {', '.join(sorted(accounts)[:4])} only" if accounts else "not shared",
              item.uid)  # fmt: skip


def _endpoint(text: str, url: str, item: Item, ports: str = "tcp 443") -> Verdict:
    return yes(Evidence(kind="endpoint", text=text, source=url or item.uid,
                        steps=("Internet", url or item.name), ports=ports))  # fmt: skip


def app_runner(item: Item) -> Verdict:
    told = next(walk(item.config, "NetworkConfiguration.IngressConfiguration.IsPubliclyAccessible"),
                None)  # fmt: skip
    if told is False:
        return no("its ingress is private", item.uid)
    if told is not True and "NetworkConfiguration" not in item.config:
        return unknown("describe_service was not read", item.uid)
    if str(item.config.get("Status") or "") in ("PAUSED", "DELETED", "CREATE_FAILED"):
        return no(f"the service is {item.config['Status']}", item.uid)
    return _endpoint("public ingress", str(item.config.get("ServiceUrl") or ""), item)


def graphql(item: Item) -> Verdict:
    """An API key is carried by every client: it keeps nobody out. Others ask for a sign-in."""
    if str(item.config.get("visibility") or "GLOBAL") == "PRIVATE":
        return no("the API is private to its VPC endpoints", item.uid)
    ways = {str(item.config.get("authenticationType") or "")}
    ways |= {str(w) for w in walk(item.config, "additionalAuthenticationProviders[].authenticationType")}  # fmt: skip
    if "API_KEY" in ways:
        url = str(next(walk(item.config, "uris.GRAPHQL"), ""))
        return _endpoint("asks for an API key only, which clients carry", url, item)
    if ways == {""}:
        return unknown("how it authenticates was not read", item.uid)
    return no(f"it asks for a sign-in ({', '.join(sorted(w for w in ways if w))})", item.uid)


def guarded_graphql(estate: Estate, item: Item) -> Verdict:
    """The same behind its web ACL."""
    return behind(estate, [str(item.config.get("wafWebAclArn") or "")], graphql(item))


def identity_pool(item: Item) -> Verdict:
    told = item.config.get("AllowUnauthenticatedIdentities")
    if told is True:
        return _endpoint("gives credentials to anyone without a sign-in", "", item)
    if told is False:
        return no("it gives credentials to signed-in identities only", item.uid)
    return unknown("describe_identity_pool was not read", item.uid)


def transfer_server(item: Item) -> Verdict:
    kind = str(item.config.get("EndpointType") or "")
    if str(item.config.get("State") or "ONLINE") in ("OFFLINE", "STOPPING", "START_FAILED"):
        return no(f"the server is {item.config['State']}", item.uid)
    if kind == "PUBLIC":
        protocols = [str(p) for p in walk(item.config, "Protocols[]")] or ["SFTP"]
        text = f"public endpoint for {', '.join(protocols)}"
        return _endpoint(text, "", item, "tcp 22" if "SFTP" in protocols else "")
    if kind in ("VPC_ENDPOINT", "VPC"):
        if list(walk(item.config, "EndpointDetails.AddressAllocationIds[]")):
            return unknown("an endpoint in a VPC with public addresses: its security groups were "
                           "not read", item.uid)  # fmt: skip
        return no("its endpoint is inside a VPC", item.uid)
    return unknown("describe_server was not read", item.uid)


def warehouse(network: Network, item: Item) -> Verdict:
    """A workgroup of Redshift Serverless."""
    config = {"PubliclyAccessible": item.config.get("publiclyAccessible"), "NetworkType": "IPV4"}
    port = next((p for p in walk(item.config, "endpoint.port") if isinstance(p, int)), None)
    told = item.config.get("port")
    seen = Item(item.uid, item.type, item.name, item.provider, item.account, item.region, item.tags,
                config)  # fmt: skip
    subnets = [str(s) for s in walk(item.config, "subnetIds[]")]
    groups = [str(g) for g in walk(item.config, "securityGroupIds[]")]
    return database(network, seen, subnets or None, groups,
                    port or (told if isinstance(told, int) else 5439))  # fmt: skip


def access_point(estate: Estate, item: Item, found: dict[str, Item]) -> Verdict:
    """Callers need the point's policy and the bucket's, and no public access block on the way."""
    if str(item.config.get("NetworkOrigin") or "") == "VPC":
        return no("the access point answers inside its VPC only", item.uid)
    policy = answer(item, "get_access_point_policy")
    if isinstance(policy, Unread):
        return unknown(f"access point policy: {policy.text}", item.uid)
    text = (policy or {}).get("Policy")
    if not text:
        return no("no access point policy", item.uid)
    gates = [admits_strangers(parse(text, "access point policy"), ("s3:getobject", "s3:putobject"),
                              f"{item.uid}/object/*", around(estate, item), "access point policy")]  # fmt: skip
    own = next(walk(item.config, "PublicAccessBlockConfiguration.RestrictPublicBuckets"), None)
    if own is True:
        gates.append(no("RestrictPublicBuckets of the access point is on", item.uid))
    bucket = found.get(str(item.config.get("Bucket") or ""))
    if bucket is None:
        gates.append(unknown("its bucket was not read", item.uid))
    else:
        gates.append(_delegated(estate, bucket, item))
        gates.append(s3.blocked(estate, bucket, "RestrictPublicBuckets"))
    return both(gates)


def bucket_behind(
    point: Item, verdict: Verdict, found: dict[str, Item]
) -> Iterator[tuple[str, Verdict]]:
    """The bucket of an access point whose policy is not "no"."""
    bucket = found.get(str(point.config.get("Bucket") or ""))
    if bucket is None or verdict.value == "no":
        return
    if verdict.value == "unknown":
        yield bucket.uid, verdict
        return
    text = f"through the access point {point.name}: {verdict.evidence[0].text}"
    yield bucket.uid, yes(Evidence(kind="policy", text=text, source=point.uid, via=(point.uid,),
                                   steps=("Anyone", point.name, bucket.uid)))  # fmt: skip


def _delegated(estate: Estate, bucket: Item, point: Item) -> Verdict:
    found = answer(bucket, "get_bucket_policy")
    if isinstance(found, Unread):
        return unknown(f"bucket policy: {found.text}", bucket.uid)
    text = (found or {}).get("Policy")
    if not text:
        return no("the bucket's policy lets no caller of the access point in", bucket.uid)
    request = around(estate, bucket, s3__dataaccesspointaccount=(point.account,),
                     s3__dataaccesspointarn=(point.uid,),
                     s3__accesspointnetworkorigin=("Internet",))  # fmt: skip
    return admits_strangers(parse(text, "bucket policy"), ("s3:getobject", "s3:putobject"),
                            f"{bucket.uid}/*", request, "bucket policy")  # fmt: skip


BY_POLICY: dict[str, Callable[[Estate, Item], Verdict]] = {
    **{row.type: _by_policy(row) for row in POLICIES},
    "aws_events_event_bus": event_bus,
    "aws_appsync_apis": guarded_graphql,
}
JUDGES: dict[str, Callable[[Item], Verdict]] = {
    "aws_ssm_document": document,
    "aws_apprunner_service": app_runner,
    "aws_cognito_identity_identity_pool": identity_pool,
    "aws_transfer_server": transfer_server,
    **lightsail.JUDGES,
}
