"""Google Cloud: machines whose tokens have narrow scopes, and the stores that these still read."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.iam.gcp import full_scope
from secinbox.iam.gcp.scopes import usable
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, pairs
from secinbox.paths.world import World
from secinbox.records import Evidence


@pairs
def store_by_narrow_scope(world: World) -> Iterator[Pair]:
    """A machine and a store that its account reads, by an API that one of its scopes names."""
    google = world.google
    machines = [m for m in world.estate.of_type("gcp_compute_instance") if not full_scope(m)]
    stores = [world.estate.items[j.uid] for j in world.jewels] if machines else []
    for machine in machines:
        found = {a: world.estate.find(a) for a in world.runs_as.get(machine.uid, ())}
        accounts = {i.uid if i is not None else name for name, i in found.items()}
        members = [m for m in sorted(google.held)
                   if google.uid_of(m) in accounts and not google.disabled(m)]  # fmt: skip
        for item in stores:
            wanted, scope = usable(machine, item.type)
            for member in members if wanted else ():
                for sure in (True, False):
                    have = google.grants.permissions(member, item, sure)
                    held = next((have[p] for p in wanted if p in have), None)
                    if held is not None:
                        text = f"{held.role.name} at {world.label(held.place)}, scope {scope}"
                        yield Pair(
                            machine.uid, item.uid, detail=text, doubt=held.uncertain,
                            evidence=(Evidence(kind="policy", text=text, source=held.place),),
                            resources=(google.uid_of(member),),
                            actions=(Action(f"scope:{machine.uid}:{scope}",
                                            f"Take scope {scope} from {world.label(machine.uid)}, or the "
                                            "role from its account", machine.uid),),
                        )  # fmt: skip
                        break
