"""What a request looks like: what is known of it, and what its caller chooses.

A key that is in the context with no value is known to be absent; one that is not in it is known to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from secinbox.estate import Item
from secinbox.iam.conditions import INTERNET
from secinbox.iam.matching import glob
from secinbox.iam.policy import Statement
from secinbox.iam.telling import MOST_VALUES, Tried, numbers_beside, told_apart
from secinbox.iam.world import Persona, World

Values = dict[str, tuple[str, ...] | None]

# Keys whose value the caller decides.
_CHOSEN = (
    "aws:requesttag/", "aws:tagkeys", "aws:requestedregion", "aws:referer", "aws:useragent",
    "aws:sourceidentity", "sts:rolesessionname", "sts:sourceidentity", "sts:transitivetagkeys",
    "iam:associatedresourcearn", "iam:policyarn", "iam:awsservicename", "ecs:cluster",
    "ecs:container-name", "ecs:task-definition", "ecs:service", "ecs:enable-execute-command",
    "lambda:layer", "lambda:functionarn", "lambda:principal", "lambda:functionurlauthtype",
    "lambda:vpcids", "lambda:subnetids", "lambda:securitygroupids", "lambda:codesigningconfigarn",
    "lambda:invokedviafunctionurl",
    "cloudformation:templateurl", "cloudformation:rolearn", "cloudformation:resourcetypes",
    "cloudformation:changesetname", "cloudformation:stackpolicyurl", "cloudformation:createaction",
    "cloudformation:importresourcetypes", "cloudformation:targetregion",
    "sagemaker:", "glue:", "codebuild:", "states:", "scheduler:", "events:", "batch:",
    "ssm:sessiondocumentaccesscheck", "ssm:documenttype", "ssm:documentcategories",
    "ec2:instancetype", "ec2:instanceprofile", "ec2:newinstanceprofile", "ec2:metadatahttptokens", "ec2:region",
    "ec2:metadatahttpputresponsehoplimit", "ec2:metadatahttpendpoint", "ec2:tenancy",
    "ec2:availabilityzone", "ec2:volumetype", "ec2:volumesize", "ec2:encrypted", "ec2:keypairname",
    "ec2:launchtemplate", "ec2:islaunchtemplateresource", "ec2:createaction", "ec2:osuser",
    "ec2:attribute", "ec2:imagetype", "ec2:public", "ec2:owner", "ec2:imageid", "ec2:subnetid",
    "s3:prefix", "s3:delimiter", "s3:max-keys", "s3:x-amz-", "s3:versionid", "s3:tlsversion",
    "s3:signatureversion", "s3:authtype", "dynamodb:attributes", "dynamodb:select",
    "dynamodb:leadingkeys", "dynamodb:returnvalues", "kms:encryptioncontext",
)  # fmt: skip
_NOT_CHOSEN = ("ec2:resourcetag/", "sagemaker:resourcetag/", "glue:resourcetag/",
               "codebuild:resourcetag/", "states:resourcetag/", "batch:resourcetag/")  # fmt: skip
# Where tags stand in a description, services whose descriptions leave them out only where there are
# none, and calls that list them.
_TAGS = frozenset({"Tags", "TagSet", "TagList", "tags"})
_TELLS_TAGS = frozenset(
    {
        "ec2",
        "autoscaling",
        "rds",
        "secretsmanager",
        "cloudformation",
        "redshift",
        "elasticfilesystem",
    }
)
_TAG_CALLS = ("list_tags", "list_tags_for_resource", "list_tags_of_resource", "list_resource_tags",
              "list_queue_tags", "get_bucket_tagging")  # fmt: skip
ANY_NAME = "secinbox-any"  # a name that nobody mentions


def chosen(key: str) -> bool:
    return key.startswith(_CHOSEN) and not key.startswith(_NOT_CHOSEN)


class Requests:
    """Requests that principals of an estate make themselves, from anywhere, at one moment."""

    def __init__(self, world: World, now: datetime) -> None:
        self.world = world
        self._now_text = now.isoformat()
        self._epoch = str(int(now.timestamp()))
        keys = (k.removeprefix("aws:").split("/") for k in world.estate.covered)
        self._calls = {(k[0], k[1], k[2]) for k in keys if len(k) == 3}

    def owner(self, persona: Persona, resource: str) -> str:
        """The account that the resource is in: as its ARN or the inventory says, else the caller's."""
        parts = resource.split(":", 5)
        if len(parts) == 6 and parts[4]:
            return parts[4]
        item = self.world.estate.items.get(resource.split("/", 1)[0])
        return item.account if item is not None and item.account else persona.account

    def of(self, persona: Persona, action: str, resource: str) -> Values:
        """What is known of a request that this principal makes itself, from anywhere."""
        principal = self.world.principals.get(persona.arn)
        account = persona.account
        rails = self.world.guardrails.get(account)
        owner = self.owner(persona, resource)
        values: Values = {
            "aws:principalarn": (persona.arn,),
            "aws:principalaccount": (account,),
            "aws:principaltype": ("User" if persona.kind == "user" else "AssumedRole",),
            "aws:principalisawsservice": ("false",),
            "aws:viaawsservice": ("false",),
            "aws:calledvia": None,
            "aws:calledviafirst": None,
            "aws:calledvialast": None,
            "aws:securetransport": ("true",),
            "aws:currenttime": (self._now_text,),
            "aws:epochtime": (self._epoch,),
            "aws:sourceip": (INTERNET,),
            "aws:vpcsourceip": None,
            "aws:sourcearn": None,
            "aws:sourceaccount": None,
            "aws:principalservicename": None,
            "aws:principalservicenameslist": None,
            "aws:resourceaccount": (owner,),
        }
        if action.startswith(("iam:", "organizations:", "cloudfront:", "route53:")):
            values["aws:requestedregion"] = ("us-east-1",)
        if rails is not None and rails.organization:
            values["aws:principalorgid"] = (rails.organization,)
        if persona.kind == "user":
            values["aws:username"] = (persona.name,)
            values["aws:sourceidentity"] = None  # a thing of sessions of roles
            values["aws:tokenissuetime"] = None  # a user's own key is no session
            values["aws:federatedprovider"] = None
            if principal is not None and principal.unique_id:
                values["aws:userid"] = (principal.unique_id,)
            if principal is not None and principal.mfa is not None:
                console = principal.keys == 0 and principal.has_password
                # A session of the console says "false"; a key of long standing says nothing.
                values["aws:multifactorauthpresent"] = (
                    ("true",) if principal.mfa else ("false",) if console else None
                )
        else:
            values["aws:username"] = None
            values["aws:tokenissuetime"] = (self._now_text,)
            if principal is not None and principal.unique_id:
                values["aws:userid"] = (f"{principal.unique_id}:{ANY_NAME}",)
            if principal is not None and principal.without_people:
                values["aws:multifactorauthpresent"] = None
        if "aws:multifactorauthpresent" in values:
            shown = values["aws:multifactorauthpresent"] == ("true",)
            values["aws:multifactorauthage"] = ("60",) if shown else None
        if principal is not None:
            whole = self._tags_read(principal.item, "iam")
            values.update(_Tags("aws:principaltag/", principal.tags, whole).pairs())
        values.update({f"aws:principaltag/{k.lower()}": (v,) for k, v in persona.session_tags})
        for key in persona.unknown_tags:
            values.pop(f"aws:principaltag/{key.lower()}", None)
            values[f"aws:principaltag/{key.lower()}\0"] = None  # there, with some value
        self._describe(values, resource)
        return values

    def _tags_read(self, item: Item, service: str) -> bool:
        """Whether a tag that is not there is known to be absent."""
        if item.tags or service in _TELLS_TAGS or not _TAGS.isdisjoint(item.config):
            return True
        asked = {f"{service}.{c}" for c in _TAG_CALLS} | {"resourcegroupstaggingapi.get_resources"}
        place = (item.account, item.region or "global")
        return any((*place, call) in self._calls for call in asked)

    def _describe(self, values: Values, resource: str) -> None:
        """Tags of a resource that is known, and the boundary of a principal that is acted on."""
        item = self.world.estate.items.get(resource)
        if item is None:
            return
        service = resource.split(":")[2] if resource.count(":") > 2 else ""
        region = resource.split(":")[3] if service else ""
        if region and service != "iam":  # what there is is asked for where it is
            values["aws:requestedregion"] = (region,)
        prefixes = ["aws:resourcetag/", f"{service}:resourcetag/"]
        prefixes += ["ssm:resourcetag/"] if service == "ec2" else []
        for prefix in prefixes:
            values.update(_Tags(prefix, item.tags, self._tags_read(item, service)).pairs())
        if item.type == "aws_ec2_instance":
            profile = item.config.get("IamInstanceProfile")
            named = profile.get("Arn") if isinstance(profile, dict) else None
            if named:
                values["ec2:instanceprofile"] = (str(named),)
        if item.type in ("aws_iam_user", "aws_iam_role"):
            found = item.config.get("PermissionsBoundary")
            arn = found.get("PermissionsBoundaryArn") if isinstance(found, dict) else None
            values["iam:permissionsboundary"] = (str(arn),) if arn else None


@dataclass(frozen=True)
class Worlds:
    """The base with each combination of choices that the statements can tell apart."""

    base: Values
    names: tuple[str, ...]
    tried: Tried[tuple[str, ...] | None]

    @property
    def whole(self) -> bool:
        """Nothing that could make a difference was left out."""
        return self.tried.whole

    def __iter__(self) -> Iterator[Values]:
        if not self.names:
            return iter((self.base,))
        return ({**self.base, **dict(zip(self.names, v, strict=True))} for v in self.tried)


def worlds(statements: Iterable[Statement], keys: set[str], base: Values) -> Worlds:
    """Requests that the caller may send, as far as the statements tell them apart."""
    statements = list(statements)
    absent_tags(keys, base)
    options: dict[str, list[tuple[str, ...] | None]] = {}
    cut = False
    for key in sorted(keys):
        if key in base or not chosen(key):
            continue
        mentioned: dict[tuple[str, ...] | None, None] = {}
        for statement in statements:
            for operator, name, values in statement.conditions:
                if name == key:
                    for value in values:
                        if key == "iam:associatedresourcearn" and not _its_own(value, base):
                            continue
                        for one in (value, *numbers_beside(operator, value)):
                            mentioned[(one.replace("*", "x").replace("?", "x"),)] = None
                    if len(values) > 1 and key == "aws:tagkeys":
                        mentioned[values] = None
        apart = told_apart([*mentioned, (ANY_NAME,), None], (key,), statements)
        if len(apart) > MOST_VALUES:
            apart, cut = [*apart[: MOST_VALUES - 2], (ANY_NAME,), None], True
        options[key] = apart
    return Worlds(base, tuple(options), Tried(list(options.values()), cut))


def absent_tags(keys: set[str], base: Values) -> None:
    """A tag that a known principal or resource does not have is absent, not unknown."""
    for key in keys:
        if key in base or "tag/" not in key or key + "\0" in base:
            continue
        prefix = key.split("/", 1)[0] + "/"
        if prefix + "\0" in base:
            base[key] = None


class _Tags:
    """Tags under a prefix; where they are all, with a mark that there are no others."""

    def __init__(self, prefix: str, tags: Mapping[str, str], whole: bool = True) -> None:
        self.prefix, self.tags, self.whole = prefix, tags, whole

    def pairs(self) -> Values:
        out: Values = {f"{self.prefix}{k.lower()}": (v,) for k, v in self.tags.items()}
        if self.whole:
            out[self.prefix + "\0"] = None
        return out


def _its_own(pattern: str, base: Values) -> bool:
    """A service gives a passed role to things of its own only, never to those of another one."""
    service = (base.get("iam:passedtoservice") or ("",))[0].removesuffix(".amazonaws.com")
    parts = pattern.split(":", 5)
    home = service.removesuffix("-tasks").rpartition(".")[2]
    return not service or len(parts) < 6 or glob(parts[2], home)
