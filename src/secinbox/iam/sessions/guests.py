"""Cognito identity pools: sessions for guests, who sign in nowhere.

In the enhanced flow Cognito itself gives guests the pool's unauthenticated role, and adds session policies
of its own: guests may then use only some services, whatever the role allows. In the classic flow, where the
pool allows it, a guest takes the pool's token to sts:AssumeRoleWithWebIdentity, and gets any role that trusts
guests of the pool, uncut. Sources: Amazon Cognito Developer Guide, "IAM roles" (docs.aws.amazon.com/cognito/
latest/developerguide/iam-roles.html) for the services, "Identity pools authentication flow"; AWS Managed
Policy Reference, "AmazonCognitoUnAuthedIdentitiesSessionPolicy".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from secinbox.estate import Item
from secinbox.iam.conditions import Tri, any_of, holds
from secinbox.iam.policy import Policy, Statement
from secinbox.iam.request import Values
from secinbox.iam.sessions import Handed
from secinbox.iam.trusts import Trusts
from secinbox.iam.world import Principal, World
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk

TYPE = "aws_cognito_identity_identity_pool"
SERVICE = "cognito-identity.amazonaws.com"
_ACTION = "sts:assumerolewithwebidentity"
# Services of which guests may use everything, and single actions of others.
_SERVICES = (
    "appsync", "cloudwatch", "codewhisperer", "cognito-identity", "cognito-idp", "cognito-sync",
    "comprehend", "dynamodb", "execute-api", "firehose", "gamelift", "iot", "kinesis", "lambda", "lex",
    "logs", "machinelearning", "mobileanalytics", "mobiletargeting", "personalize", "polly",
    "rekognition", "s3", "sdb", "ses", "sns", "sqs", "transcribe", "translate",
)  # fmt: skip
_ACTIONS = (
    "rum:putrumevents", "sagemaker:invokeendpoint", "sumerian:view*", "textract:analyzedocument",
    "textract:detectdocumenttext", "geo:calculateroute*", "geo:getmap*", "geo:getplace", "geo:listmaps",
    "geo:searchplaceindex*", "geo:*deviceposition*", "geo:*geofence", "geo:*geofences", "kms:decrypt",
    "kms:encrypt", "kms:reencryptfrom", "kms:reencryptto", "kms:generatedatakey",
    "kms:generatedatakeypair", "kms:generatedatakeypairwithoutplaintext",
    "kms:generatedatakeywithoutplaintext",
)  # fmt: skip
_NAME = "session policy of Cognito for guests"
GUESTS = Policy(
    (Statement("Allow", actions=(*(f"{s}:*" for s in _SERVICES), *_ACTIONS), resources=("*",),
               origin=_NAME),), _NAME)  # fmt: skip


def sessions(world: World, trusts: Trusts) -> Iterator[Handed]:
    for item in world.estate.of_type(TYPE):
        yield from _of_pool(world, item)


def _of_pool(world: World, item: Item) -> Iterator[Handed]:
    name = str(item.config.get("IdentityPoolName") or item.name)
    told = Handed(item.uid, "", words=f"guests of the identity pool {name}")
    open_to_guests = item.config.get("AllowUnauthenticatedIdentities")
    if open_to_guests is not True:
        let: Tri = None if open_to_guests is None else False
        why = "whether it lets guests in was not read" if let is None else "it lets no guests in"
        yield replace(told, let=let, why=why)
        return
    classic = item.config.get("AllowClassicFlow") is True
    roles = answer(item, "get_identity_pool_roles")
    given = "" if roles is None or isinstance(roles, Unread) else str(
        next(walk(dict(roles), "Roles.unauthenticated"), ""))  # fmt: skip
    if isinstance(roles, Unread):
        yield replace(told, let=None, why=roles.text)
    elif given and not classic:
        yield _enhanced(world, told, item, given)
    elif not given and not classic:
        yield replace(told, let=False, why="it has no role for guests")
    if classic:
        yield from _classic(world, told, item)


def _classic(world: World, told: Handed, item: Item) -> Iterator[Handed]:
    trusting = [(r, let) for r in world.roles() if (let := _admits(r, item)) is not False]
    for role, let in trusting:
        why = "" if let else "whether the conditions of its trust policy hold"
        yield replace(told, role=role.arn, let=let, why=why, persona=role.persona)
    if not trusting:
        yield replace(told, let=False, why="no role that was read trusts its guests")


def _enhanced(world: World, told: Handed, item: Item, arn: str) -> Handed:
    role = world.principals.get(arn)
    if role is None:
        return replace(told, role=arn, let=None, why="the role was not read")
    let = _admits(role, item)
    why = "" if let else "its trust policy does not let guests of the pool in"
    if let is None:
        why = "whether its trust policy lets guests of the pool in"
    persona = replace(role.persona, session=GUESTS)
    return replace(told, role=arn, let=let, why=why, persona=persona, own=True)


def _admits(role: Principal, item: Item) -> Tri:
    """Its trust lets in whom the pool gives a token without a sign-in."""
    if role.trust is None:
        return None
    pool = str(item.config.get("IdentityPoolId") or item.uid.rpartition("/")[2])
    context: Values = {f"{SERVICE}:aud": (pool,), f"{SERVICE}:amr": ("unauthenticated",)}
    about = [s for s in role.trust.statements if s.about(_ACTION)]
    denied = any_of([holds(s, context) for s in about if s.effect == "Deny" and _means(s)])
    if denied is True:
        return False
    allowed = any_of([
        None if s.effect == "broken" else holds(s, context)
        for s in about if s.effect == "broken" or (s.effect == "Allow" and _means(s))
    ])  # fmt: skip
    return None if denied is None and allowed is not False else allowed


def _means(statement: Statement) -> bool:
    return any(value in (SERVICE, "*") for _, value in statement.principals or ())
