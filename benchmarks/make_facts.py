"""Fills a home with facts of a given size, straight in the tables: for ranking at scale."""

from __future__ import annotations

from pathlib import Path

from secinbox.facts.store import Facts


def fill(
    home: Path,
    findings: int,
    resources: int,
    signals: int,
    *,
    statements: bool = True,
    packages: str = "i",
) -> None:
    """Deterministic facts: images run by workloads, hosts, tags, signals, exploit records.

    statements: also what the findings were made of, which ranking does not read.
    packages: SQL for the number of a finding's package, by its own number i.
    """
    with Facts(home) as facts:
        con = facts.con
        images = resources // 10
        workloads = resources // 5
        with facts.transaction():
            con.execute(
                f"""
                INSERT INTO seen_resources SELECT *, FALSE FROM (
                SELECT 'image:registry.test/app' || (i % {images}) || '@sha256:' || lpad(i::VARCHAR, 64, '0'),
                       'bench', '', 2, 'container_image', 'app' || i, '', '', '', '', '', '',
                       TIMESTAMP '2026-11-01', 1, '' FROM range({images}) t(i)
                UNION ALL
                SELECT 'k8s://prod-' || (i % 7) || '/ns' || (i % 40) || '/deployment/w' || i, 'bench', '',
                       2, 'kubernetes_deployment', 'w' || i, 'kubernetes', 'prod-' || (i % 7), '',
                       '{{"env": "' || ['prod', 'dev', 'staging'][1 + i % 3] || '", "service": "svc'
                         || (i % 3000) || '"}}', '', '', TIMESTAMP '2026-11-01', 1, ''
                FROM range({workloads}) t(i)
                UNION ALL
                SELECT 'arn:aws:ec2:us-east-1:' || lpad((i % 50)::VARCHAR, 12, '0') || ':instance/i-' || i,
                       'bench', '', 2, 'aws_ec2_instance', 'h' || i, 'aws',
                       lpad((i % 50)::VARCHAR, 12, '0'), 'us-east-1',
                       CASE WHEN i % 2 = 0 THEN '{{"env": "prod"}}' ELSE '' END, '',
                       CASE WHEN i % 5 = 0 THEN '{{"public_accessibility": "yes"}}' ELSE '' END,
                       TIMESTAMP '2026-11-01', 1, '' FROM range({resources - images - workloads}) t(i))
                """
            )
            con.execute("INSERT INTO dirty SELECT 'uid', ref FROM seen_resources")
            con.execute(
                f"""
                INSERT INTO relations
                SELECT 'k8s://prod-' || (i % 7) || '/ns' || (i % 40) || '/deployment/w' || i, 'runs',
                       'image:registry.test/app' || (i % {images}) || '@sha256:'
                         || lpad((i % {images})::VARCHAR, 64, '0'), 'bench', '', 1, ''
                FROM range({workloads}) t(i)
                """
            )
            con.execute(
                f"""
                INSERT INTO findings
                SELECT md5('f' || i), ['container_image_vulnerability', 'host_vulnerability',
                         'misconfiguration', 'library_vulnerability'][1 + i % 4],
                       CASE WHEN i % 4 IN (0, 3) THEN 'image:registry.test/app'
                              || ((i * 7) % {images}) || '@sha256:' || lpad(((i * 7) % {images})::VARCHAR, 64, '0')
                            ELSE 'arn:aws:ec2:us-east-1:' || lpad((((i * 3) % {resources - images - workloads}) % 50)::VARCHAR, 12, '0')
                              || ':instance/i-' || ((i * 3) % {resources - images - workloads}) END,
                       CASE WHEN i % 4 = 2 THEN '' ELSE 'CVE-2024-' || (i % 40000) END,
                       'rule-' || (i % 400), '', CASE WHEN i % 4 = 2 THEN '' ELSE 'pkg-' || ({packages} % 2500) END,
                       '1.0.' || (i % 30), '1.1.' || (i % 30), 'a finding number ' || (i % 5000),
                       1 + (hash(i) % 5)::TINYINT, 'WORD', 7.5, '', 0, '', '', '', FALSE, TRUE, 'bench', TIMESTAMP '2026-10-01' + INTERVAL (i % 1000) HOUR,
                       TIMESTAMP '2026-11-19', 'open', NULL, '1.1.' || (i % 30),
                       'n000000000001n000000000001n' || lpad((i % 30)::VARCHAR, 12, '0') || 'e',
                       md5('s' || i)
                FROM range({findings}) t(i)
                """
            )
            con.execute(
                """
                INSERT INTO statements
                SELECT lead, id, tools, type, resource, resource, resource, rule, '', vulnerability,
                       vulnerability, purl, package, version, fixed_version, title,
                       'what is wrong and why it matters, in a sentence of usual length ' || title,
                       severity, severity_word, score, '', location, line, '', '',
                       'https://x.test/' || id, likelihood, impact, exploit_known, verified,
                       default_branch, '$', fix, fix_key, 1, first_seen, last_seen, NULL, NULL
                FROM findings WHERE ?
                """,
                [statements],
            )
            con.execute(
                f"""
                INSERT INTO signals
                SELECT 's' || i, TIMESTAMP '2026-11-20' - INTERVAL (i % 900) HOUR, 'a signal ' || (i % 50),
                       2 + (i % 4)::TINYINT, 'w', [CASE WHEN i % 2 = 0
                         THEN 'k8s://prod-' || (i % {workloads // 3} % 7) || '/ns' || (i % {workloads // 3} % 40)
                           || '/deployment/w' || (i % {workloads // 3})
                         ELSE 'arn:aws:ec2:us-east-1:' || lpad((i % 9000 % 50)::VARCHAR, 12, '0')
                           || ':instance/i-' || (i % 9000) END], '', '', '203.0.113.9', 'bench', 1, ''
                FROM range({signals}) t(i)
                """
            )
            con.execute(
                "INSERT INTO signal_names SELECT unnest(names), id, time, severity FROM signals"
            )
            con.execute(
                """
                INSERT INTO exploits (vulnerability, feed, maturity, id, url, date, epss, percentile,
                    automatable, technical_impact, score, vector, ransomware, due, analysed, import_id)
                SELECT 'CVE-2024-' || i, ['cisa_kev', 'exploitdb', 'nvd', 'epss'][1 + i % 4],
                       [3, 1, 0, 0][1 + i % 4], '', '', '', CASE WHEN i % 4 = 3 THEN 0.3 END, NULL,
                       '', '', 8.0, '', FALSE, '', TRUE, 1 FROM range(30000) t(i)
                """
            )
            con.execute("INSERT INTO dirty VALUES ('all', '')")
            con.execute("INSERT INTO imports (id, hash) VALUES (1, 'bench')")
        con.execute("CHECKPOINT")
