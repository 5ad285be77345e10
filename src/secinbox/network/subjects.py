"""Subjects of workflow tokens: whether anybody can get one that fits a pattern.

An issuer that serves everyone (GitHub, GitLab, HCP Terraform ...) puts the owner into the subject. Where
a pattern leaves the owner open, or ends in the middle of his name, an outsider makes a repository that
fits. Sources: GitHub docs, "OpenID Connect reference"; docs.gitlab.com, "OpenID Connect"; HashiCorp,
"Workload identity tokens".
"""

from __future__ import annotations

import re

# Issuers whose tokens anybody gets with an account of his own.
SHARED = ("token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io", "agent.buildkite.com",
          "api.bitbucket.org", "oidc.circleci.com", "accounts.google.com", "app.vercel.com")  # fmt: skip
_KIND = re.compile(r"^(repo|project_path|organization|owner|workspace):")


def shared(issuer: str) -> bool:
    """Whether anyone can get a token of this issuer; with a path behind the host it is one tenant's."""
    host = issuer.rstrip("/")
    return host in SHARED or host.endswith(".gitlab.com")


def anybody(issuer: str, subject: str) -> bool:
    """Whether an outsider gets a subject that fits this pattern of an issuer for everyone."""
    if not shared(issuer):
        return False
    if subject == "*":
        return True
    if issuer.startswith("accounts.google.com"):
        return "*" in subject
    rest = _KIND.sub("", subject)
    owner = re.split(r"[/:]", rest, maxsplit=1)[0]
    return "*" in owner or "?" in owner


def prefix_binds(prefix: str) -> bool:
    """Whether a beginning of a subject or of a repository holds the whole name of an owner."""
    rest = _KIND.sub("", prefix)
    return bool(re.match(r"[\w.-]+[/:]", rest))
