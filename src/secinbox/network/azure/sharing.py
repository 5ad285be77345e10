"""Disks, snapshots and images: exported by a link, shared with everyone."""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.entra import many
from secinbox.inventory.azure.resources import dicts, text
from secinbox.network.azure.rules import ANY_CUSTOMER, disabled, gone, opened
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence


def exported(item: Item) -> Verdict:
    """Disks and snapshots: nobody reads them without a link that somebody makes; one works anywhere."""
    policy = text(item.config.get("networkAccessPolicy")).lower()
    state = text(item.config.get("diskState")).lower()
    if policy in ("denyall", "allowprivate") or disabled(item):
        return no("network access is closed", item.uid)
    if text(item.config.get("dataAccessAuthMode")).lower() == "azureactivedirectory":
        return no("its links ask for a sign-in of the directory", item.uid)
    if state in ("activesas", "activesasfrozen"):
        return opened(item, "a link to it exists, and whoever has it reads it from any network",
                      "link", ports="tcp 443")  # fmt: skip
    return no("no link to it exists", item.uid)


def gallery(item: Item) -> Verdict:
    """A gallery of images: private, for named tenants, or for the community."""
    taken = gone(item)
    if taken is not None:
        return taken
    profile = item.config.get("sharingProfile")
    shared = text(profile.get("permissions")).lower() if isinstance(profile, dict) else ""
    # Images are offered only once the community gallery was switched on, too.
    offer = profile.get("communityGalleryInfo") if isinstance(profile, dict) else None
    if shared == "community" and isinstance(offer, dict) and (
        offer.get("communityGalleryEnabled") is False):  # fmt: skip
        return no("its community gallery is switched off", item.uid)
    if shared == "community":
        names = offer.get("publicNames") if isinstance(offer, dict) else None
        known = f" {names[0]}" if isinstance(names, list) and names else ""
        return yes(Evidence(kind="shared", text="shared with the community: any customer starts "
                            "machines of its images", source=item.uid,
                            steps=(ANY_CUSTOMER, f"community gallery{known}", item.uid)))  # fmt: skip
    if shared == "groups":
        groups = dicts(profile.get("groups")) if isinstance(profile, dict) else []
        ids = ", ".join(str(i) for g in groups for i in many(g.get("ids")))
        return no(f"shared with named subscriptions and tenants only: {ids or 'none'}", item.uid)
    return no("it is private", item.uid)


def gallery_image(estate: Estate, item: Item) -> Verdict:
    """An image is as open as its gallery."""
    above = estate.find(item.uid.partition("/images/")[0])
    if above is None:
        return unknown("its gallery was not read", item.uid)
    return gone(item) or gallery(above)
