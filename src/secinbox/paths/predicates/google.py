"""Google Cloud: service accounts of machines, who becomes whom, who owns and who reads what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from secinbox.estate import Item
from secinbox.iam.gcp import READS, full_scope
from secinbox.iam.gcp.permissions import OBJECTS_WRITE, PUSH
from secinbox.iam.gcp.scopes import scopes_of
from secinbox.iam.gcp.world import BY_DELEGATION
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Judgement, Pair, check, lasting, pairs
from secinbox.paths.predicates.supply import STATE, less, pushes, writes_state
from secinbox.paths.world import World
from secinbox.records import Evidence


@pairs
def google_machine_identity(world: World) -> Iterator[Pair]:
    """A Compute Engine machine and its service account."""
    for item in world.estate.of_type("gcp_compute_instance"):
        for account in world.runs_as.get(item.uid, ()):
            found = world.estate.find(account)
            uid = found.uid if found is not None else account
            yield Pair(item.uid, uid, actions=(Action(
                f"identity:{item.uid}>{uid}", f"Give {world.label(item.uid)} a service account that "
                "may do less", item.uid, effort=2.0),))  # fmt: skip


@check
def scopes_are_whole(world: World, pair: Pair) -> Judgement:
    """Access scopes narrow what a machine's tokens are worth."""
    item = world.estate.find(pair.source)
    if item is not None and full_scope(item):
        return Judgement(True)
    if item is not None and scopes_of(item) is None:
        return Judgement(None, "its access scopes were not read")
    return Judgement(False, "its access scopes are narrow")


def _impersonation(*kinds: str) -> Callable[[World], Iterator[Pair]]:
    """Pairs of principals, and service accounts that they can act as by moves of these kinds."""

    def found(world: World) -> Iterator[Pair]:
        google = world.google
        for member in sorted(google.held):
            uid = google.uid_of(member)
            for other, how, doubt, kind in sorted(google.ways(member)):
                if kind in kinds and not google.disabled(member):
                    evidence = Evidence(kind="policy", text=how, source=uid)
                    yield Pair(uid, google.uid_of(other), detail=how, evidence=(evidence,), doubt=doubt,
                               actions=(less(world, uid, how),))  # fmt: skip

    return found


# Name of a predicate -> kinds of moves; a row of the catalogue each.
_KINDS = {
    "google_token": ("token",), "google_key": ("key",), "google_sign": ("sign",),
    "google_delegate": ("delegate",), "google_account_policy": ("policy",),
    "google_launch": ("launch",), "google_build": ("build",), "google_metadata": ("metadata",),
    "google_jobs": ("pods", "job"), "google_delegated_person": ("delegation",),
}  # fmt: skip
for _name, _kinds in _KINDS.items():
    _found = _impersonation(*_kinds)
    _found.__name__ = _name
    pairs(_found)


@pairs
def google_owner(world: World) -> Iterator[Pair]:
    """Who owns a project, folder or organisation, or may change its policy."""
    google = world.google
    for member in sorted(google.held):
        known = dict(google.alone(member, True))
        maybe = dict(google.alone(member, False))
        for place, way in sorted({**maybe, **known}.items()):
            uid = google.uid_of(member)
            evidence = Evidence(kind="policy", text=way[0], source=place)
            if google.disabled(member) or way[0].startswith(BY_DELEGATION):
                continue
            yield Pair(uid, place, detail=way[0], evidence=(evidence,),
                       doubt="" if place in known else "whether a condition holds",
                       actions=(less(world, uid, way[0]),))  # fmt: skip


def _delegation(world: World, administers: bool) -> Iterator[Pair]:
    for member, found in sorted(world.google.delegated.items()):
        if world.google.disabled(member) or not (found.administers if administers else found.data):
            continue
        uid = world.google.uid_of(member)
        what = found.administers if administers else found.words
        text = f"domain-wide delegation in {what}"
        yield Pair(uid, found.workspace, detail=what, evidence=(Evidence(
            kind="policy", text=text, source=found.workspace),), actions=(Action(
                f"delegation:{uid}", f"Take domain-wide delegation from {world.label(uid)}", uid),))  # fmt: skip


@pairs
def google_workspace_administrator(world: World) -> Iterator[Pair]:
    """Who writes users or roles of a Workspace by domain-wide delegation."""
    yield from _delegation(world, True)


@pairs
def google_organisation_of_workspace(world: World) -> Iterator[Pair]:
    """A Workspace and the organisations of the same customer."""
    for workspace in world.estate.of_type("gcp_workspace"):
        for item in world.google.organisations_of(workspace.uid):
            yield Pair(workspace.uid, item.uid, cost=0.05)


@pairs
def google_workspace_reader(world: World) -> Iterator[Pair]:
    """Who reads everybody's mail and files by domain-wide delegation."""
    yield from _delegation(world, False)


@pairs
def google_accounts_below(world: World) -> Iterator[Pair]:
    """Control of a project is control of its service accounts."""
    google = world.google
    for item in google.accounts.values():
        for place in google.chain(item)[1:]:
            yield Pair(place, item.uid, cost=0.02)


@pairs
def google_secret_that_identity_reads(world: World) -> Iterator[Pair]:
    """A role on a secret or above it that gives its value."""
    yield from _read(world, True)


@pairs
def google_store_that_identity_reads(world: World) -> Iterator[Pair]:
    """A role on any other store or above it that reads its contents."""
    yield from _read(world, False)


def _read(world: World, secrets: bool) -> Iterator[Pair]:
    google = world.google
    for jewel in world.jewels:
        item = world.estate.items[jewel.uid]
        wanted = READS.get(item.type)
        if wanted is None or (item.type == "gcp_secretmanager_secret") is not secrets:
            continue
        for member in sorted(google.held):
            uid = google.uid_of(member)
            if google.disabled(member) or (world.reached is not None and uid not in world.reached):
                continue
            for sure in (True, False):
                have = google.grants.permissions(member, item, sure)
                held = next((have[p] for p in wanted if p in have), None)
                if held is not None:
                    text = f"{held.role.name} at {world.label(held.place)}"
                    yield Pair(uid, item.uid, doubt=held.uncertain,
                               evidence=(Evidence(kind="policy", text=text, source=held.place),),
                               actions=(less(world, uid, text),))  # fmt: skip
                    break


def _writers(world: World, item: Item, permission: str) -> Iterator[tuple[str, str, str]]:
    """(principal, by what, doubt) of everyone who has a permission on a resource."""
    google = world.google
    for member in sorted(google.held):
        have = google.grants.permissions(member, item, False)
        if permission in have and not google.disabled(member):
            held = have[permission]
            yield (
                google.uid_of(member),
                f"{held.role.name} at {world.label(held.place)}",
                held.uncertain,
            )


def _registry(item: Item) -> str:
    """`eu-docker.pkg.dev/shop-1/apps/` of a repository of images."""
    words = item.uid.split("/")
    return f"{words[6]}-docker.pkg.dev/{words[4]}/{words[8]}/" if len(words) > 8 else "\x00"


def _project(world: World, item: Item) -> str:
    chain = world.google.chain(item)
    return chain[1] if len(chain) > 1 else item.uid


@lasting
@pairs
def google_image(world: World) -> Iterator[Pair]:
    """Who may put an image into a registry from which something runs."""
    for item in world.estate.of_type("gcp_artifactregistry_repository"):
        prefix = _registry(item)
        yield from pushes(world, item, prefix, _writers(world, item, PUSH))


@lasting
@pairs
def google_state(world: World) -> Iterator[Pair]:
    """Who may write state of infrastructure code that somebody's pipeline applies."""
    for item in world.estate.of_type("gcp_storage_bucket"):
        if not STATE.search(item.name):
            continue
        target = _project(world, item)
        yield from writes_state(world, item, target, _writers(world, item, OBJECTS_WRITE))
