"""Google Cloud: who holds what where, who can become whom, who has power."""

from secinbox.iam.gcp.permissions import READS
from secinbox.iam.gcp.privilege import privilege
from secinbox.iam.gcp.world import Google, full_scope

__all__ = ["READS", "Google", "full_scope", "privilege"]
