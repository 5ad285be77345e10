"""New identities: somebody makes a role, a user or a group, gives it everything and becomes it.

A new role trusts whom its maker names, so that it asks for no `sts:AssumeRole` of the maker's own
policies; it bears the boundary that the maker has to give it. Sources: IAM User Guide, "Delegating
responsibility to others using permissions boundaries", and the evaluation of policies in one account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from secinbox.iam.bits import bit
from secinbox.iam.changes import Change, Changes
from secinbox.iam.evaluate import Answer
from secinbox.iam.layers import new_names
from secinbox.iam.needs import joined
from secinbox.iam.request import Values
from secinbox.iam.world import ALLOW_ALL, Persona, Source

_KEY = "iam:permissionsboundary"
_POLICY = "iam:policyarn"
_AMAZONS = "arn:aws:iam::aws:policy/AdministratorAccess"
_NAMES, _BOUNDARIES = 6, 6  # that are tried of one maker


@dataclass(frozen=True)
class _Kind:
    word: str
    move: str
    text: str


_ROLE = _Kind("role", "iam-027", "makes a role that trusts it and gives it an administrator policy")
_USER = _Kind("user", "iam-028", "makes a user with an administrator policy and signs in as it")
_GROUP = _Kind("group", "iam-029", "makes a group with an administrator policy and joins it")


class Births:
    """What the principals of an estate could make for themselves."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.moves = changes.moves
        self.evaluator = changes.evaluator
        self.world = changes.world

    def made(self, persona: Persona) -> Change | None:
        """The surest way to a new administrator; None where there is none."""
        maybe: Change | None = None
        for kind in (_ROLE, _USER, _GROUP):
            if not self._worth(persona, kind):
                continue
            for change in self._ways(persona, kind):
                if change.certain:
                    return change
                maybe = maybe or change
        return maybe

    def _worth(self, persona: Persona, kind: _Kind) -> bool:
        mask = self.moves.mask(persona)
        gives = (f"iam:put{kind.word}policy", f"iam:attach{kind.word}policy")
        return (
            bool(mask & bit(f"iam:create{kind.word}"))
            and any(mask & bit(a) for a in gives)
            and (kind is not _GROUP or persona.kind == "user")
        )

    def _ways(self, persona: Persona, kind: _Kind) -> Iterator[Change]:
        for name in self._names(persona, kind):
            for boundary in self._boundaries(persona, kind):
                found = self._one(persona, kind, name, boundary)
                if found.value != "no":
                    text = kind.text
                    if boundary:
                        text += f" (with the boundary {boundary.rpartition('/')[2]})"
                    yield Change(persona, persona.arn, kind.move, text, found.statements,
                                 found.value == "yes")  # fmt: skip

    def _names(self, persona: Persona, kind: _Kind) -> list[str]:
        template = f"arn:aws:iam::{persona.account}:{kind.word}/?*"
        out: dict[str, None] = {}
        for action in ("create{}", "put{}policy", "attach{}policy"):
            layers = self.evaluator.layers(persona, f"iam:{action.format(kind.word)}")
            for name in new_names(layers, template):
                out[name.replace("*", "x").replace("?", "x")] = None
        return [n for n in out if n not in self.world.estate.items][:_NAMES]

    def _boundaries(self, persona: Persona, kind: _Kind) -> list[str]:
        """None ("") first, then those that its policies speak of."""
        out = {"": None}
        if kind is _GROUP:
            return list(out)
        for action in (f"iam:create{kind.word}", f"iam:put{kind.word}policy"):
            for layer in self.evaluator.layers(persona, action):
                for statement in (*layer.allows, *layer.denies):
                    for _, key, values in statement.conditions:
                        if key == _KEY:
                            out.update(dict.fromkeys(v for v in values if "*" not in v))
        return list(out)[:_BOUNDARIES]

    def _one(self, persona: Persona, kind: _Kind, name: str, boundary: str) -> Answer:
        bears: Values = {} if kind is _GROUP else {_KEY: (boundary,) if boundary else None}

        def ask(action: str, extra: Values | None = None, on: str = name) -> Answer:
            return self.evaluator.attain(persona, action, on, {**bears, **(extra or {})})

        needs = [ask(f"iam:create{kind.word}")]
        if needs[0].value == "no":
            return needs[0]
        needs.append(self._given(ask, kind, persona.account))
        if needs[-1].value == "no":
            return needs[-1]
        if kind is _GROUP:
            needs += [ask("iam:addusertogroup"), self._power(self._own(persona))]
        else:
            needs += [self._entered(ask, persona, kind, name),
                      self._unbound(ask, persona, kind, name, boundary)]  # fmt: skip
        return joined(needs)

    def _given(self, ask: Callable[..., Answer], kind: _Kind, account: str) -> Answer:
        """Everything, by a policy of its own or one that there is."""
        found = [ask(f"iam:put{kind.word}policy")]
        action = f"iam:attach{kind.word}policy"
        found += [ask(action, {_POLICY: (p,)}) for p in (_AMAZONS, *self.changes.givers(account))]
        return _best(found)

    def _entered(
        self, ask: Callable[..., Answer], persona: Persona, kind: _Kind, name: str
    ) -> Answer:
        if kind is _USER:
            return _best([ask("iam:createaccesskey"), ask("iam:createloginprofile")])
        denied = self.evaluator.denied(persona, "sts:assumerole", name)
        capped = persona.kind == "role" and self.evaluator.capped(persona, "sts:assumerole", name)
        if denied is True or (persona.kind == "role" and capped is False):
            return Answer("no")
        return Answer("yes" if denied is False and capped is not None else "unknown")

    def _unbound(
        self, ask: Callable[..., Answer], persona: Persona, kind: _Kind, name: str, boundary: str
    ) -> Answer:
        """Administrator in spite of the boundary, or the boundary is taken away again."""
        document = self.world.document(boundary) if boundary else None
        own = self._own(Persona(name, kind.word, persona.account, ()))
        found = [self._power(replace(own, boundary=document,
                                     boundary_unread=bool(boundary) and document is None))]  # fmt: skip
        if boundary and found[0].value != "yes":
            free = self._power(own)
            wider: Values = {_KEY: (_AMAZONS,)}
            found += [joined([free, f]) for f in (
                ask(f"iam:delete{kind.word}permissionsboundary"),
                ask(f"iam:put{kind.word}permissionsboundary", wider),
                ask("iam:createpolicyversion", None, boundary),
            )]  # fmt: skip
        return _best(found)

    def _own(self, persona: Persona) -> Persona:
        every = Source(f"{persona.arn}#born", "inline", persona.arn, "born", ALLOW_ALL)
        return replace(persona, sources=(*persona.sources, every))

    def _power(self, persona: Persona) -> Answer:
        return replace(self.moves.administrator(persona), statements=())


def _best(found: list[Answer]) -> Answer:
    for value in ("yes", "unknown"):
        chosen = next((f for f in found if f.value == value), None)
        if chosen is not None:
            return chosen
    return Answer("no")
