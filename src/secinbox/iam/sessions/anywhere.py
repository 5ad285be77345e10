"""IAM Roles Anywhere: whoever holds a certificate of a trust anchor gets a session of a role.

It takes an enabled profile that names the role, an enabled trust anchor of the same account and region,
and a trust policy that lets rolesanywhere.amazonaws.com do sts:AssumeRole, sts:TagSession and
sts:SetSourceIdentity; aws:SourceArn is the trust anchor. Fields of the certificate are tags of the
session as far as the profile maps them. The profile's session policy and managed policies cut the session.
Sources: IAM Roles Anywhere User Guide, "The IAM Roles Anywhere trust model", "Attribute mapping and trust
policy", "Creating a trust anchor and profile".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, product

from secinbox.estate import Estate, Item
from secinbox.iam.conditions import Tri, any_of
from secinbox.iam.policy import Policy
from secinbox.iam.request import ANY_NAME, Values
from secinbox.iam.sessions import Handed
from secinbox.iam.sessions._admitting import lets_service
from secinbox.iam.sessions._tags import matter
from secinbox.iam.trusts import Trusts
from secinbox.iam.world import Persona, Principal, World
from secinbox.inventory.aws.calls import walk
from secinbox.records import Evidence

TYPE = "aws_rolesanywhere_profile"
ANCHOR = "aws_rolesanywhere_trust_anchor"
SERVICE = "rolesanywhere.amazonaws.com"
_ACTIONS = ("sts:assumerole", "sts:tagsession", "sts:setsourceidentity")
_SESSION = "sts:rolesessionname"
_PREFIXES = ("aws:principaltag/", "aws:requesttag/")
_FIELDS = (
    *(f"{field}/{name}" for field in ("x509Subject", "x509Issuer", "x509SAN/Name")
      for name in ("CN", "OU", "O", "L", "ST", "C", "UID")),
    "x509SAN/DNS", "x509SAN/URI",
)  # fmt: skip
_MOST_WORLDS = 256


@dataclass(frozen=True)
class Holders:
    """Who gets in through one trust anchor. pinned: what the trust asks of the certificate; empty: any."""

    anchor: Item
    let: Tri
    why: str = ""
    pinned: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        kind = str(next(walk(self.anchor.config, "source.sourceType"), ""))
        by = " of AWS Private CA" if kind == "AWS_ACM_PCA" else ""
        name = self.anchor.config.get("name") or self.anchor.name
        limits = f" with {' and '.join(self.pinned)}" if self.pinned else ""
        return f"holders of a certificate{limits} of trust anchor {name}{by}"


def sessions(world: World, trusts: Trusts) -> Iterator[Handed]:
    for item in world.estate.of_type(TYPE):
        for arn in sorted({str(a) for a in walk(item.config, "roleArns[]")}):
            yield _handed(world, item, arn)


def _handed(world: World, item: Item, arn: str) -> Handed:
    told = Handed(item.uid, arn, words="holders of certificates")
    if item.config.get("enabled") is False:
        return replace(told, let=False, why="the profile is disabled")
    role = world.principals.get(arn)
    if role is None:
        return replace(told, let=None, why="the role was not read")
    every = holders(world, role, item)
    let: Tri = any_of([h.let for h in every]) if every else False
    why = "" if let else next((h.why for h in every if h.let is let), "no trust anchor is there")
    if not let and not _listed(world.estate, item):
        let, why = None, "trust anchors were not read (rolesanywhere.list_trust_anchors)"
    if let and item.config.get("enabled") is not True:
        let, why = None, "whether the profile is enabled was not read"
    persona, cut = _cut(world, item, role.persona)
    own = cut or matter(world, persona, _FIELDS)
    if own:
        persona = replace(persona, unknown_tags=tuple(f.lower() for f in _FIELDS))
    words = ", or ".join(h.words for h in every if h.let is not False) or told.words
    return Handed(item.uid, arn, let, why, persona, own, words)


def holders(world: World, role: Principal, profile: Item) -> list[Holders]:
    """Through each trust anchor of the profile's account and region, in order of uid."""
    anchors = [a for a in world.estate.of_type(ANCHOR)
               if (a.account, a.region) == (profile.account, profile.region)]  # fmt: skip
    return [_through(world, role, profile, a) for a in anchors]


def _through(world: World, role: Principal, profile: Item, anchor: Item) -> Holders:
    if anchor.config.get("enabled") is False:
        return Holders(anchor, False, f"trust anchor {anchor.config.get('name')} is disabled")
    asked = _asked(role, profile)
    context: Values = {"aws:sourcearn": (anchor.uid,), "aws:sourceaccount": (profile.account,)}
    results: list[tuple[Tri, str, bool]] = []
    for values in _certificates(asked, profile):
        let, why = lets_service(
            world, role, SERVICE, _ACTIONS, {**context, **values},
            ("aws:tagkeys", _SESSION),
        )  # fmt: skip
        plain = all(v in ((ANY_NAME,), None) for k, v in values.items() if k != _SESSION)
        results.append((let, why, plain))
    value = any_of([let for let, _, _ in results])
    if value is True and anchor.config.get("enabled") is not True:
        value, results = None, [(None, "whether the trust anchor is enabled was not read", True)]
    pinned = (
        ()
        if value is not True or any(let is True and plain for let, _, plain in results)
        else asked
    )
    why = "" if value is True else next(why for let, why, _ in results if let is value)
    return Holders(
        anchor, value, why, tuple(_short(k, v) for k, v in pinned.items()) if pinned else ()
    )


def _asked(role: Principal, profile: Item) -> dict[str, tuple[str, ...]]:
    """What the trust looks at in a certificate, or in a name that its holder chooses: condition keys,
    and the values that they name."""
    free = {"sts:sourceidentity", *((_SESSION,) if _names_session(profile) else ())}
    out: dict[str, dict[str, None]] = {}
    for statement in role.trust.statements if role.trust else ():
        for _, key, values in statement.conditions:
            if key in free or key.startswith(tuple(f"{p}x509" for p in _PREFIXES)):
                out.setdefault(key, {}).update(dict.fromkeys(values))
    return {key: tuple(values) for key, values in sorted(out.items())}


def _certificates(asked: dict[str, tuple[str, ...]], profile: Item) -> Iterator[Values]:
    """Certificates that the trust can tell apart: somebody may hold each of them."""
    options: list[list[tuple[str, ...] | None]] = []
    for key, values in asked.items():
        if not _mapped(profile, key):
            options.append([None])
            continue
        named = [(v.replace("*", "x").replace("?", "x"),) for v in values]
        options.append([(ANY_NAME,), *named, None])
    for chosen in islice(product(*options), _MOST_WORLDS):
        yield dict(zip(asked, chosen, strict=True))


def _mapped(profile: Item, key: str) -> bool:
    """The profile makes a tag of the field; one that says nothing maps what it maps by default."""
    mappings = profile.config.get("attributeMappings")
    if key in ("sts:sourceidentity", _SESSION) or not isinstance(mappings, list):
        return True
    field, _, name = key.partition("/")[2].partition("/")
    for mapping in mappings:
        if str(next(walk(mapping, "certificateField"), "")).lower() != field:
            continue
        for rule in walk(mapping, "mappingRules[].specifier"):
            text = str(rule).lower()
            if text in ("*", name) or (text.endswith("/*") and name.startswith(text[:-1])):
                return True
    return False


def _names_session(profile: Item) -> bool:
    """Without it the session's name is the number of the certificate, which nobody knows."""
    return profile.config.get("acceptRoleSessionName") is True


def _short(key: str, values: tuple[str, ...]) -> str:
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return f"{key} {' or '.join(values[:3])}"


def _cut(world: World, profile: Item, persona: Persona) -> tuple[Persona, bool]:
    """The role as such a session has it: one of the profile's policies must allow, too."""
    found: list[Policy] = []
    name = str(profile.config.get("name") or profile.name)
    document = profile.config.get("sessionPolicy")
    if document:
        found.append(world.parsed(document, f"session policy of profile {name}"))
    for arn in sorted({str(a) for a in walk(profile.config, "managedPolicyArns[]")}):
        policy = world.document(arn)
        if policy is None:
            return replace(persona, session_unread=True), True
        found.append(policy)
    if not found:
        return persona, False
    statements = tuple(s for p in found for s in p.statements)
    problems = tuple(t for p in found for t in p.problems)
    label = found[0].name if len(found) == 1 else f"policies of profile {name}"
    return replace(persona, session=Policy(statements, label, problems)), True


def _listed(estate: Estate, item: Item) -> bool:
    where = f"aws:{item.account}/{item.region}/rolesanywhere.list_trust_anchors"
    return estate.looked_at(where) or any(
        (a.account, a.region) == (item.account, item.region) for a in estate.of_type(ANCHOR)
    )


def trusted(role: Principal) -> bool:
    """Its trust policy names the service."""
    return any(
        s.effect == "Allow" and ("Service", SERVICE) in (s.principals or ())
        for s in (role.trust.statements if role.trust else ())
    )


def profiles_read(estate: Estate, account: str) -> bool:
    """Profiles were listed in each region of the account in which anything was."""
    regions = {k.split("/")[1] for k in estate.covered if k.startswith(f"aws:{account}/")} - {
        "global"
    }
    operation = "rolesanywhere.list_profiles"
    return bool(regions) and all(
        estate.looked_at(f"aws:{account}/{r}/{operation}") for r in regions
    )


def outside(
    world: World, handed: Mapping[str, tuple[Handed, ...]], role: Principal
) -> tuple[str, list[Evidence]]:
    """Who holds the role from outside of AWS: yes, no or unknown, with a line a profile."""
    if not trusted(role):
        return "no", []
    mine = [h for every in handed.values() for h in every
            if h.role == role.arn and h.giver in _profiles(world)]  # fmt: skip
    shown: list[Evidence] = []
    for one in mine:
        name = world.estate.items[one.giver].config.get("name") or one.giver.rpartition("/")[2]
        through = f"through profile {name} of IAM Roles Anywhere"
        text = {
            True: f"held by {one.words}, {through}{', cut by its session policy' if one.cut else ''}",
            False: f"nobody gets it {through}: {one.why}",
            None: f"who gets it {through}: {one.why}",
        }[one.let]
        shown.append(Evidence(kind="granted", text=text, source=one.giver))
    value = {True: "yes", None: "unknown", False: "no"}[
        any_of([h.let for h in mine]) if mine else False
    ]
    if value != "yes" and not profiles_read(world.estate, role.account):
        text = "who gets it by IAM Roles Anywhere: rolesanywhere.list_profiles was not read"
        return "unknown", [*shown, Evidence(kind="granted", text=text, source=role.arn)]
    if not mine:
        text = "nobody gets it by IAM Roles Anywhere: no profile names it"
        shown.append(Evidence(kind="granted", text=text, source=role.arn))
    return value, shown


def _profiles(world: World) -> frozenset[str]:
    return frozenset(i.uid for i in world.estate.of_type(TYPE))
