"""What a caller does before it asks, besides writing tags: an MFA device of its own, a stack that asks for it.

A key of an MFA device that a user registers for itself makes its next session one with MFA. A stack without
a role of its own asks with its maker's permissions, "via CloudFormation". Sources: IAM User Guide, "Secure API
access with MFA" and "Forward access sessions".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

from secinbox.iam.policy import Statement
from secinbox.iam.request import ANY_NAME, Values
from secinbox.iam.tagging import Tagged
from secinbox.iam.world import Persona

if TYPE_CHECKING:
    from secinbox.iam.evaluate import Evaluator

MFA_KEYS = frozenset({"aws:multifactorauthpresent", "aws:multifactorauthage"})
_VIA = frozenset({"aws:viaawsservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast"})
_FORMATION = ("cloudformation.amazonaws.com",)
# What a template can ask for of identities that there are, or of new ones.
_IN_STACKS = frozenset(
    {
        "iam:putuserpolicy", "iam:putrolepolicy", "iam:putgrouppolicy", "iam:attachuserpolicy",
        "iam:attachrolepolicy", "iam:attachgrouppolicy", "iam:addusertogroup", "iam:createaccesskey",
        "iam:createrole", "iam:createuser", "iam:creategroup", "iam:passrole",
    }
)  # fmt: skip


def beforehand(
    evaluator: Evaluator, persona: Persona, action: str, keys: frozenset[str]
) -> Iterator[tuple[Values, tuple[Statement, ...]]]:
    """Condition keys that have other values then, and what is done, of those that somebody looks at."""
    principal = evaluator.world.principals.get(persona.arn)
    own = keys & MFA_KEYS and not action.endswith("mfadevice")
    if own and principal is not None and persona.kind == "user" and not principal.mfa:
        told = _registers(evaluator, persona)
        if told:
            yield {"aws:multifactorauthpresent": ("true",), "aws:multifactorauthage": ("60",)}, told
    if keys & _VIA and action in _IN_STACKS:
        stack = f"arn:aws:cloudformation:us-east-1:{persona.account}:stack/{ANY_NAME}/1"
        made = evaluator.decide(persona, "cloudformation:createstack", stack)
        if made.value == "yes":
            yield {
                "aws:viaawsservice": ("true",), "aws:calledvia": _FORMATION,
                "aws:calledviafirst": _FORMATION, "aws:calledvialast": _FORMATION,
            }, _worded(made.statements, "makes a stack that asks for it")  # fmt: skip


def _registers(evaluator: Evaluator, persona: Persona) -> tuple[Statement, ...]:
    enabled = evaluator.decide(persona, "iam:enablemfadevice", persona.arn)
    if enabled.value != "yes":
        return ()
    for name in (persona.name, ANY_NAME):
        device = f"arn:aws:iam::{persona.account}:mfa/{name}"
        made = evaluator.decide(persona, "iam:createvirtualmfadevice", device)
        if made.value == "yes":
            found = (*enabled.statements, *made.statements)
            return _worded(found, "registers an MFA device of its own")
    return ()


def _worded(statements: tuple[Statement, ...], words: str) -> tuple[Statement, ...]:
    return tuple(
        Tagged(**{f.name: getattr(s, f.name) for f in fields(Statement)}, words=words)
        for s in statements
    )
