"""Who decrypts with a key of KMS: by its policies, by a grant, or by giving itself either first.

A grant lets its grantee in whatever the policies lack; what denies explicitly still does. Facts:
docs.aws.amazon.com/kms/latest/developerguide/grants.html, "Determining access to AWS KMS keys".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from secinbox.estate import Estate, Item
from secinbox.iam.evaluate import Answer, Evaluator
from secinbox.iam.policy import Policy, parse
from secinbox.iam.request import Values
from secinbox.iam.resources import policy_of
from secinbox.iam.world import Persona

_DECRYPT = "kms:decrypt"


def decrypts(
    estate: Estate, evaluator: Evaluator, persona: Persona, key: Item, context: Values
) -> Answer:
    """context: what is known of the request in which the store's service uses the key."""
    own = policy_of(estate, key.uid)
    best = evaluator.decide_with(persona, _DECRYPT, key.uid, own, context)
    if best.value == "yes":
        return best
    granted = _let_in(persona, own)
    if evaluator.decide_with(persona, _DECRYPT, key.uid, granted, context).value != "no":
        for found in (*_grants(persona, key), *_makes_a_grant(evaluator, persona, key, own)):
            best = _better(best, found)
    # Whoever writes the key's policy takes its denials away, too, but not those of his own.
    bare = _let_in(persona, None)
    if evaluator.decide_with(persona, _DECRYPT, key.uid, bare, context).value != "no":
        asked: Values = {"aws:resourceaccount": context.get("aws:resourceaccount")}
        found = evaluator.decide_with(persona, "kms:putkeypolicy", key.uid, own, asked)
        best = _better(best, found)
    return best


def gives_away(
    estate: Estate, evaluator: Evaluator, persona: Persona, key: Item, context: Values
) -> Answer:
    """Lets another account decrypt: what a key guards is shared only together with the key."""
    own = policy_of(estate, key.uid)
    stranger = "arn:aws:iam::000000000000:root"
    (found,) = _makes_a_grant(evaluator, persona, key, own, stranger)
    asked: Values = {"aws:resourceaccount": context.get("aws:resourceaccount")}
    return _better(
        found, evaluator.decide_with(persona, "kms:putkeypolicy", key.uid, own, asked)
    )  # fmt: skip


def _let_in(persona: Persona, own: Policy | None) -> Policy:
    """A policy that lets the principal decrypt, with what the key's own denies."""
    made = parse({"Statement": [{"Effect": "Allow", "Principal": {"AWS": persona.arn},
                                 "Action": _DECRYPT, "Resource": "*"}]}, "grant")  # fmt: skip
    denies = tuple(s for s in own.statements if s.effect != "Allow") if own is not None else ()
    return replace(made, statements=(*made.statements, *denies))


def _grants(persona: Persona, key: Item) -> Iterator[Answer]:
    """Grants that were listed and that have the principal as grantee."""
    listed = key.config.get("list_grants")
    rows = listed.get("Grants") if isinstance(listed, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or row.get("GranteePrincipal") != persona.arn:
            continue
        operations = row.get("Operations")
        if isinstance(operations, list) and "Decrypt" in operations:
            if row.get("Constraints"):
                yield Answer("unknown", doubts=("whether the grant's encryption context fits",))
            else:
                yield Answer("yes")


def _makes_a_grant(
    evaluator: Evaluator, persona: Persona, key: Item, own: Policy | None, grantee: str = ""
) -> Iterator[Answer]:
    """A grant, for itself if nobody is named; services of AWS make those for their own resources."""
    context: Values = {
        "kms:grantoperations": ("Decrypt",),
        "kms:granteeprincipal": (grantee or persona.arn,),
        "kms:retiringprincipal": None,
        "kms:grantisforawsresource": ("false",),
        "kms:grantconstrainttype": None,
        "kms:viaservice": None,
        "kms:calleraccount": (persona.account,),
        "aws:resourceaccount": (key.account or persona.account,),
    }
    yield evaluator.decide_with(persona, "kms:creategrant", key.uid, own, context)


def _better(one: Answer, other: Answer) -> Answer:
    rank = {"yes": 2, "unknown": 1}
    return other if rank.get(other.value, 0) > rank.get(one.value, 0) else one
