"""The rows of all issues in memory, as columns: a server takes the rows of a page from here.

DuckDB reads few rows at random badly: fifty rows of a search cost it 15 ms in three questions, for
which it reads most of the tables. Arrow takes them out in a millisecond. Only a process that answers
many questions fills a shelf. (To count values in it instead was hardly faster than DuckDB.)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from secinbox.facts.store import Facts

# Of more issues, or of more places in which they are live, none is kept: some 200 MB.
MOST_ISSUES, MOST_LIVES = 400_000, 2_000_000
# All but what no row shows.
_ROWS = """
    SELECT i.* EXCLUDE (sort_key, tier_key, loss_key, lead, live, resource),
           coalesce(m.resources, []) AS resources
    FROM issues i LEFT JOIN (
        SELECT a.issue, list_sort(list(DISTINCT coalesce(f.live, a.resource))) AS resources
        FROM (SELECT DISTINCT issue, resource FROM assessed WHERE admitted_by <> '') a
        LEFT JOIN footprints f ON f.resource = a.resource
        GROUP BY a.issue) m ON m.issue = i.id
"""


class Shelf:
    """Rows of the table `issues` by id, each with `resources`: the uids it is live in, sorted."""

    def __init__(self, facts: Facts) -> None:
        """Reads all; what is decided after `number` is not on it."""
        self.number = facts.changes
        self._columns = facts.con.sql(_ROWS).to_arrow_table().combine_chunks()
        self._at = {issue: n for n, issue in enumerate(self._columns["id"].to_pylist())}

    @staticmethod
    def holds(facts: Facts) -> bool:
        """There are not too many issues for it."""
        issues, lives = facts.rows("SELECT count(*), sum(impacted_resources) FROM issues")[0]
        return issues <= MOST_ISSUES and (lives or 0) <= MOST_LIVES

    def rows(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        """The rows of these issues, of those that it has."""
        import pyarrow as pa

        places = [self._at[i] for i in ids if i in self._at]
        found: list[dict[str, Any]] = self._columns.take(pa.array(places, pa.int64())).to_pylist()
        return found
