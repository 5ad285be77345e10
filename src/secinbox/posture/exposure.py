"""What anyone can read, write, call or restore: one row a type of resource, judged by its route.

The answer is that of the detected risk public accessibility; nothing is computed a second time.
Load balancers, distributions and instances are no faults for being reachable: what is wrong about
them is said by other subjects.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.estate import Estate, Item
from secinbox.iam.marks import marked
from secinbox.iam.stores import sensitive
from secinbox.network.aws.buckets import openings
from secinbox.network.aws.stores import policy_verdict
from secinbox.posture._stating import Known, Rule, known_of, texts
from secinbox.records import Finding
from secinbox.risks import Assessment

_ANYONE = "no_authorization"
_CLOSE = (
    "Name the principals that need it, or add a condition on the organisation (aws:PrincipalOrgID)."
)
_UNSHARE = (
    "Take the permission of the group `all` away; share with account numbers if it must be shared."
)

# Types whose public accessibility is a fault by itself, and the kinds of evidence that show it.
_RULES: dict[str, tuple[tuple[str, ...], Rule]] = {
    "aws_sqs_queue": (("policy",), Rule(
        "secinbox-sqs-public", "Queue is open to anyone",
        "Anyone may send messages to the queue or take them from it: forged work, lost work, and "
        "whatever the messages hold.", _CLOSE, _ANYONE, "medium",
        canonical="sqs_queues_not_publicly_accessible")),
    "aws_sns_topic": (("policy",), Rule(
        "secinbox-sns-public", "Topic is open to anyone",
        "Anyone may publish to the topic or subscribe to what is published.", _CLOSE, _ANYONE,
        "medium", canonical="sns_topics_not_publicly_accessible")),
    "aws_kms_key": (("policy",), Rule(
        "secinbox-kms-public", "Encryption key may be used by anyone",
        "Any AWS account may use the key: what it encrypts is only as safe as the places where the "
        "ciphertext lies.", _CLOSE, _ANYONE, "high", canonical="kms_key_not_publicly_accessible")),
    "aws_secretsmanager_secret": (("policy",), Rule(
        "secinbox-secret-public", "Secret may be read by anyone",
        "Any AWS account may read the secret and use it wherever it opens something.",
        "Narrow the secret's policy to the principals that need it, then rotate the secret: it "
        "must be taken for known.", _ANYONE, "high",
        canonical="secretsmanager_not_publicly_accessible")),
    "aws_ecr_repository": (("policy", "endpoint"), Rule(
        "secinbox-ecr-public", "Image repository is open to anyone",
        "Anyone may pull the images, with the code and the secrets that lie in their layers.",
        _CLOSE, _ANYONE, "medium", canonical="ecr_repositories_not_publicly_accessible")),
    "aws_efs_file_system": (("policy",), Rule(
        "secinbox-efs-public", "File system may be mounted by anyone",
        "Whoever reaches a mount target may mount the file system, without signing in.", _CLOSE,
        _ANYONE, "medium", canonical="efs_not_publicly_accessible")),
    "aws_dynamodb_table": (("policy",), Rule(
        "secinbox-dynamodb-public", "Table is open to anyone",
        "Any AWS account may read or change the table.", _CLOSE, _ANYONE, "medium")),
    "aws_opensearch_domain": (("endpoint",), Rule(
        "secinbox-opensearch-public", "Search domain answers anyone without signing in",
        "Anyone on the Internet may read, change or delete the indexes.",
        "Put the domain into a VPC, or narrow its access policy and turn on fine-grained access "
        "control.", _ANYONE, "medium",
        canonical="opensearch_service_domains_not_publicly_accessible")),
    "aws_ec2_snapshot": (("shared",), Rule(
        "secinbox-ebs-snapshot-public", "Disk snapshot is shared with every AWS account",
        "Anyone may make a disk of it and read everything on it: files, keys, deleted data.",
        _UNSHARE + " Block public sharing of snapshots for the account.", _ANYONE, "medium",
        canonical="ec2_ebs_public_snapshot")),
    "aws_ec2_image": (("shared",), Rule(
        "secinbox-ami-public", "Machine image is shared with every AWS account",
        "Anyone may start a machine from it and read everything on its disks.",
        _UNSHARE + " Block public sharing of images for the account.", _ANYONE, "medium",
        canonical="ec2_ami_public")),
    "aws_rds_snapshot": (("shared",), Rule(
        "secinbox-rds-snapshot-public", "Database snapshot is shared with every AWS account",
        "Anyone may restore the database in an account of their own and read it all.", _UNSHARE,
        _ANYONE, "medium", canonical="rds_snapshots_public_access")),
    "aws_rds_cluster_snapshot": (("shared",), Rule(
        "secinbox-rds-snapshot-public", "Database snapshot is shared with every AWS account",
        "Anyone may restore the database in an account of their own and read it all.", _UNSHARE,
        _ANYONE, "medium", canonical="rds_snapshots_public_access")),
    "aws_rds_instance": (("route",), Rule(
        "secinbox-rds-public", "Database is reachable from the Internet",
        "Anyone may try passwords and known faults on the database's port.",
        "Turn PubliclyAccessible off and move it to subnets without a route to an Internet gateway; "
        "narrow its security group.", "vulnerability", "medium",
        canonical="rds_instance_no_public_access")),
    "aws_redshift_cluster": (("route",), Rule(
        "secinbox-redshift-public", "Data warehouse is reachable from the Internet",
        "Anyone may try passwords and known faults on the cluster's port.",
        "Turn PubliclyAccessible off; narrow its security group.", "vulnerability", "medium",
        canonical="redshift_cluster_public_access")),
    "aws_eks_cluster": (("endpoint",), Rule(
        "secinbox-eks-public", "Cluster's API answers the whole Internet",
        "Calls still need a token, but a leaked one is usable from anywhere, and a fault in the API "
        "server is open to all.",
        "Turn the public endpoint off, or list the networks that need it in publicAccessCidrs.",
        "required_privileges", "medium", canonical="eks_cluster_not_publicly_accessible")),
    "aws_apigateway_rest_api": (("endpoint",), Rule(
        "secinbox-api-open", "API has methods that ask for no authorisation",
        "Anyone may call the method and what stands behind it.",
        "Give the method an authoriser, or make sure that what it calls checks the caller itself.",
        _ANYONE, "low")),
    "aws_apigateway_api": (("endpoint",), Rule(
        "secinbox-api-open", "API has methods that ask for no authorisation",
        "Anyone may call the route and what stands behind it.",
        "Give the route an authoriser, or make sure that what it calls checks the caller itself.",
        _ANYONE, "low")),
    "aws_msk_cluster": (("endpoint", "route"), Rule(
        "secinbox-kafka-public", "Kafka cluster is reachable from the Internet",
        "Anyone may try to sign in to the brokers.", "Turn public access off.",
        "vulnerability", "medium", canonical="kafka_cluster_is_public")),
    "aws_mq_broker": (("endpoint", "route"), Rule(
        "secinbox-mq-public", "Message broker is reachable from the Internet",
        "Anyone may try passwords and known faults on the broker's ports and its console.",
        "Recreate the broker with PubliclyAccessible off.", "vulnerability", "medium",
        canonical="mq_broker_not_publicly_accessible")),
    "aws_events_event_bus": (("policy",), Rule(
        "secinbox-eventbridge-public", "Event bus takes events from anyone",
        "Any AWS account may put events on the bus and set off whatever rules do with them.",
        _CLOSE, _ANYONE, "medium", canonical="eventbridge_bus_exposed")),
    "aws_lambda_layer": (("policy",), Rule(
        "secinbox-layer-public", "Function layer may be read by any AWS account",
        "Anyone may download the layer, with the code and the secrets that it holds.", _CLOSE,
        _ANYONE, "low")),
    "aws_backup_backup_vault": (("policy",), Rule(
        "secinbox-backup-vault-public", "Backup vault is open to any AWS account",
        "Anyone may act on the backups as the vault's policy says: copy them, or put others among "
        "them.", _CLOSE, _ANYONE, "high")),
    "aws_glacier_vaults": (("policy",), Rule(
        "secinbox-glacier-public", "Archive vault is open to any AWS account",
        "Anyone may fetch archives or add some.", _CLOSE, _ANYONE, "medium")),
    "aws_glue": (("policy",), Rule(
        "secinbox-glue-catalog-public", "Data catalogue is open to any AWS account",
        "Anyone may read what databases and tables there are and where their data lies.", _CLOSE,
        _ANYONE, "medium")),
    "aws_codeartifact_repository": (("policy",), Rule(
        "secinbox-codeartifact-public", "Package repository is open to any AWS account",
        "Anyone may read the packages or, where publishing is allowed, put others in their place.",
        _CLOSE, _ANYONE, "high")),
    "aws_codeartifact_domain": (("policy",), Rule(
        "secinbox-codeartifact-public", "Package domain is open to any AWS account",
        "Anyone may sign in to the domain and use the repositories that let them.", _CLOSE,
        _ANYONE, "medium")),
    "aws_kinesis_stream": (("policy",), Rule(
        "secinbox-kinesis-public", "Data stream is open to any AWS account",
        "Anyone may read what flows through the stream or add to it.", _CLOSE, _ANYONE, "medium")),
    "aws_s3_accesspoint": (("policy",), Rule(
        "secinbox-s3-access-point-public", "Bucket's objects are open to anyone through an access point",
        "Anyone may use the objects as the access point's policy says.",
        "Turn on the public access block of the account; name the principals in the point's policy.",
        _ANYONE, "medium")),
    "aws_ssm_document": (("shared",), Rule(
        "secinbox-ssm-document-public", "Automation document is shared with every AWS account",
        "Anyone may read the document, with the commands and the secrets written in it.",
        "Share it with account numbers; block public sharing of documents for the account.",
        _ANYONE, "medium", canonical="ssm_documents_set_as_public")),
    "aws_cognito_identity_identity_pool": (("endpoint",), Rule(
        "secinbox-identity-pool-guests", "Identity pool gives credentials to guests",
        "Anyone gets credentials of the pool's role for guests, without signing in.",
        "Turn access for guests off, or make sure that the role may do nothing of worth.",
        _ANYONE, "low")),
    "aws_appsync_apis": (("endpoint",), Rule(
        "secinbox-graphql-key", "GraphQL API asks for an API key only",
        "The key lies in every client: whoever has one may call the API.",
        "Ask for a sign-in (Cognito, OpenID Connect or IAM).", _ANYONE, "low")),
    "aws_redshift_serverless_workgroup": (("route",), Rule(
        "secinbox-redshift-public", "Data warehouse is reachable from the Internet",
        "Anyone may try passwords and known faults on the workgroup's port.",
        "Turn publiclyAccessible off; narrow its security group.", "vulnerability", "medium")),
}  # fmt: skip

_FUNCTION_URL = Rule(
    "secinbox-function-url-open", "Function's URL asks for no sign-in",
    "Anyone on the Internet may run the function with what they like as input.",
    "Set AuthType to AWS_IAM, or make sure that the function checks its caller.", _ANYONE, "medium",
    canonical="awslambda_function_url_public",
)  # fmt: skip
_FUNCTION_POLICY = Rule(
    "secinbox-function-public", "Function may be called by any AWS account",
    "Anyone may run the function with what they like as input.",
    "Name the caller in the function's policy; add aws:SourceAccount where a service calls it.",
    _ANYONE, "medium", canonical="awslambda_function_not_publicly_accessible",
)  # fmt: skip

_BUCKET: dict[str, Rule] = {
    "read": Rule(
        "secinbox-s3-public-read", "Bucket's objects can be read by anyone",
        "Anyone who knows or guesses a name may read the objects.",
        "Turn on the bucket's public access block, and serve what must be public through a "
        "distribution with origin access control.", _ANYONE, "medium",
        canonical="s3_bucket_public_access"),
    "write": Rule(
        "secinbox-s3-public-write", "Bucket can be written by anyone",
        "Anyone may replace, add or delete objects, or open the bucket further: what others load "
        "from here is no longer yours.",
        "Turn on the bucket's public access block and take write actions from `*`; check what was "
        "written.", _ANYONE, "high", canonical="s3_bucket_policy_public_write_access"),
    "list": Rule(
        "secinbox-s3-public-list", "Bucket's contents can be listed by anyone",
        "Anyone may see the names of all objects, and so find what is readable elsewhere.",
        "Take s3:ListBucket from `*` and turn ACLs off (BucketOwnerEnforced).", _ANYONE, "low"),
}  # fmt: skip
# A check of ACLs alone is another statement than one of policies.
_BY_ACL = {"write": "s3_bucket_public_write_acl", "list": "s3_bucket_public_list_acl"}


def findings(assessment: Assessment) -> Iterator[Finding]:
    """One finding for each thing that strangers can do with a resource."""
    known = known_of(assessment)
    if not known.exposed():
        return
    estate = assessment.estate
    restricted = {item.uid: why for item, why in sensitive(estate)}
    for uid in sorted(known.exposed()):
        item = estate.items.get(uid)
        if item is None:
            continue
        if item.type == "aws_s3_bucket":
            yield from _bucket(known, assessment, item, restricted.get(uid, ""))
        elif item.type == "aws_lambda_function":
            yield from _function(known, item)
        elif item.type in _RULES:
            yield from _by_type(known, estate, item, marked(item))


def _by_type(known: Known, estate: Estate, item: Item, marked_as: str) -> Iterator[Finding]:
    kinds, rule = _RULES[item.type]
    shown = [e for e in known.public(item.uid) if e.kind in kinds]
    if not shown:
        return
    impact, harm = rule.impact, rule.harm
    lines = texts(shown)
    if item.type == "aws_ecr_repository":
        pushed = policy_verdict(estate, item, "get_repository_policy", "policyText", ("ecr:putimage",),
                                "repository policy")  # fmt: skip
        if pushed.value == "yes":
            impact = "high"
            harm = "Anyone may push images: what runs from here is no longer yours. " + harm
            lines += texts(pushed.evidence)
    if marked_as:
        impact = _higher(impact)
        lines.append(f"marked as restricted: {marked_as}")
    yield known.state(rule, item.uid, lines, impact=impact, harm=harm)


def _function(known: Known, item: Item) -> Iterator[Finding]:
    for kind, rule in (("endpoint", _FUNCTION_URL), ("policy", _FUNCTION_POLICY)):
        shown = [e for e in known.public(item.uid) if e.kind == kind]
        if shown:
            power = known.impact_of(item.uid, rule.impact)
            yield known.state(rule, item.uid, texts(shown), impact=power)


def _bucket(known: Known, assessment: Assessment, item: Item, restricted: str) -> Iterator[Finding]:
    """Buckets that a distribution serves are meant to be seen: only their own doors count."""
    for what, ways in openings(assessment.estate, item).items():
        opened = {way: v for way, v in ways.items() if v.value == "yes"}
        if not opened:
            continue
        rule = _BUCKET[what]
        canonical = rule.canonical if "policy" in opened else _BY_ACL.get(what, "")
        lines = [line for v in opened.values() for line in texts(v.evidence)]
        impact = rule.impact
        if restricted and what != "list":
            impact = _higher(impact)
            lines.append(f"what it holds: {restricted}")
        yield known.state(rule, item.uid, lines, impact=impact, canonical=canonical)


def _higher(impact: str) -> str:
    return {"low": "medium", "medium": "high"}.get(impact, impact)
