"""Conditions with three values: True, False, or None where a key's value is not known.

Rules: IAM User Guide, "IAM JSON policy elements: Condition operators" and "... with multiple
context keys or values": keys are ANDed, values ORed; a negated operator wants none of its values;
a missing key makes positive operators false, negated ones and `...IfExists` true; `ForAllValues`
is true of nothing, `ForAnyValue` false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from secinbox.iam.matching import glob
from secinbox.iam.policy import Condition, Statement

Tri = bool | None
# A key's values; () and None: known to be absent from the request. A key that is not in the
# mapping is one that nobody knows.
Context = Mapping[str, tuple[str, ...] | None]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
}


def all_of(values: list[Tri]) -> Tri:
    """AND of three-valued truths."""
    if False in values:
        return False
    return None if None in values else True


def any_of(values: list[Tri]) -> Tri:
    """OR of three-valued truths."""
    if True in values:
        return True
    return None if None in values else False


def holds(statement: Statement, context: Context) -> Tri:
    """Do all conditions of the statement hold?"""
    if not statement.conditions:
        return True
    return all_of([condition_holds(c, context, statement.variables) for c in statement.conditions])


def condition_holds(condition: Condition, context: Context, variables: bool = True) -> Tri:
    """One operator with one key."""
    name, key, wanted = condition
    operator = name.lower()
    quantifier = ""
    for prefix in ("forallvalues:", "foranyvalue:"):
        if operator.startswith(prefix):
            quantifier, operator = prefix[:-1], operator.removeprefix(prefix)
    if operator == "null":
        if key not in context:
            return None
        missing = not context[key]
        return any((w.lower() == "true") == missing for w in wanted)
    optional = operator.endswith("ifexists")
    operator = operator.removesuffix("ifexists")
    negated = operator in _NEGATED
    operator = _NEGATED.get(operator, operator)
    if operator not in _TESTS:
        return None  # an operator that nobody knows
    if key not in context:
        return None
    given = context[key]
    if not given:
        if quantifier == "forallvalues":
            return True
        if quantifier == "foranyvalue":
            return optional
        return optional or negated
    patterns: list[str | None] = [
        expand(w, context) if variables else w
        for w in wanted
        # Nothing equals a variable that stands for nothing.
        if negated or not variables or not missing_variable(w, context)
    ]
    test = _TESTS[operator]

    def one(value: str) -> Tri:
        hits: list[Tri] = [None if p is None else test(p, value) for p in patterns]
        found = any_of(hits)
        return (None if found is None else not found) if negated else found

    results = [one(v) for v in given]
    if quantifier == "forallvalues":
        return all_of(results)
    if quantifier == "foranyvalue":
        return any_of(results)
    # A key with several values and no quantifier: a positive test wants one, a negated one all.
    return all_of(results) if negated else any_of(results)


def missing_variable(text: str, context: Context) -> bool:
    """Some variable stands for a key that the request is known not to bear, without a default."""
    for found in _VARIABLE.finditer(text) if "${" in text else ():
        name, _, default = found.group(1).partition(",")
        name = name.strip().lower()
        if name in context and not context[name] and not default.strip().startswith("'"):
            return True
    return False


def expand(text: str, context: Context) -> str | None:
    """Policy variables filled in; None when a value is not known, or there is none."""
    if "${" not in text:
        return text
    unknown = False

    def one(found: re.Match[str]) -> str:
        nonlocal unknown
        name, _, default = found.group(1).partition(",")
        name = name.strip().lower()
        if name in ("*", "?", "$"):
            return {"*": "\u2217", "?": "\uff1f", "$": "$"}[name]
        value = context.get(name) if name in context else None
        if value:
            return value[0]
        if name in context and default.strip().startswith("'"):
            return default.strip().strip("'")
        unknown = True
        return ""

    expanded = _VARIABLE.sub(one, text)
    return None if unknown else expanded


def _literal(text: str) -> str:
    """`${*}` stands for the character itself; it is carried as one that nobody types."""
    return text.replace("\u2217", "*").replace("\uff1f", "?")


def _equals(wanted: str, given: str) -> Tri:
    return _literal(wanted) == given


def _equals_any_case(wanted: str, given: str) -> Tri:
    return _literal(wanted).casefold() == given.casefold()


def _like(wanted: str, given: str) -> Tri:
    return glob(wanted, given)


def _arn_like(wanted: str, given: str) -> Tri:
    w, g = wanted.split(":", 5), given.split(":", 5)
    if len(w) < 6 or len(g) < 6:
        return glob(wanted, given)
    return all(glob(a, b) for a, b in zip(w, g, strict=True))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _numeric(compare: str, wanted: str, given: str) -> Tri:
    w, g = _number(wanted), _number(given)
    if w is None or g is None:
        return False if w is None else None
    return _compare(compare, g, w)


def _compare(word: str, given: float, wanted: float) -> bool:
    return {
        "equals": given == wanted,
        "lessthan": given < wanted,
        "lessthanequals": given <= wanted,
        "greaterthan": given > wanted,
        "greaterthanequals": given >= wanted,
    }[word]


@lru_cache(maxsize=4096)
def _moment(text: str) -> float | None:
    number = _number(text)
    if number is not None and number > 10_000:
        return number
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _date(compare: str, wanted: str, given: str) -> Tri:
    w, g = _moment(wanted), _moment(given)
    if w is None or g is None:
        return None
    return _compare(compare, g, w)


def _bool(wanted: str, given: str) -> Tri:
    return wanted.lower() == given.lower()


@lru_cache(maxsize=8192)
def network(text: str) -> IPv4Network | IPv6Network | None:
    """A CIDR or an address; host bits are cut off, as AWS does; None when it is neither."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=8192)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _ip(wanted: str, given: str) -> Tri:
    net = network(wanted)
    if net is None:
        return None
    if given == INTERNET:
        return _internet_in(net)
    address = _address(given)
    if address is None:
        return None
    return address.version == net.version and address in net


INTERNET = "internet"  # some public address, nobody knows which


def _internet_in(net: IPv4Network | IPv6Network) -> Tri:
    if net.prefixlen == 0:
        return True
    # Private ranges never are the source of a call that comes over the Internet.
    low, high = int(net.network_address), int(net.broadcast_address)
    inside = any(
        p.version == net.version and int(p.network_address) <= low
        and high <= int(p.broadcast_address)
        for p in _PRIVATE
    )  # fmt: skip
    return False if inside else None


_PRIVATE = tuple(
    ip_network(n)
    for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16",
              "100.64.0.0/10", "fc00::/7", "fe80::/10")
)  # fmt: skip


def _ordered(kind: Callable[[str, str, str], Tri], word: str) -> Callable[[str, str], Tri]:
    return lambda wanted, given: kind(word, wanted, given)


_WORDS = ("equals", "lessthan", "lessthanequals", "greaterthan", "greaterthanequals")
_TESTS: dict[str, Callable[[str, str], Tri]] = {
    "stringequals": _equals,
    "stringequalsignorecase": _equals_any_case,
    "stringlike": _like,
    "arnequals": _arn_like,
    "arnlike": _arn_like,
    "bool": _bool,
    "ipaddress": _ip,
    "binaryequals": _equals,
    **{f"numeric{word}": _ordered(_numeric, word) for word in _WORDS},
    **{f"date{word}": _ordered(_date, word) for word in _WORDS},
}
