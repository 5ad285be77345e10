"""What bears on findings without being one: VEX, signals, exploits."""

from __future__ import annotations

from secinbox.facts.incoming import Source, drop_view, view
from secinbox.facts.staging import TABLES, Staged
from secinbox.facts.store import Facts


def store_vex(facts: Facts, staged: Staged, number: int) -> None:
    """What somebody says of a vulnerability in a product; said again, it is replaced."""
    con = facts.con
    view(facts, staged, "vex")
    names = (
        "vulnerability, product, package, version, status, justification, text, author, time, "
        "within"
    )
    con.execute(
        "DELETE FROM vex WHERE (vulnerability, product, author, time) IN "
        "(SELECT vulnerability, product, author, time FROM stage)"
    )
    con.execute(
        f"INSERT INTO vex ({names}, tool, import_id, place) "
        f"SELECT {names}, tool, ?, place FROM stage",
        [number],
    )
    con.execute(
        """
        INSERT INTO touched SELECT DISTINCT s.finding FROM statements s
        WHERE s.canonical IN (
            SELECT coalesce(v.canonical, t.vulnerability) FROM stage t
            LEFT JOIN vulnerability_names v ON v.id = t.vulnerability)
        """
    )
    drop_view(facts)


def store_signals(facts: Facts, staged: Staged, number: int) -> None:
    """Signals that are not stored yet, and the resources that they name."""
    con = facts.con
    view(facts, staged, "signals")
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE incoming_signals AS
        SELECT DISTINCT ON (s.id) s.* FROM stage s ANTI JOIN signals g ON g.id = s.id
        ORDER BY s.id, s.place
        """
    )
    drop_view(facts)
    con.execute(
        """
        INSERT INTO signals SELECT id, time, title, severity, severity_word, names, description,
            technique, source_address, tool, ?, place FROM incoming_signals
        """,
        [number],
    )
    con.execute(
        "INSERT INTO signal_names SELECT unnest(names), id, time, severity FROM incoming_signals"
    )
    con.execute(
        """
        INSERT INTO dirty SELECT DISTINCT 'resource', coalesce(n.uid, g.name)
        FROM (SELECT DISTINCT unnest(names) AS name FROM incoming_signals) g
        LEFT JOIN names n ON n.ref = g.name
        """
    )


def store_exploits(facts: Facts, staged: Staged, source: Source, number: int) -> None:
    """Records of feeds, each in place of the one before, and how old each feed is."""
    con = facts.con
    view(facts, staged, "exploits")
    feeds = [row[0] for row in facts.rows("SELECT DISTINCT feed FROM stage")]
    columns = list(TABLES["exploits"])
    listed = ", ".join(columns)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE incoming_exploits AS SELECT DISTINCT {listed} FROM stage"
    )
    drop_view(facts)
    con.execute(
        """
        DELETE FROM exploits WHERE (vulnerability, feed, id, url) IN
          (SELECT vulnerability, feed, id, url FROM incoming_exploits)
        """
    )
    con.execute(
        f"INSERT INTO exploits ({listed}, import_id) SELECT {listed}, ? FROM incoming_exploits",
        [number],
    )
    for feed in feeds:
        con.execute(
            """
            INSERT INTO feeds VALUES (?, ?, ?, (SELECT count(*) FROM exploits WHERE feed = ?), '',
                ?)
            ON CONFLICT (feed) DO UPDATE SET released = greatest(feeds.released, excluded.released),
                imported = greatest(feeds.imported, excluded.imported), records = excluded.records,
                source = excluded.source
            """,
            [feed, source.released, source.imported, feed, source.name],
        )
    con.execute("INSERT INTO dirty VALUES ('all', '')")
