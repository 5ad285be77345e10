"""The catalogue's actions as bits: which of them a policy speaks of, computed once a pattern.

A quick no: who lacks an action of a row in every Allow need not be asked about the row.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

from secinbox.iam.catalogue import ADMINISTRATOR, PASSES, TAKES
from secinbox.iam.matching import action_matches
from secinbox.iam.policy import Policy, Statement

_OTHER_ACTIONS = (
    "iam:passrole", "iam:createaccesskey", "iam:createloginprofile", "iam:updateloginprofile",
    "iam:updateassumerolepolicy", "iam:addusertogroup", "iam:putgrouppolicy",
    "iam:attachgrouppolicy", "iam:setdefaultpolicyversion", "iam:deleteuserpermissionsboundary",
    "iam:putuserpermissionsboundary", "iam:deleterolepermissionsboundary",
    "iam:putrolepermissionsboundary", "iam:deleteuserpolicy", "iam:detachuserpolicy",
    "iam:deleterolepolicy", "iam:detachrolepolicy", "iam:deletegrouppolicy",
    "iam:detachgrouppolicy", "iam:removeuserfromgroup", "iam:deletepolicyversion",
    "iam:removerolefrominstanceprofile", "iam:addroletoinstanceprofile",
    "ec2:associateiaminstanceprofile", "ec2:replaceiaminstanceprofileassociation",
    "ec2:createlaunchtemplateversion", "sso:createpermissionset", "sso:createaccountassignment",
    "sso:putinlinepolicytopermissionset", "sso:attachmanagedpolicytopermissionset",
)  # fmt: skip
_ACTIONS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *(a for a, _ in ADMINISTRATOR),
            *_OTHER_ACTIONS,
            *(n.split(" ")[0].lower() for row in PASSES for n in row.needs),
            *(n.split(" ")[0].lower() for row in TAKES for n in row.needs),
        ]
    )
)
_INDEX = {action: 1 << i for i, action in enumerate(_ACTIONS)}
ALL_BITS = (1 << len(_ACTIONS)) - 1
_BY_SERVICE: dict[str, list[str]] = defaultdict(list)
for _action in _ACTIONS:
    _BY_SERVICE[_action.partition(":")[0]].append(_action)


def bit(action: str) -> int:
    return _INDEX[action]


ADMIN_BITS = sum(bit(a) for a, _ in ADMINISTRATOR)
# Actions by which somebody changes what a principal may do.
WRITES: tuple[str, ...] = (
    "iam:putuserpolicy", "iam:attachuserpolicy", "iam:putrolepolicy", "iam:attachrolepolicy",
    "iam:createpolicyversion", *(a for a in _OTHER_ACTIONS if a.startswith("iam:") and a not in (
        "iam:passrole", "iam:createaccesskey", "iam:createloginprofile", "iam:updateloginprofile",
        "iam:updateassumerolepolicy", "iam:deletepolicyversion",
        "iam:removerolefrominstanceprofile", "iam:addroletoinstanceprofile")),
    "sso:putinlinepolicytopermissionset", "sso:attachmanagedpolicytopermissionset",
)  # fmt: skip
WRITE_BITS = sum(bit(a) for a in WRITES)


@lru_cache(maxsize=65536)
def _pattern_mask(pattern: str) -> int:
    if pattern == "*":
        return ALL_BITS
    service = pattern.partition(":")[0]
    names = _ACTIONS if service == "*" else _BY_SERVICE.get(service, ())
    return sum(_INDEX[a] for a in names if action_matches(pattern, a))


def statement_mask(statement: Statement) -> int:
    patterns = statement.actions if statement.actions is not None else statement.not_actions or ()
    found = 0
    for pattern in patterns:
        found |= _pattern_mask(pattern)
    return found if statement.actions is not None else ALL_BITS & ~found


@lru_cache(maxsize=1024)
def row_mask(needs: tuple[str, ...]) -> int:
    found = 0
    for need in needs:
        if " its-role:" in need:
            continue  # asked of the role that is taken over
        found |= bit(need.split(" ")[0].lower())
    return found


def policy_mask(policy: Policy) -> int:
    """Actions that some Allow of the policy speaks of; a broken statement could be any."""
    found = 0
    for statement in policy.statements:
        if statement.effect == "Allow":
            found |= statement_mask(statement)
        elif statement.effect == "broken":
            return ALL_BITS
    return found
