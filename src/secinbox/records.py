"""The nouns as typed records: what a connector, an inventory reader or a feed yields.

A record says what one report says, nothing more: no record knows the store, another report or
the clock. References between records are strings (`uid`, or any name that an `Alias` maps to
one); joining is the business of `facts`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Record(msgspec.Struct, kw_only=True, gc=False):
    """Base of all records. `place` is where in the report it stands, as a JSON path or line."""


class Alias(msgspec.Struct, frozen=True, gc=False):
    """Another name of a resource.

    `confidence` is 1.0 for names that are unique in the world (ARN, instance id, digest, public
    address) and less for names that only seem so (private address, host name, image tag). A name
    that leads to two resources joins neither.
    """

    name: str
    confidence: float = 1.0


class Resource(Record):
    """A thing that can be affected. `uid` is the provider's own (see docs: identity)."""

    uid: str
    type: str  # e.g. aws_ec2_instance, kubernetes_pod, container_image, host, repository, service
    name: str = ""
    provider: str = ""  # aws, azure, gcp, kubernetes, github ...
    account: str = ""
    region: str = ""
    tags: dict[str, str] = {}
    aliases: tuple[Alias, ...] = ()
    # The uid is the lesser of two names that the provider uses: this resource gives way to the one that
    # bears it as an alias.
    provisional: bool = False
    config: str = ""  # the provider's own configuration, as JSON text; only inventories fill it
    # What the source itself states, e.g. {"public_accessibility": "yes"}; computed values win.
    states: dict[str, str] = {}
    place: str = ""


class Relation(Record):
    """A typed, directed edge as configured: `source` -kind-> `target` (see vocabulary)."""

    source: str
    kind: str
    target: str
    place: str = ""


class Finding(Record):
    """One statement of one tool about a weakness of one resource.

    Times are UTC. Severities are words of `vocabulary.Severity`; the tool's own word is kept in
    `severity_word`. `score` is a CVSS base score from 0 to 10.
    """

    type: str
    resource: str  # uid or any name of the resource
    rule: str  # the tool's rule id, or the vulnerability id
    title: str
    severity: str = "unknown"
    severity_word: str = ""
    description: str = ""
    vulnerability: str = ""  # CVE, GHSA, PYSEC ... as the tool names it
    vulnerability_aliases: tuple[str, ...] = ()
    purl: str = ""  # package URL with version, where the tool gives or implies one
    package: str = ""
    version: str = ""
    fixed_version: str = ""  # the tool's own text; several versions separated by ", "
    score: float | None = None
    vector: str = ""
    location: str = ""  # file path (repositories, images) as the tool prints it
    line: int = 0
    anchor: str = ""  # what stays when lines move: symbol, code text, secret hash; may be empty
    remediation: str = ""
    url: str = ""
    canonical_rule: str = ""  # the same check in all tools, only where the mapping is certain
    likelihood: str = ""  # required_privileges | vulnerability | no_authorization
    impact: str = ""  # low | medium | high | critical (of the severity matrix)
    exploit_known: str = ""  # ExploitMaturity word when the tool itself says so
    verified: bool = False  # a secret that was tried and works
    default_branch: bool = True  # IaC and code findings: false when the report names another branch
    first_seen: datetime | None = None  # when the tool says it saw it first
    tool: str = ""  # producing product, lower case (prowler, codeql); empty: the connector's id
    place: str = ""


class Signal(Record):
    """Suspicious activity. `resources` are all names that the event gives for what it hit."""

    id: str  # the sensor's event id, or a hash of the event
    time: datetime
    title: str
    severity: str
    resources: tuple[str, ...]
    severity_word: str = ""
    description: str = ""
    technique: str = ""
    source_address: str = ""
    tool: str = ""
    place: str = ""


class Exploit(Record):
    """What one feed says about one vulnerability."""

    vulnerability: str
    feed: str
    maturity: str = "none"  # ExploitMaturity; "none" for scores and decision points
    id: str = ""
    url: str = ""
    date: str = ""  # ISO date
    epss: float | None = None
    percentile: float | None = None
    automatable: str = ""  # yes | no
    technical_impact: str = ""  # total | partial
    score: float | None = None  # CVSS of the feed (NVD)
    vector: str = ""
    ransomware: bool = False
    due: str = ""  # KEV due date
    analysed: bool = False  # NVD has looked: absence of an exploit reference means something
    place: str = ""


class VulnerabilityAlias(Record):
    """Two ids of the same vulnerability (CVE = GHSA = PYSEC ...)."""

    a: str
    b: str


class Statement(Record):
    """A VEX statement: the vendor or owner says how a product stands to a vulnerability."""

    vulnerability: str
    status: str  # not_affected | affected | fixed | under_investigation
    products: tuple[str, ...]  # purls, uids or names; empty means the whole subject of the document
    within: tuple[str, ...] = ()  # products that contain these parts; empty: wherever they are
    vulnerability_aliases: tuple[str, ...] = ()
    justification: str = ""
    text: str = ""
    author: str = ""
    time: datetime | None = None
    tool: str = ""
    place: str = ""


class Scope(Record):
    """What this report covers completely: absence from it means fixed.

    `key` is a resource uid or name plus, if needed, what part of it (for example
    `aws:123456789012/us-east-1`). A connector yields it only when the report covers it whole.
    `types` limits closing to these finding types (a dependency scan closes no secrets).
    `pages` (inventories): the file may be one of several pages of the kind, so it replaces what an
    older export says and leaves what files of the same hour say.
    """

    key: str
    types: tuple[str, ...]
    tool: str = ""
    pages: bool = False


class Passed(Record):
    """Checks that passed: counted, never stored as findings."""

    count: int = 1


class Skipped(Record):
    """Something in the report that was not taken in, and why. Makes the report incomplete.

    `harmless`: left out on purpose (a result that the tool's user has suppressed, an event of
    another kind); the report is still whole.
    """

    reason: str
    count: int = 1
    harmless: bool = False
    place: str = ""


class Component(Record):
    """A package that a resource contains (from an SBOM); joins library findings to services."""

    resource: str
    purl: str
    name: str = ""
    version: str = ""
    place: str = ""


AnyRecord = (
    Resource
    | Relation
    | Finding
    | Signal
    | Exploit
    | VulnerabilityAlias
    | Statement
    | Scope
    | Passed
    | Skipped
    | Component
)


class Evidence(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """One reason for a risk's value, readable by a person.

    kind of public_accessibility: route, policy, shared, endpoint; of privileged_access:
    administrator, escalation, wide_reach, bulk_data, granted (no reason: what it may do besides);
    any risk: stated, tag, signal, feed, control (what makes it a no), gap (what could not be looked at). `source` is a uid, a report
    place or an address to look at. `steps` is a route or chain in order.
    """

    kind: str
    text: str
    source: str = ""
    steps: tuple[str, ...] = ()
    via: tuple[str, ...] = ()  # uids of the resources that a route passes, in order
    ports: str = ""
    sources_allowed: str = ""  # when only some addresses may come in
    date: str = ""
    maturity: str = ""


class RiskStatement(msgspec.Struct, kw_only=True, gc=False):
    """The computed value of one detected risk for one resource, with its evidence."""

    resource: str
    risk: str
    value: str  # yes | no | unknown
    evidence: tuple[Evidence, ...] = ()
