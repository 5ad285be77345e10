"""Azure and Entra ID: who holds what where, who can become whom, who has power."""

from secinbox.iam.azure.privilege import privilege, reads
from secinbox.iam.azure.world import TENANT, Azure

__all__ = ["TENANT", "Azure", "privilege", "reads"]
