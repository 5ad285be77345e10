"""Writing what others run: images in a registry, state and templates of infrastructure code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from secinbox.estate import Item
from secinbox.fingerprint import image_uid
from secinbox.iam.evaluate import Answer
from secinbox.iam.needs import joined
from secinbox.iam.resources import policy_of
from secinbox.inventory.aws.calls import walk
from secinbox.inventory.kubernetes.cluster import word
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.world import INTERNET, World
from secinbox.records import Evidence

STATE = re.compile(
    r"(?<![a-z])(tf-?states?|terraform-?state|pulumi-?state|cf-templates|cfn-templates|"
    r"cdk-[a-z0-9]+-assets)(?![a-z])", re.I
)  # fmt: skip


# What a push of one's own image takes; `ecr:PutImage` alone names layers that are there.
_PUSH = (
    "ecr:putimage",
    "ecr:initiatelayerupload",
    "ecr:uploadlayerpart",
    "ecr:completelayerupload",
)


def _written(
    world: World, actions: tuple[str, ...], item: Item, name: str
) -> Iterator[tuple[str, Answer]]:
    """Identities that may do all of this to the resource, administrators left out."""
    escalation = world.escalation
    own = policy_of(world.estate, item.uid)
    context: dict[str, tuple[str, ...] | None] = (
        {"aws:resourceaccount": (item.account,)} if item.account else {}
    )
    for arn, persona in sorted(escalation.personas.items()):
        linked = escalation.world.principals[persona.arn].service_linked
        if escalation.admins[arn].value == "yes" or linked:
            continue
        layers = escalation.evaluator.layers(persona, actions[0])
        if not layers[0].allows and own is None:
            continue
        found = joined(
            escalation.evaluator.decide_with(persona, action, name, own, context)
            for action in actions
        )
        if found.value != "no":
            yield arn, found


def users_of(world: World) -> dict[str, list[tuple[str, str]]]:
    """Name of an image without its tag -> (what runs it, the tag; none where it is run by digest)."""
    return world.estate.once("paths.image_users", lambda: _images(world))


def less(world: World, uid: str, what: str) -> Action:
    """Taking a permission from a principal."""
    return Action(f"permission:{uid}:{what}", f"Take from {world.label(uid)}: {what}", uid,
                  effort=1.5)  # fmt: skip


def pushes(
    world: World, registry: Item, prefix: str, writers: Iterable[tuple[str, str, str]]
) -> Iterator[Pair]:
    """Who puts images into a registry, and what runs them; writers: (principal, by what, doubt)."""
    users = users_of(world)
    running = [u for name, found in users.items() if name.startswith(prefix) for u in found]
    if not running:
        return
    hub = f"registry:{registry.uid}"
    for uid, text, doubt in writers:
        yield Pair(uid, hub, target_kind="hub", doubt=doubt, resources=(registry.uid,),
                   phrase=f"{world.label(uid)} pushes an image to {world.label(registry.uid)}, run by",
                   evidence=(Evidence(kind="policy", text=text, source=uid),),
                   actions=(less(world, uid, text),))  # fmt: skip
    for uid, tag in sorted(running):
        yield Pair(hub, uid, source_kind="hub", silent=True,
                   no="" if tag else "it runs the image by its digest")  # fmt: skip


def writes_state(
    world: World, store: Item, target: str, writers: Iterable[tuple[str, str, str]]
) -> Iterator[Pair]:
    """Who writes state of infrastructure code, and so what is built from it."""
    for uid, text, doubt in writers:
        yield Pair(uid, target, detail=world.label(store.uid), doubt=doubt, resources=(store.uid,),
                   evidence=(Evidence(kind="policy", text=text, source=uid),),
                   actions=(less(world, uid, text),))  # fmt: skip


def _images(world: World) -> dict[str, list[tuple[str, str]]]:
    out: dict[str, dict[str, str]] = defaultdict(dict)
    for runner in world.runners.values():
        if runner.idle or world.top(runner.uid) != runner.uid:
            continue
        for container in runner.containers():
            image = word(container, "image").strip()
            if image:
                _note(out, image_uid(image), runner.uid)
    for item in world.estate.of_type("aws_ecs_service", "aws_ecs_task"):
        for definition in world.estate.targets(item.uid, "runs"):
            for image in (definition, *world.estate.targets(definition, "runs")):
                if image.startswith("image:"):
                    _note(out, image, item.uid)
    for item in world.estate.of_type("gcp_run_service", "azure_microsoft_app_containerapps"):
        for image in sorted(set(_named(item.config))):
            _note(out, image_uid(image), item.uid)
    return {name: sorted(found.items()) for name, found in out.items()}


def _named(value: object) -> Iterator[str]:
    """Images that a configuration names, at whatever depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "image" and isinstance(inner, str) and "/" in inner:
                yield inner
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def _note(out: dict[str, dict[str, str]], image: str, uid: str) -> None:
    text = image.removeprefix("image:")
    pinned = "@" in text
    name, _, tag = text.partition("@") if pinned else text.rpartition(":")
    out[name][uid] = out[name].get(uid) or ("" if pinned else tag)


@lasting
@pairs
def image_that_identity_pushes(world: World) -> Iterator[Pair]:
    """Who may put an image under a tag that something runs."""
    repositories = world.estate.of_type("aws_ecr_repository")
    users = users_of(world) if repositories else {}
    for item in repositories:
        parts = item.uid.split(":", 5)
        uri = word(item.config, "repositoryUri")
        if not uri and len(parts) == 6:
            uri = f"{parts[4]}.dkr.ecr.{parts[3]}.amazonaws.com/{parts[5].partition('/')[2]}"
        running = users.get(uri, [])
        if not running:
            continue
        hub = f"registry:{item.uid}"
        stopped = {
            u: _fixed(item, t) if t else "it runs the image by its digest" for u, t in running
        }
        fixed = (
            next((_fixed(item, t) for _, t in running if t), "") if all(stopped.values()) else ""
        )
        for arn, found in _written(world, _PUSH, item, item.uid):
            text = found.statements[0].text if found.statements else ""
            yield Pair(arn, hub, target_kind="hub",
                       doubt=", ".join(found.doubts) if found.value == "unknown" else "",
                       no=fixed,
                       phrase=f"{world.label(arn)} pushes an image to {world.label(item.uid)}, run by",
                       evidence=(Evidence(kind="policy", text=text, source=arn),) if text else (),
                       resources=(item.uid,),
                       actions=(Action(f"permission:{arn}:{text}",
                                       f"Take rights from {world.label(arn)}: {text}", arn,
                                       effort=1.5),))  # fmt: skip
        for uid, _ in running:
            yield Pair(hub, uid, source_kind="hub", silent=True, no=stopped[uid])


def _fixed(item: Item, tag: str) -> str:
    """Why nobody puts another image under this tag; an exclusion turns the repository's setting round.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    """
    setting = word(item.config, "imageTagMutability")
    filters = walk(item.config, "imageTagMutabilityExclusionFilters[].filter")
    excluded = any(fnmatchcase(tag, f) for f in filters if isinstance(f, str))
    immutable = setting.startswith("IMMUTABLE")
    if setting.endswith("_WITH_EXCLUSION") and excluded:
        immutable = not immutable
    return f"its tag {tag} is immutable" if immutable else ""


@lasting
@pairs
def state_that_is_written(world: World) -> Iterator[Pair]:
    """Who may write state or templates that somebody's pipeline applies to the account."""
    for item in world.estate.of_type("aws_s3_bucket"):
        if not item.account or not STATE.search(item.name or item.uid.rpartition(":")[2]):
            continue
        root = f"arn:aws:iam::{item.account}:root"
        label = world.label(item.uid)
        for evidence in world.public.get(item.uid, ()):
            if evidence.kind != "control" and re.search(r"putobject|s3:\*|full_control|write",
                                                        evidence.text, re.I):  # fmt: skip
                yield Pair(INTERNET, root, source_kind="entry", detail=label, evidence=(evidence,),
                           resources=(item.uid,),
                           actions=(Action(f"share:{item.uid}", f"Stop sharing {label} with everyone",
                                           item.uid, effort=0.5),))  # fmt: skip
                break
        for arn, found in _written(world, ("s3:putobject",), item, f"{item.uid}/secinbox-any"):
            text = found.statements[0].text if found.statements else ""
            yield Pair(arn, root, detail=label, resources=(item.uid,),
                       doubt=", ".join(found.doubts) if found.value == "unknown" else "",
                       evidence=(Evidence(kind="policy", text=text, source=arn),) if text else (),
                       actions=(Action(f"permission:{arn}:{text}",
                                       f"Take rights from {world.label(arn)}: {text}", arn,
                                       effort=1.5),))  # fmt: skip
