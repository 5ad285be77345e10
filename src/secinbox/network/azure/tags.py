"""Service tags: names for ranges of Azure's own services.

Only `Internet` stands for strangers. `AzureCloud` is every public address of Azure, so any
customer's machine; the other tags are services that a customer cannot send from at will. Source:
learn.microsoft.com, "Virtual network service tags".
"""

from __future__ import annotations

ANYONE = ("*", "any", "internet")
INSIDE = ("virtualnetwork", "azureloadbalancer")


def of_any_customer(tag: str) -> bool:
    """`AzureCloud`, and `AzureCloud.REGION`."""
    return tag.lower().partition(".")[0] == "azurecloud"


def is_tag(prefix: str) -> bool:
    """A word, not an address."""
    return prefix[:1].isalpha() and ":" not in prefix
