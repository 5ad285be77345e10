"""privileged_access: of principals, and of what runs as them.

Kinds of evidence: `administrator` (now), `escalation` (can make itself so, with the steps),
`wide_reach` (acts on a significant number of resources), `bulk_data` (reads data marked as
restricted). Control of another account counts as escalation when it is known what the organisation
forbids between the accounts; until then it is shown as wide reach, which is what is certain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from secinbox.estate import Estate, Item
from secinbox.iam.catalogue import WIDE
from secinbox.iam.escalation import Escalation, Step, Way, escalation_of, steps_of
from secinbox.iam.evaluate import Answer
from secinbox.iam.granted import words_of
from secinbox.iam.kubernetes.entries import control
from secinbox.iam.kubernetes.entries import principals as let_in
from secinbox.iam.policy import Statement
from secinbox.iam.sessions import Handed
from secinbox.iam.sessions.anywhere import outside
from secinbox.iam.stores import Stores, sensitive
from secinbox.iam.takers import Takers
from secinbox.iam.world import Persona, Principal
from secinbox.inventory.aws.calls import walk
from secinbox.records import Evidence, RiskStatement

RISK = "privileged_access"
# Types that run as an identity: power of the identity is power of whoever gets in there.
_RUNS_AS = (
    "aws_ec2_instance", "aws_lambda_function", "aws_ecs_service", "aws_ecs_task",
    "aws_ecs_task_definition", "aws_apprunner_service", "aws_codebuild_project", "aws_glue_job",
    "aws_glue_devendpoint", "aws_sagemaker_notebook_instance", "aws_cloudformation_stack",
    "aws_stepfunctions_state_machine", "aws_batch_job_definition",
    "aws_bedrock_agentcore_code_interpreter_custom", "aws_bedrock_agentcore_runtime",
    "aws_bedrock_agentcore_browser_custom", "aws_redshift_cluster", "aws_iam_access_key",
    "aws_rds_instance", "aws_rds_cluster",
)  # fmt: skip
# What shows that a description was read, and where it would name an identity.
_NAMES_IDENTITY = {
    "aws_ec2_instance": ("InstanceId", "IamInstanceProfile"),
    "aws_ecs_task_definition": ("taskDefinitionArn", "taskRoleArn"),
    "aws_cloudformation_stack": ("DisableRollback", "RoleARN"),
    "aws_apprunner_service": ("InstanceConfiguration", "InstanceConfiguration.InstanceRoleArn"),
    "aws_batch_job_definition": ("containerProperties", "containerProperties.jobRoleArn"),
    "aws_redshift_cluster": ("IamRoles", "IamRoles[]"),
    "aws_rds_instance": ("AssociatedRoles", "AssociatedRoles[]"),
    "aws_rds_cluster": ("AssociatedRoles", "AssociatedRoles[]"),
}
_MAX_SHOWN = 5
# These hold or filter, they act as nobody.
PASSIVE = (
    "aws_s3_bucket", "aws_sqs_queue", "aws_sns_topic", "aws_kms_key", "aws_kms_alias",
    "aws_secretsmanager_secret", "aws_ssm_parameter", "aws_dynamodb_table", "aws_ecr_repository",
    "aws_ec2_snapshot", "aws_ec2_volume", "aws_ec2_ami", "aws_ec2_image", "aws_ec2_subnet",
    "aws_ec2_vpc", "aws_ec2_security_group", "aws_ec2_network_acl", "aws_ec2_route_table",
    "aws_ec2_internet_gateway", "aws_ec2_network_interface", "aws_ec2_elastic_ip",
    "aws_rds_db_snapshot", "aws_rds_snapshot", "aws_rds_cluster_snapshot", "aws_efs_file_system",
    "aws_logs_log_group", "aws_cloudtrail_trail",
    "aws_elbv2_load_balancer", "aws_elb_load_balancer",
    "aws_cloudfront_distribution", "aws_acm_certificate", "aws_rolesanywhere_trust_anchor",
    "aws_s3_access_grants_instance", "aws_s3_access_grants_location",
    "aws_iam_policy", "aws_iam_instance_profile", "aws_elbv2_listener", "aws_elbv2_target_group",
    "aws_ec2_nat_gateway", "aws_ec2_prefix_list", "aws_ec2_launch_template", "aws_rds_subnet_group",
    "aws_route53_record", "aws_route53_hosted_zone", "aws_opensearch_domain",
    "aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_kinesis_stream",
    "aws_events_event_bus",
)  # fmt: skip


@dataclass
class Power:
    """What is known of one principal."""

    value: str = "no"
    evidence: list[Evidence] = field(default_factory=list)

    def add(self, evidence: Evidence, value: str = "yes") -> None:
        if value == "yes" or self.value == "no":
            self.value = value
        self.evidence.append(evidence)


def privilege(estate: Estate) -> Iterator[RiskStatement]:
    """One statement a principal, and one a resource that runs as one; in order of uid."""
    escalation = escalation_of(estate)
    powers = Powers(escalation)
    out: dict[str, Power] = {arn: powers.of(arn) for arn in escalation.world.principals}
    for group, persona in escalation.world.groups.items():
        out[group] = powers.of_group(persona)
    for kind in _RUNS_AS:
        for item in estate.of_type(kind):
            found = _inherited(estate, item, out)
            if found is not None:
                out[item.uid] = found
    for giver, every in escalation.handed.items():
        out[giver] = powers.handed(every)
    for uid in sorted(out):
        power = out[uid]
        yield RiskStatement(
            resource=uid, risk=RISK, value=power.value, evidence=tuple(power.evidence)
        )


def escalations(estate: Estate) -> list[Step]:
    """Every move between two identities of the estate, hubs written out; for attack graphs.

    The source of a step that changes permissions is the actor, its target the one that becomes
    administrator.
    """
    return steps_of(escalation_of(estate))


class Powers:
    """The power of principals, each looked at once."""

    def __init__(self, escalation: Escalation) -> None:
        self.escalation = escalation
        self.world = escalation.world
        self.estate = escalation.world.estate
        self.evaluator = escalation.evaluator
        self.sensitive = list(sensitive(self.estate))
        self.stores = Stores(self.estate, self.evaluator)
        self.takers = Takers(escalation)
        self._asked_by: dict[str, list[Handed]] = defaultdict(list)
        self._given_of: dict[str, list[Handed]] = defaultdict(list)
        for every in escalation.handed.values():
            for handed in every:
                self._asked_by[handed.to].append(handed)
                self._given_of[handed.role].append(handed)

    def of(self, arn: str) -> Power:
        principal = self.world.principals[arn]
        power = self._whole(arn, principal)
        for handed in self._asked_by.get(arn, ()):
            self._granted(power, handed)
        if principal.kind == "role" and not principal.service_linked:
            power.evidence.append(
                Evidence(kind="granted", text=self.takers.words(principal), source=arn)
            )
        power.evidence += self._held_by(arn)
        power.evidence += outside(self.world, self.escalation.handed, principal)[1]
        return power

    def _held_by(self, arn: str) -> list[Evidence]:
        """Who gets sessions of the role by a configuration of AWS; certificates are told by themselves."""
        lines: dict[str, str] = {}
        for handed in self._given_of.get(arn, ()):
            if handed.let is not False and ":rolesanywhere:" not in handed.giver:
                cut = ", cut by a session policy" if handed.cut else ""
                known = f"held by {handed.words}{cut}"
                lines[known if handed.let else f"perhaps {known}: {handed.why}"] = handed.giver
        shown = [Evidence(kind="granted", text=t, source=lines[t]) for t in sorted(lines)]
        more = len(shown) - _MAX_SHOWN
        if more > 0:
            text = f"and held by {more} more"
            return [*shown[:_MAX_SHOWN], Evidence(kind="granted", text=text, source=arn)]
        return shown

    def _granted(self, power: Power, handed: Handed) -> None:
        """What a principal gets by asking for a session that is granted to it alone."""
        found = self.handed((handed,))
        if found.value == "no":
            return
        power.evidence = [e for e in power.evidence if e.kind != "control"]
        for evidence in found.evidence:
            if evidence.kind not in ("control", "granted"):
                power.add(evidence, found.value)

    def handed(self, every: tuple[Handed, ...]) -> Power:
        """What whoever gets these sessions can do; of one that nobody gets the control is told."""
        power = Power()
        for handed in every:
            name = handed.role.split(":", 5)[-1] or "a role"
            if handed.let is False:
                text = f"hands out no session of {name}: {handed.why}"
                power.evidence.append(Evidence(kind="control", text=text, source=handed.role))
                continue
            if handed.persona is None:
                power.add(
                    _gap(f"gives {name} to {handed.words}: {handed.why}", handed.role), "unknown"
                )
                continue
            principal = replace(self.world.principals[handed.role], persona=handed.persona)
            if handed.buckets is None:
                inner = self._whole(handed.node, principal)
            else:
                inner = self._files(principal, handed.buckets)
            for evidence in inner.evidence:
                text = f"gives {name} to {handed.words}: {evidence.text}"
                if evidence.kind in ("control", "granted"):
                    power.add(msgspec.structs.replace(evidence, text=text), "no")
                elif handed.let is None:
                    power.add(_gap(f"{text}. Not known: {handed.why}", handed.role), "unknown")
                else:
                    power.add(msgspec.structs.replace(evidence, text=text), inner.value)
        return power

    def _files(self, principal: Principal, buckets: tuple[str, ...]) -> Power:
        """Of somebody who has no credentials of the role but reaches files with its rights."""
        power = Power()
        self._data(power, principal.persona, tuple(
            (i, why) for i, why in self.sensitive
            if i.type == "aws_s3_bucket" and (not buckets or i.uid in buckets)))  # fmt: skip
        if power.value == "no" and principal.gaps:
            power.value = "unknown"
            power.evidence += [_gap(g, principal.arn) for g in principal.gaps[:_MAX_SHOWN]]
        elif power.value == "no":
            text = "it reaches no files that are marked as restricted"
            power.evidence.append(Evidence(kind="control", text=text, source=principal.arn))
        return power

    def _whole(self, arn: str, principal: Principal) -> Power:
        power = self._of(arn, principal)
        self._clusters(power, principal.arn)
        left = words_of(self.evaluator.granted(principal.persona))
        if left:
            power.evidence.append(Evidence(kind="granted", text=left, source=arn))
        part = principal.item.unfinished("PermissionsBoundary")
        if part and power.value == "yes":
            # A boundary takes away and never gives: what was not read could end a yes, not a no.
            power.value = "unknown"
            power.evidence.append(_gap(part, arn))
        return power

    def _clusters(self, power: Power, arn: str) -> None:
        """EKS clusters that it controls: everything that runs there. A session policy takes nothing
        from that: what signs in to a cluster is any session of the role."""
        for entry in let_in(self.estate).get(arn, ()):
            found, how = control(self.estate, entry)
            if found is True:
                power.evidence = [e for e in power.evidence if e.kind != "control"]
                text = f"controls cluster {entry.name}: {how}"
                power.add(Evidence(kind="wide_reach", text=text, source=entry.source))
            elif found is None:
                power.add(_gap(f"control of cluster {entry.name}: {how}", entry.source), "unknown")

    def _of(self, arn: str, principal: Principal) -> Power:
        power = Power()
        admin = self.escalation.admins[arn]
        if admin.value == "yes":
            power.add(
                _shown("administrator", "administrator of its account", arn, admin.statements)
            )
            return power
        if admin.value == "unknown":
            power.add(_doubt("administrator if {} holds", admin, arn), "unknown")
        way = self.escalation.way(arn)
        if way is not None:
            self._escalates(power, principal, way)
        if power.value == "yes" and any(e.kind == "escalation" for e in power.evidence):
            return power
        if not principal.service_linked:
            self._reach(power, principal.persona)
            self._data(power, principal.persona)
        if power.value == "no":
            if principal.gaps:
                power.value = "unknown"
                power.evidence += [_gap(g, arn) for g in principal.gaps[:_MAX_SHOWN]]
            else:
                power.evidence.append(_why_not(principal))
        return power

    def of_group(self, persona: Persona) -> Power:
        """What a group gives to its members."""
        power = Power()
        admin = self.escalation.moves.administrator(persona)
        if admin.value == "yes":
            power.add(_shown("administrator", "makes its members administrators", persona.arn,
                             admin.statements))  # fmt: skip
            return power
        self._reach(power, persona)
        self._data(power, persona)
        gaps = self.world.group_gaps.get(persona.arn, ())
        if power.value == "no" and gaps:
            power.value = "unknown"
            power.evidence += [_gap(g, persona.arn) for g in gaps[:_MAX_SHOWN]]
        elif power.value == "no":
            text = "gives its members no administrator rights, wide reach or restricted data"
            power.evidence.append(Evidence(kind="control", text=text, source=persona.arn))
        return power

    def _escalates(self, power: Power, principal: Principal, way: Way) -> None:
        home = way.account == principal.account
        where = "administrator" if home else f"administrator of account {way.account}"
        steps = tuple(s.sentence for s in way.steps)
        first = next((e.text for s in way.steps for e in s.evidence), "")
        can = "can" if way.certain else "may be able to"
        text = f"{can} make itself {where}: {'; then '.join(steps)}"
        if first:
            text += f". Statement: {first}"
        if not way.certain:
            doubt = "; ".join(way.doubts) or "a condition"
            power.add(
                Evidence(
                    kind="gap",
                    text=f"{text}. Not known: {doubt}",
                    source=principal.arn,
                    steps=steps,
                ),
                "unknown",
            )
            return
        kind = "escalation"
        if not home and not self._rails_known(principal.account, way.account):
            kind = "wide_reach"
            text += ". What the organisation forbids between the accounts was not read"
        power.add(Evidence(kind=kind, text=text, source=principal.arn, steps=steps))

    def _rails_known(self, *accounts: str) -> bool:
        rails = (self.world.guardrails.get(a) for a in accounts)
        return all(r is not None and r.known for r in rails)

    def _reach(self, power: Power, persona: Persona) -> None:
        found: list[str] = []
        statement: tuple[Statement, ...] = ()
        for action, where, words in WIDE:
            if not self.evaluator.layers(persona, action)[0].allows:
                continue
            region_of = where.partition(":")
            arn = (
                where
                if where.startswith("arn:")
                else f"arn:aws:{region_of[0]}:{'' if region_of[0] == 'iam' else 'us-east-1'}:"
                f"{persona.account}:{region_of[2]}"
            )
            given = self.evaluator.decide(persona, action, arn)
            if given.value == "yes":
                found.append(words)
                statement = statement or given.statements
        if found:
            text = "can " + ", ".join(found[:_MAX_SHOWN])
            text += f" and {len(found) - _MAX_SHOWN} more kinds" if len(found) > _MAX_SHOWN else ""
            power.add(_shown("wide_reach", text, persona.arn, statement))

    def _data(
        self, power: Power, persona: Persona, stores: Sequence[tuple[Item, str]] | None = None
    ) -> None:
        for asked, verb in ((self.stores.reads, "reads"), (self.stores.writes, "writes")):
            found, perhaps, statement = [], [], ""
            for item, why in self.sensitive if stores is None else stores:
                given = asked(persona, item)
                name = f"{item.name or item.uid} ({why})"
                if given.value == "yes":
                    found.append(name)
                    statement = statement or next(iter(given.texts), "")
                elif given.value == "unknown":
                    perhaps.append(
                        f"{name} if {', '.join(given.doubts) or 'a condition'} allows it"
                    )
            if found:
                text = f"{verb} {_listed(found)}"
                text += f". Statement: {statement}" if statement else ""
                if verb == "reads":
                    power.add(Evidence(kind="bulk_data", text=text, source=persona.arn))
                else:
                    power.evidence.append(Evidence(kind="granted", text=text, source=persona.arn))
            elif perhaps and verb == "reads":
                power.add(_gap(f"{verb} {_listed(perhaps)}", persona.arn), "unknown")


def _listed(words: list[str]) -> str:
    more = len(words) - _MAX_SHOWN
    return ", ".join(words[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _inherited(estate: Estate, item: Item, powers: dict[str, Power]) -> Power | None:
    """The power of the identity that it runs as; None when it has none or it was not read."""
    roles = sorted(identities(estate, item.uid, 0))
    if not roles:
        return _runs_as_nobody(item)
    known = [(r, powers[r]) for r in roles if r in powers]
    power = Power()
    for role, found in known:
        for evidence in found.evidence:
            if evidence.kind in ("control", "granted"):
                continue
            text = f"runs as {role.split(':', 5)[-1]}: {evidence.text}"
            if item.type == "aws_iam_access_key":
                text = f"key of {role.split(':', 5)[-1]}: {evidence.text}"
            power.add(
                Evidence(kind=evidence.kind, text=text, source=role, steps=evidence.steps),
                found.value,
            )
    if power.value == "no":
        missing = [r for r in roles if r not in powers]
        if missing:
            power.value = "unknown"
            power.evidence = [_gap(f"{r} was not read", r) for r in missing]
        else:
            names = ", ".join(r.split(":", 5)[-1] for r in roles)
            power.evidence = [
                Evidence(
                    kind="control",
                    text=f"runs as {names}, which has no such power",
                    source=roles[0],
                )
            ]
    return power


def _runs_as_nobody(item: Item) -> Power | None:
    """A no where the description was read and names no identity; None where nobody can say."""
    read, place = _NAMES_IDENTITY.get(item.type, ("", ""))
    if not read or read not in item.config or any(True for _ in walk(item.config, place)):
        return None
    if item.unfinished(place.partition(".")[0].removesuffix("[]")):
        return None
    if "iam_instance_profile_association" in item.config:
        return None  # of a profile that was not read
    text = "it runs as no identity"
    return Power("no", [Evidence(kind="control", text=text, source=item.uid)])


def identities(estate: Estate, uid: str, depth: int) -> set[str]:
    """Roles and users along `has_identity` and `runs` (a service runs a definition that has a role)."""
    if depth > 4:
        return set()
    out: set[str] = set()
    item = estate.find(uid)
    if item is not None and item.type == "aws_ec2_instance":
        linked = [
            str(a)
            for a in walk(item.config, "iam_instance_profile_association.IamInstanceProfile.Arn")
        ]
    elif item is not None and item.type in ("aws_rds_instance", "aws_rds_cluster"):
        linked = [str(a) for a in walk(item.config, "AssociatedRoles[].RoleArn")]
    else:
        linked = []
    for target in (*estate.targets(uid, "has_identity"), *linked):
        if ":instance-profile/" in target:
            roles = _profile_roles(estate, target)
            out |= roles
        else:
            out.add(target)
    for target in estate.targets(uid, "runs"):
        if not target.startswith("image:"):
            out |= identities(estate, target, depth + 1)
    return out


def _profile_roles(estate: Estate, profile: str) -> set[str]:
    item = estate.find(profile)
    roles = {str(a) for a in walk(item.config, "Roles[].Arn")} if item else set()
    return roles | set(estate.targets(profile, "has_identity"))


def _shown(kind: str, text: str, source: str, statements: tuple[Statement, ...]) -> Evidence:
    first = statements[0].text if statements else ""
    return Evidence(kind=kind, text=f"{text}. Statement: {first}" if first else text, source=source)


def _gap(text: str, source: str) -> Evidence:
    return Evidence(kind="gap", text=text, source=source)


def _doubt(text: str, found: Answer, source: str) -> Evidence:
    return _gap(text.format(", ".join(found.doubts) or "a condition"), source)


def _why_not(principal: Principal) -> Evidence:
    """The control behind a no, where one looks privileged at first sight."""
    persona = principal.persona
    broad = any(
        s.effect == "Allow" and "*" in (s.actions or ()) and "*" in (s.resources or ())
        for source in persona.sources
        for s in source.policy.statements
    )
    if broad and persona.cut:
        name = persona.session.name if persona.session is not None else "session policy"
        text = f"the {name} stops what the role's policies allow"
    elif broad and persona.boundary is not None:
        text = f"its permissions boundary {persona.boundary.name} stops what its policies allow"
    elif broad:
        deny = next(
            (s for src in persona.sources for s in src.policy.statements if s.effect == "Deny"),
            None,
        )
        text = (
            f"explicit {deny.text}"
            if deny
            else "an organisation policy stops what its policies allow"
        )
    else:
        text = "no administrator rights, no way to them, no wide reach, no restricted data"
    return Evidence(kind="control", text=text, source=principal.arn)
