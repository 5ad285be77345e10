"""Buckets, functions, queues, keys and shares: smallest public ones, each condition flipped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secinbox.estate import Estate, Item
from secinbox.network import exposure
from secinbox.records import RiskStatement

ACCOUNT, REGION = "111122223333", "eu-west-1"
BUCKET = "arn:aws:s3:::invoices"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:web"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
RANK = {"no": 0, "unknown": 1, "yes": 2}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", **more}


def estate_of_items(*items: tuple[str, str, dict[str, Any]]) -> Estate:
    estate = Estate()
    for uid, kind, config in items:
        estate.add(Item(uid, kind, uid, "aws", ACCOUNT, REGION, {}, config))
    return estate


def judge(uid: str, *items: tuple[str, str, dict[str, Any]]) -> RiskStatement:
    return {s.resource: s for s in exposure(estate_of_items(*items))}[uid]


# Buckets

OFF = {
    "PublicAccessBlockConfiguration": {"RestrictPublicBuckets": False, "IgnorePublicAcls": False}
}
READ = allow(Action="s3:GetObject", Resource=f"{BUCKET}/*")
EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"
SIGNED_IN = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"


def grants(uri: str) -> dict[str, Any]:
    return {"Grants": [{"Grantee": {"Type": "Group", "URI": uri}, "Permission": "READ"}]}


def bucket(
    *statements: dict[str, Any], account: dict[str, Any] | None = None, **config: Any
) -> RiskStatement:
    own: dict[str, Any] = {
        "get_bucket_policy": {"Policy": policy(*statements)}
        if statements
        else {"Error": "NoSuchBucketPolicy"},
        "get_bucket_acl": {"Grants": []},
        "get_public_access_block": {"Error": "NoSuchPublicAccessBlockConfiguration"},
        "get_bucket_ownership_controls": {"Error": "OwnershipControlsNotFoundError"},
    }
    own |= config
    whole = {"s3control": account or {"Error": "NoSuchPublicAccessBlockConfiguration"}}
    return judge(BUCKET, (BUCKET, "aws_s3_bucket", own), (ROOT, "aws_account", whole))


def block(**settings_: bool) -> dict[str, Any]:
    return {"PublicAccessBlockConfiguration": settings_}


def when(**operators: dict[str, Any]) -> dict[str, Any]:
    return {**READ, "Condition": operators}


DENY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [BUCKET, f"{BUCKET}/*"]}

WORDS = [f"word-{n}" for n in range(70)]
EACH = [{**DENY, "Condition": {"StringEquals": {key: w}}}
        for key in ("aws:UserAgent", "aws:Referer") for w in WORDS]  # fmt: skip

BUCKETS: list[tuple[str, RiskStatement, str, str]] = [
    ("of many words that a caller may send", bucket(
        when(StringEquals={"aws:UserAgent": WORDS, "aws:Referer": WORDS, "s3:prefix": WORDS})), "yes", ""),
    ("more combinations of words than are tried", bucket(
        when(StringEquals={"aws:UserAgent": WORDS, "aws:Referer": WORDS}), *EACH), "unknown", ""),
    ("smallest", bucket(READ), "yes", "s3:getobject"),
    ("principal as AWS star", bucket({**READ, "Principal": {"AWS": "*"}}), "yes", "s3:getobject"),
    ("some objects", bucket(allow(Action="s3:GetObject", Resource=f"{BUCKET}/public/*")), "yes", ""),
    ("any resource", bucket(allow(Action="s3:GetObject", Resource="*")), "yes", ""),
    ("some objects denied", bucket(READ, {**DENY, "Resource": f"{BUCKET}/private/*"}), "yes", ""),
    ("all that is open denied", bucket({**READ, "Resource": f"{BUCKET}/public/*"}, {
        **DENY, "Resource": f"{BUCKET}/p*"}), "no", "/p*"),
    ("others than the open ones denied", bucket({**READ, "Resource": f"{BUCKET}/public/*"}, {
        **DENY, "Resource": f"{BUCKET}/private/*"}), "yes", ""),
    ("all but some denied", bucket(READ, {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "NotResource": f"{BUCKET}/public/*"}), "no", ""),
    ("all but some allowed", bucket(allow(Action="s3:GetObject", NotResource=f"{BUCKET}/private/*")), "yes", ""),
    ("open where one of two is denied", bucket(
        {**READ, "Resource": [f"{BUCKET}/a/*", f"{BUCKET}/b/*"]}, {**DENY, "Resource": f"{BUCKET}/a/*"}), "yes", ""),
    ("listing", bucket(allow(Action="s3:ListBucket", Resource=BUCKET)), "yes", "s3:listbucket"),
    ("writing", bucket(allow(Action="s3:Put*", Resource=f"{BUCKET}/*")), "yes", "s3:put*"),
    ("not action", bucket(allow(NotAction="s3:DeleteBucket", Resource=f"{BUCKET}/*")), "yes", ""),
    ("not principal", bucket({"Effect": "Allow", "NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/x"},
                              "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}), "yes", ""),
    ("an account only", bucket({**READ, "Principal": {"AWS": "444455556666"}}), "no", "no stranger"),
    ("a service only", bucket({**READ, "Principal": {"Service": "logging.s3.amazonaws.com"}}), "no", ""),
    ("a distribution that nobody read",
     bucket({**READ, "Principal": {"Service": "cloudfront.amazonaws.com"}}), "unknown", "CloudFront"),
    ("list action on objects grants nothing",
     bucket(allow(Action="s3:ListBucket", Resource=f"{BUCKET}/*")), "no", ""),
    ("another bucket's ARN", bucket(allow(Action="s3:GetObject", Resource="arn:aws:s3:::other/*")), "no", ""),
    ("no policy", bucket(), "no", "no bucket policy"),
    ("restricted by the bucket", bucket(READ, get_public_access_block=block(RestrictPublicBuckets=True)),
     "no", "bucket's public access block"),
    ("restricted by the account", bucket(READ, account=block(RestrictPublicBuckets=True)),
     "no", "account's public access block"),
    ("block of new policies only", bucket(READ, get_public_access_block=block(BlockPublicPolicy=True)),
     "yes", ""),
    ("ignored ACLs do not stop a policy", bucket(READ, get_public_access_block=block(IgnorePublicAcls=True)),
     "yes", ""),
    ("denied", bucket(READ, DENY), "no", ""),
    ("denied to strangers", bucket(READ, {**DENY, "Condition": {
        "StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}), "no", ""),
    ("denied without TLS only", bucket(READ, {**DENY, "Condition": {
        "Bool": {"aws:SecureTransport": "false"}}}), "yes", ""),
    ("denied but for an endpoint", bucket(READ, {**DENY, "Condition": {
        "StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}), "no", ""),
    ("deny for all but a principal", bucket(READ, {
        "Effect": "Deny", "NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/app"},
        "Action": "s3:*", "Resource": f"{BUCKET}/*"}), "no", ""),
    ("organisation", bucket(when(StringEquals={"aws:PrincipalOrgID": "o-1"})), "no", "aws:principalorgid"),
    ("organisation, if there is one", bucket(when(StringEqualsIfExists={"aws:PrincipalOrgID": "o-1"})), "yes", "principal"),
    ("no organisation", bucket(when(Null={"aws:PrincipalOrgID": "true"})), "yes", "principal"),
    ("some organisation", bucket(when(Null={"aws:PrincipalOrgID": "false"}, StringEquals={"aws:PrincipalOrgID": "o-1"})), "no",
     "aws:principalorgid"),
    ("all paths of none", bucket(when(**{"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}})), "yes", "principal"),
    ("a path of some", bucket(when(**{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}})), "no", "aws:principalorgpaths"),
    ("an endpoint, if there is one", bucket(when(StringEqualsIfExists={"aws:SourceVpce": "vpce-1"})), "yes", "sourcevpce"),
    ("one network", bucket(when(IpAddress={"aws:SourceIp": "203.0.113.0/24"})), "no", "203.0.113.0/24"),
    ("two halves", bucket(when(IpAddress={"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]})), "yes", ""),
    ("all but one network", bucket(when(NotIpAddress={"aws:SourceIp": "203.0.113.0/24"})), "yes", ""),
    ("private network", bucket(when(IpAddress={"aws:SourceIp": "10.0.0.0/8"})), "no", ""),
    ("IPv6 everything", bucket(when(IpAddress={"aws:SourceIp": "::/0"})), "yes", ""),
    ("denied outside one network", bucket(READ, {**DENY, "Condition": {
        "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}), "no", "203.0.113.0/24"),
    ("VPC endpoint", bucket(when(StringEquals={"aws:SourceVpce": "vpce-1"})), "no", "aws:sourcevpce"),
    ("referer is anybody's choice", bucket(when(StringLike={"aws:Referer": "https://x.example/*"})), "yes", ""),
    ("user agent too", bucket(when(StringEquals={"aws:UserAgent": "secret"})), "yes", ""),
    ("on behalf of one topic", bucket(when(ArnEquals={"aws:SourceArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t"})),
     "no", "aws:sourcearn"),
    ("on behalf of any account's topic", bucket(when(ArnLike={"aws:SourceArn": "arn:aws:sns:*:*:*"})), "yes", ""),
    ("if exists is true of nothing", bucket(when(StringEqualsIfExists={
        "aws:SourceAccount": ACCOUNT})), "yes", ""),
    ("anybody's role of a name", bucket(when(ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"})),
     "yes", ""),
    ("own role of a name", bucket(when(ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"})), "no", ""),
    ("a key nobody knows", bucket(when(StringEquals={"aws:SomethingNew": "x"})), "unknown", "aws:somethingnew"),
    ("unreadable", bucket(READ, get_bucket_policy={"Policy": "{"}), "unknown", "cannot be read"),
    ("policy denied to the collector", bucket(get_bucket_policy={"Error": "AccessDenied"}), "unknown",
     "AccessDenied"),
    ("account block unread", judge(BUCKET, (BUCKET, "aws_s3_bucket", {
        "get_bucket_policy": {"Policy": policy(READ)}, "get_bucket_acl": {"Grants": []},
        "get_public_access_block": OFF})), "unknown", "account"),
    ("account block unread, but the bucket's is on", judge(BUCKET, (BUCKET, "aws_s3_bucket", {
        "get_bucket_policy": {"Policy": policy(READ)}, "get_bucket_acl": {"Grants": []},
        "get_public_access_block": block(RestrictPublicBuckets=True)})), "no", "RestrictPublicBuckets"),
    ("ACL", bucket(get_bucket_acl=grants(EVERYONE)), "yes", "everyone"),
    ("ACL for all accounts", bucket(get_bucket_acl=grants(SIGNED_IN)), "yes", "every AWS account"),
    ("ACL ignored", bucket(get_bucket_acl=grants(EVERYONE),
                           get_public_access_block=block(IgnorePublicAcls=True)), "no", "IgnorePublicAcls"),
    ("ACL ignored in the account", bucket(get_bucket_acl=grants(EVERYONE),
                                          account=block(IgnorePublicAcls=True)), "no", "account"),
    ("ACLs off", bucket(get_bucket_acl=grants(EVERYONE), get_bucket_ownership_controls={
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}), "no",
     "BucketOwnerEnforced"),
    ("ACLs on", bucket(get_bucket_acl=grants(EVERYONE), get_bucket_ownership_controls={
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}), "yes", ""),
    ("restricting does not stop an ACL", bucket(get_bucket_acl=grants(EVERYONE),
                                                get_public_access_block=block(RestrictPublicBuckets=True)),
     "yes", ""),
    ("ACL for log delivery", bucket(get_bucket_acl=grants(
        "http://acs.amazonaws.com/groups/s3/LogDelivery")), "no", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "value", "text"), [c[1:] for c in BUCKETS], ids=[c[0] for c in BUCKETS]
)
def test_bucket(found: RiskStatement, value: str, text: str) -> None:
    assert found.value == value, found
    assert text in " ".join(e.text for e in found.evidence)


_conditions = st.sampled_from(
    [
        None,
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}},
        {"NotIpAddress": {"aws:SourceIp": "128.0.0.0/1"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringLike": {"aws:Referer": "https://x/*"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"aws:NobodyKnows": "x"}},
    ]
)
_statements = st.lists(
    st.builds(
        lambda effect, principal, action, condition: {
            "Effect": effect,
            "Principal": principal,
            "Action": action,
            "Resource": [BUCKET, f"{BUCKET}/*"],
            **({"Condition": condition} if condition else {}),
        },
        st.sampled_from(["Allow", "Allow", "Deny"]),
        st.sampled_from(["*", {"AWS": "444455556666"}, {"AWS": "*"}]),
        st.sampled_from(["s3:*", "s3:GetObject", "s3:ListBucket"]),
        _conditions,
    ),
    max_size=4,
)


@settings(max_examples=80, deadline=None)
@given(_statements, st.data())
def test_removing_an_allow_never_opens_a_bucket(
    statements: list[dict[str, Any]], data: st.DataObject
) -> None:
    allows = [i for i, s in enumerate(statements) if s["Effect"] == "Allow"]
    if not allows:
        return
    index = data.draw(st.sampled_from(allows))
    less = statements[:index] + statements[index + 1 :]
    assert RANK[bucket(*less).value] <= RANK[bucket(*statements).value]


@settings(max_examples=80, deadline=None)
@given(_statements, _conditions)
def test_adding_a_deny_never_opens_a_bucket(
    statements: list[dict[str, Any]], condition: dict[str, Any] | None
) -> None:
    if not statements:
        return
    deny = {**DENY, **({"Condition": condition} if condition else {})}
    assert RANK[bucket(*statements, deny).value] <= RANK[bucket(*statements).value]


@settings(max_examples=40, deadline=None)
@given(_statements, st.randoms())
def test_the_order_of_statements_does_not_matter(
    statements: list[dict[str, Any]], random: Any
) -> None:
    shuffled = list(statements)
    random.shuffle(shuffled)
    assert bucket(*statements).value == bucket(*shuffled).value


# Functions

INVOKE = allow(Action="lambda:InvokeFunction", Resource=FUNCTION)
CALL_URL = allow(Action="lambda:InvokeFunctionUrl", Resource=FUNCTION,
                 Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}})  # fmt: skip
NO_URL = {"Error": "ResourceNotFoundException"}


def function(
    *statements: dict[str, Any], url: dict[str, Any] | None = None, **config: Any
) -> RiskStatement:
    own: dict[str, Any] = {
        "FunctionArn": FUNCTION,
        "get_policy": {"Policy": policy(*statements)}
        if statements
        else {"Error": "ResourceNotFoundException"},
        "get_function_url_config": url or NO_URL,
    }
    return judge(FUNCTION, (FUNCTION, "aws_lambda_function", own | config))


def open_url(kind: str = "NONE") -> dict[str, Any]:
    return {"FunctionUrl": "https://x.lambda-url.eu-west-1.on.aws/", "AuthType": kind}


FUNCTIONS: list[tuple[str, RiskStatement, str, str]] = [
    ("anyone may invoke", function(INVOKE), "yes", "lambda:invokefunction"),
    ("URL without sign-in", function(CALL_URL, url=open_url()), "yes", "function URL"),
    ("URL with both permissions", function(CALL_URL, {**INVOKE, "Condition": {
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"}}}, url=open_url()), "yes", "function URL"),
    ("permission for a URL that is not there", function(CALL_URL), "no", ""),
    ("permission for calls by URL only, no URL", function({**INVOKE, "Condition": {
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"}}}), "no", ""),
    ("URL that asks for a signature", function(CALL_URL, url=open_url("AWS_IAM")), "no", "AWS_IAM"),
    ("a signature of any account", function(
        allow(Action="lambda:InvokeFunctionUrl", Resource=FUNCTION), url=open_url("AWS_IAM")),
     "yes", "anyone with an AWS account"),
    ("a signature of one account", function(
        {**allow(Action="lambda:InvokeFunctionUrl", Resource=FUNCTION),
         "Principal": {"AWS": "444455556666"}}, url=open_url("AWS_IAM")), "no", "AWS_IAM"),
    ("URL without a permission", function(url=open_url()), "no", "no permission"),
    ("URL, permission for one account", function({**CALL_URL, "Principal": {"AWS": ACCOUNT}},
                                                 url=open_url()), "no", ""),
    ("nothing", function(), "no", "no function policy"),
    ("a service only", function({**INVOKE, "Principal": {"Service": "sns.amazonaws.com"}}), "no", ""),
    ("an account only", function({**INVOKE, "Principal": {"AWS": "444455556666"}}), "no", ""),
    ("organisation", function({**INVOKE, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}),
     "no", "aws:principalorgid"),
    ("source account", function({**INVOKE, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}),
     "no", "aws:sourceaccount"),
    ("source ARN", function({**INVOKE, "Condition": {"ArnLike": {
        "AWS:SourceArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:*"}}}), "no", "aws:sourcearn"),
    ("another function's ARN", function({**INVOKE, "Resource": FUNCTION + "2"}), "no", ""),
    ("read permission only", function(allow(Action="lambda:GetFunction", Resource=FUNCTION)), "no", ""),
    ("every action", function(allow(Action="lambda:*", Resource=FUNCTION)), "yes", ""),
    ("denied", function(INVOKE, {"Effect": "Deny", "Principal": "*", "Action": "lambda:*",
                                 "Resource": FUNCTION}), "no", ""),
    ("policy unread", judge(FUNCTION, (FUNCTION, "aws_lambda_function", {"FunctionArn": FUNCTION})),
     "unknown", "get_policy"),
    ("URL unread, no policy that would open one", judge(FUNCTION, (FUNCTION, "aws_lambda_function", {
        "FunctionArn": FUNCTION, "get_policy": {"Error": "ResourceNotFoundException"}})), "no",
     "no permission"),
    ("URL unread", judge(FUNCTION, (FUNCTION, "aws_lambda_function", {
        "FunctionArn": FUNCTION, "get_policy": {"Policy": policy(CALL_URL)}})), "unknown",
     "get_function_url_config"),
    ("URL unread, but anyone may invoke", judge(FUNCTION, (FUNCTION, "aws_lambda_function", {
        "FunctionArn": FUNCTION, "get_policy": {"Policy": policy(INVOKE)}})), "yes", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "value", "text"), [c[1:] for c in FUNCTIONS], ids=[c[0] for c in FUNCTIONS]
)
def test_function(found: RiskStatement, value: str, text: str) -> None:
    assert found.value == value, found
    assert text in " ".join(e.text for e in found.evidence)


# One of each other kind, open and closed

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:s"
REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/r"
FILES = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/fs-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
SNAPSHOT = f"arn:aws:ec2:{REGION}:{ACCOUNT}:snapshot/snap-1"
IMAGE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:image/ami-1"
DB_SNAPSHOT = f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:s"
DOMAIN = f"arn:aws:es:{REGION}:{ACCOUNT}:domain/d"
CLUSTER = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/c"
ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}


SUBJECT = "token.actions.githubusercontent.com:sub"


def attributes(statement: dict[str, Any]) -> dict[str, Any]:
    return {"get_queue_attributes": {"Attributes": {"Policy": policy(statement)}},
            "get_topic_attributes": {"Attributes": {"Policy": policy(statement)}}}  # fmt: skip


def trust(
    principal: Any, condition: dict[str, Any] | None = None, action: str = "sts:AssumeRole"
) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {"RoleName": "r", "AssumeRolePolicyDocument": {
        "Statement": [statement | ({"Condition": condition} if condition else {})]}}  # fmt: skip


def github(**operators: Any) -> dict[str, Any]:
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    return trust({"Federated": provider}, operators or None, "sts:AssumeRoleWithWebIdentity")


def barred(**operators: Any) -> dict[str, Any]:
    """Every repository, but for what a denial names."""
    found = sub("repo:*")
    statements = found["AssumeRolePolicyDocument"]["Statement"]
    statements.append({**statements[0], "Effect": "Deny", "Condition": operators})
    return found


def sub(value: str) -> dict[str, Any]:
    return github(StringLike={"token.actions.githubusercontent.com:sub": value})


def eks(**settings_: Any) -> dict[str, Any]:
    return {"name": "c", "resourcesVpcConfig": settings_}


def domain(statement: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"DomainId": "d", "Endpoint": "d.example", "AccessPolicies": policy(statement), **more}


SEARCH = allow(Action="es:*", Resource=f"{DOMAIN}/*")

OTHERS: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("queue", QUEUE, "aws_sqs_queue", attributes(allow(Action="sqs:*", Resource=QUEUE)), "yes"),
    ("queue for one topic", QUEUE, "aws_sqs_queue", attributes(allow(
        Action="sqs:SendMessage", Resource=QUEUE,
        Condition={"ArnEquals": {"aws:SourceArn": TOPIC}})), "no"),
    ("queue unread", QUEUE, "aws_sqs_queue", {"QueueUrl": "x"}, "unknown"),
    ("topic", TOPIC, "aws_sns_topic", attributes(allow(Action="SNS:Subscribe", Resource=TOPIC)), "yes"),
    ("topic for its owner", TOPIC, "aws_sns_topic", attributes(allow(
        Action="SNS:*", Resource=TOPIC,
        Condition={"StringEquals": {"AWS:SourceOwner": ACCOUNT}})), "no"),
    ("key", KEY, "aws_kms_key", {"get_key_policy": {"Policy": policy(allow(
        Action="kms:*", Resource="*"))}}, "yes"),
    ("key to make data keys, by pattern", KEY, "aws_kms_key", {"get_key_policy": {"Policy": policy(
        allow(Action="kms:GenerateDataKey*", Resource="*"))}}, "yes"),
    ("key to make data keys, which all are denied", KEY, "aws_kms_key", {"get_key_policy": {
        "Policy": policy(allow(Action="kms:GenerateDataKey*", Resource="*"), {
            "Effect": "Deny", "Principal": "*", "Action": "kms:Generate*", "Resource": "*"})}}, "no"),
    ("key for its own account", KEY, "aws_kms_key", {"get_key_policy": {"Policy": policy(allow(
        Action="kms:Decrypt", Resource="*", Condition={"StringEquals": {
            "kms:CallerAccount": ACCOUNT, "kms:ViaService": "ec2.eu-west-1.amazonaws.com"}}))}}, "no"),
    ("key for the account root", KEY, "aws_kms_key", {"get_key_policy": {"Policy": policy(
        {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"})}}, "no"),
    ("secret", SECRET, "aws_secretsmanager_secret", {"get_resource_policy": {"ResourcePolicy": policy(
        allow(Action="secretsmanager:GetSecretValue", Resource="*"))}}, "yes"),
    ("secret without policy", SECRET, "aws_secretsmanager_secret",
     {"get_resource_policy": {"ARN": SECRET}}, "no"),
    ("repository", REPOSITORY, "aws_ecr_repository", {"get_repository_policy": {"policyText": policy(
        allow(Action=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]))}}, "yes"),
    ("repository for an organisation", REPOSITORY, "aws_ecr_repository", {"get_repository_policy": {
        "policyText": policy(allow(Action="ecr:BatchGetImage", Condition=ORG))}}, "no"),
    ("file system", FILES, "aws_efs_file_system", {"describe_file_system_policy": {"Policy": policy(
        allow(Action="elasticfilesystem:ClientMount", Resource=FILES))}}, "yes"),
    ("file system by its mount targets", FILES, "aws_efs_file_system", {"describe_file_system_policy": {
        "Policy": policy(allow(Action="elasticfilesystem:ClientMount", Resource=FILES, Condition={
            "Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}))}}, "no"),
    ("snapshot", SNAPSHOT, "aws_ec2_snapshot", {"SnapshotId": "snap-1", "describe_snapshot_attribute": {
        "CreateVolumePermissions": [{"Group": "all"}]}}, "yes"),
    ("snapshot for one account", SNAPSHOT, "aws_ec2_snapshot", {"SnapshotId": "snap-1",
     "describe_snapshot_attribute": {"CreateVolumePermissions": [{"UserId": "444455556666"}]}}, "no"),
    ("snapshot unread", SNAPSHOT, "aws_ec2_snapshot", {"SnapshotId": "snap-1"}, "unknown"),
    ("image", IMAGE, "aws_ec2_image", {"ImageId": "ami-1", "describe_image_attribute": {
        "LaunchPermissions": [{"Group": "all"}]}}, "yes"),
    ("image by its own flag", IMAGE, "aws_ec2_image", {"ImageId": "ami-1", "Public": True}, "yes"),
    ("private image", IMAGE, "aws_ec2_image", {"ImageId": "ami-1", "Public": False}, "no"),
    ("database snapshot", DB_SNAPSHOT, "aws_rds_snapshot", {"describe_db_snapshot_attributes": {
        "DBSnapshotAttributesResult": {"DBSnapshotAttributes": [
            {"AttributeName": "restore", "AttributeValues": ["all"]}]}}}, "yes"),
    ("database snapshot for one account", DB_SNAPSHOT, "aws_rds_snapshot", {
        "describe_db_snapshot_attributes": {"DBSnapshotAttributesResult": {"DBSnapshotAttributes": [
            {"AttributeName": "restore", "AttributeValues": ["444455556666"]}]}}}, "no"),
    ("search domain", DOMAIN, "aws_opensearch_domain", domain(SEARCH), "yes"),
    ("search domain in a VPC", DOMAIN, "aws_opensearch_domain", domain(
        SEARCH, VPCOptions={"VPCId": "vpc-1"}), "no"),
    ("search domain for one network", DOMAIN, "aws_opensearch_domain", domain({
        **SEARCH, "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}), "no"),
    ("cluster", CLUSTER, "aws_eks_cluster", eks(
        endpointPublicAccess=True, publicAccessCidrs=["0.0.0.0/0"]), "yes"),
    ("cluster by IPv6", CLUSTER, "aws_eks_cluster", eks(
        endpointPublicAccess=True, publicAccessCidrs=["203.0.113.0/24", "::/0"]), "yes"),
    ("cluster for one network", CLUSTER, "aws_eks_cluster", eks(
        endpointPublicAccess=True, publicAccessCidrs=["203.0.113.0/24"]), "no"),
    ("cluster with a private endpoint", CLUSTER, "aws_eks_cluster", eks(endpointPublicAccess=False), "no"),
    ("role for anyone", ROLE, "aws_iam_role", trust({"AWS": "*"}), "yes"),
    ("role for anyone who knows the external id", ROLE, "aws_iam_role", trust(
        {"AWS": "*"}, {"StringEquals": {"sts:ExternalId": "x"}}), "no"),
    ("role for its account", ROLE, "aws_iam_role", trust({"AWS": ROOT}), "no"),
    ("role for another account", ROLE, "aws_iam_role", trust({"AWS": "444455556666"}), "no"),
    ("role for a deleted principal", ROLE, "aws_iam_role", trust({"AWS": "AROAEXAMPLEEXAMPLE"}), "no"),
    ("any repository", ROLE, "aws_iam_role", sub("repo:*"), "yes"),
    ("any repository by audience only", ROLE, "aws_iam_role", github(
        StringEquals={"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}), "yes"),
    ("repositories of an organisation", ROLE, "aws_iam_role", sub("repo:acme/*"), "no"),
    ("a prefix that others can register", ROLE, "aws_iam_role", sub("repo:acme*"), "yes"),
    ("denied but for an organisation", ROLE, "aws_iam_role", barred(StringNotLike={SUBJECT: "repo:acme/*"}), "no"),
    ("denied but for a prefix", ROLE, "aws_iam_role", barred(StringNotLike={SUBJECT: "repo:acme*"}), "yes"),
    ("denied but for a star", ROLE, "aws_iam_role", barred(StringNotEquals={SUBJECT: "repo:*"}), "no"),
    ("denied to an organisation", ROLE, "aws_iam_role", barred(StringLike={SUBJECT: "repo:acme/*"}), "yes"),
    ("denied to every repository", ROLE, "aws_iam_role", barred(StringLike={SUBJECT: "repo:*"}), "no"),
    ("denied to all", ROLE, "aws_iam_role", barred(), "no"),
    ("denied by a claim that nobody knows", ROLE, "aws_iam_role", barred(
        StringNotEquals={"token.actions.githubusercontent.com:new": "x"}), "unknown"),
    ("denied without an organisation", ROLE, "aws_iam_role", barred(
        StringNotEquals={"aws:PrincipalOrgID": "o-1"}), "no"),
    ("one repository and branch", ROLE, "aws_iam_role", sub("repo:acme/docs:ref:refs/heads/main"), "no"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("uid", "kind", "config", "value"), [c[1:] for c in OTHERS], ids=[c[0] for c in OTHERS]
)
def test_others(uid: str, kind: str, config: dict[str, Any], value: str) -> None:
    found = judge(uid, (uid, kind, config))
    assert found.value == value, found
    assert found.evidence


def test_a_trail_is_as_public_as_its_bucket() -> None:
    trail = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/t"
    own = {"get_bucket_policy": {"Policy": policy(READ)}, "get_bucket_acl": {"Grants": []},
           "get_public_access_block": OFF}  # fmt: skip
    items = [
        (BUCKET, "aws_s3_bucket", own),
        (trail, "aws_cloudtrail_trail", {"S3BucketName": "invoices"}),
        (ROOT, "aws_account", {"s3control": OFF}),
    ]
    assert judge(trail, *items).value == "yes"
    own["get_public_access_block"] = block(RestrictPublicBuckets=True)
    assert judge(trail, *items).value == "no"
    assert judge(trail, items[1]).value == "unknown"


DISTRIBUTION = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"


def served(enabled: bool = True, source: str = DISTRIBUTION, signed: bool = False) -> RiskStatement:
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
                 "Action": "s3:GetObject", "Resource": f"{BUCKET}/*",
                 "Condition": {"StringEquals": {"AWS:SourceArn": source}}}  # fmt: skip
    own = {"get_bucket_policy": {"Policy": policy(statement)}, "get_bucket_acl": {"Grants": []},
           "get_public_access_block": block(RestrictPublicBuckets=True)}  # fmt: skip
    front = {
        "Enabled": enabled,
        "DomainName": "d.cloudfront.net",
        "DefaultCacheBehavior": {"TargetOriginId": "o", "TrustedKeyGroups": {"Enabled": signed}},
        "Origins": {"Items": [{"Id": "o", "DomainName": "invoices.s3.eu-west-1.amazonaws.com"}]},
    }
    return judge(BUCKET, (BUCKET, "aws_s3_bucket", own), (DISTRIBUTION, "aws_cloudfront_distribution", front),
                 (ROOT, "aws_account", {"s3control": OFF}))  # fmt: skip


def test_a_private_bucket_behind_a_distribution_is_served_to_everyone() -> None:
    assert served().value == "yes"
    assert served(enabled=False).value == "no"
    assert served(source=DISTRIBUTION + "2").value == "unknown"  # of which nobody knows
    assert served(signed=True).value == "no"


def api(
    method: dict[str, Any], kind: str = "REGIONAL", stages: int = 1
) -> dict[str, RiskStatement]:
    uid = f"arn:aws:apigateway:{REGION}::/restapis/a1"
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
    config = {
        "id": "a1",
        "endpointConfiguration": {"types": [kind]},
        "get_stages": {"item": [{"stageName": "live"}] * stages},
        "get_resources": {"items": [{"path": "/", "resourceMethods": {
            "POST": {**method, "methodIntegration": {"uri": uri}}}}]},
    }  # fmt: skip
    own = {"FunctionArn": FUNCTION, "get_policy": {"Error": "ResourceNotFoundException"},
           "get_function_url_config": NO_URL}  # fmt: skip
    estate = estate_of_items(
        (uid, "aws_apigateway_rest_api", config), (FUNCTION, "aws_lambda_function", own)
    )
    return {s.resource: s for s in exposure(estate)}


@pytest.mark.parametrize(
    ("method", "kind", "stages", "value"),
    [
        ({"authorizationType": "NONE"}, "REGIONAL", 1, "yes"),
        ({"authorizationType": "NONE"}, "EDGE", 1, "yes"),
        ({"authorizationType": "NONE"}, "PRIVATE", 1, "no"),
        ({"authorizationType": "NONE"}, "REGIONAL", 0, "no"),
        ({"authorizationType": "AWS_IAM"}, "REGIONAL", 1, "no"),
        ({"authorizationType": "CUSTOM"}, "REGIONAL", 1, "no"),
        ({"authorizationType": "NONE", "apiKeyRequired": True}, "REGIONAL", 1, "no"),
    ],
)
def test_an_api_and_the_function_behind_it(
    method: dict[str, Any], kind: str, stages: int, value: str
) -> None:
    found = api(method, kind, stages)
    assert {s.value for s in found.values()} == {value}


@pytest.mark.parametrize(
    ("resource", "value"),
    [
        ("execute-api:/*", "yes"),  # the short form: the API that it hangs on
        (f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1/*", "yes"),
        (f"arn:aws:execute-api:{REGION}:{ACCOUNT}:other/*", "no"),
    ],
)
def test_the_resources_of_the_policy_of_an_api(resource: str, value: str) -> None:
    uid = f"arn:aws:apigateway:{REGION}::/restapis/a1"
    config = {
        "id": "a1", "endpointConfiguration": {"types": ["REGIONAL"]},
        "policy": policy(allow(Action="execute-api:Invoke", Resource=resource)),
        "get_stages": {"item": [{"stageName": "live"}]},
        "get_resources": {"items": [{"path": "/", "resourceMethods": {
            "GET": {"authorizationType": "NONE"}}}]},
    }  # fmt: skip
    assert judge(uid, (uid, "aws_apigateway_rest_api", config)).value == value


@pytest.mark.parametrize(
    ("stages", "value"),
    [({"Items": [{"StageName": "$default"}]}, "yes"), ({"Items": []}, "no"), (None, "yes")],
)
def test_an_http_api_that_is_deployed_nowhere(stages: dict[str, Any] | None, value: str) -> None:
    uid = f"arn:aws:apigateway:{REGION}::/apis/a1"
    config = {
        "ApiId": "a1", "ApiEndpoint": f"https://a1.execute-api.{REGION}.amazonaws.com",
        "get_routes": {"Items": [{"RouteKey": "POST /x", "AuthorizationType": "NONE", "Target": "integrations/i"}]},
        "get_integrations": {"Items": [{"IntegrationId": "i", "IntegrationUri": FUNCTION}]},
    } | ({} if stages is None else {"get_stages": stages})  # fmt: skip
    own = {"FunctionArn": FUNCTION, "get_policy": {"Error": "ResourceNotFoundException"},
           "get_function_url_config": NO_URL}  # fmt: skip
    estate = estate_of_items(
        (uid, "aws_apigateway_api", config), (FUNCTION, "aws_lambda_function", own)
    )
    assert {s.value for s in exposure(estate)} == {value}


@pytest.mark.parametrize(
    ("connect", "value"), [("NONE", "yes"), ("AWS_IAM", "no"), ("CUSTOM", "no"), (None, "yes")]
)
def test_who_connects_to_a_websocket_api_is_not_asked_again(
    connect: str | None, value: str
) -> None:
    uid = f"arn:aws:apigateway:{REGION}::/apis/a1"
    rows = [{"RouteKey": "$default", "AuthorizationType": "NONE", "Target": "integrations/i"}]
    rows += [{"RouteKey": "$connect", "AuthorizationType": connect}] if connect else []
    config = {
        "ApiId": "a1", "ProtocolType": "WEBSOCKET",
        "ApiEndpoint": f"wss://a1.execute-api.{REGION}.amazonaws.com",
        "get_routes": {"Items": rows}, "get_stages": {"Items": [{"StageName": "prod"}]},
        "get_integrations": {"Items": [{"IntegrationId": "i", "IntegrationUri": FUNCTION}]},
    }  # fmt: skip
    own = {"FunctionArn": FUNCTION, "get_policy": {"Error": "ResourceNotFoundException"},
           "get_function_url_config": NO_URL}  # fmt: skip
    estate = estate_of_items(
        (uid, "aws_apigateway_api", config), (FUNCTION, "aws_lambda_function", own)
    )
    assert {s.value for s in exposure(estate)} == {value}
