"""Identities that a principal makes for itself: a role that trusts it, or a user with a key.

Who makes one and gives it permissions has these, as far as the boundary that the new one must bear and
the organisation let it. Source: IAM User Guide, "Permissions boundaries for IAM entities".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from secinbox.iam.bits import birth_bits
from secinbox.iam.changes import MANAGED, Change, Changes
from secinbox.iam.evaluate import Answer
from secinbox.iam.needs import joined
from secinbox.iam.policy import Policy
from secinbox.iam.request import Values
from secinbox.iam.world import ALLOW_ALL, Persona, Source

_BOUNDARY = "iam:permissionsboundary"
_TRIED = 6  # names and boundaries of one maker


@dataclass(frozen=True)
class _Born:
    persona: Persona
    boundary: str  # the ARN of its boundary; empty: none
    given: Answer

    @property
    def shown(self) -> Values:
        """Condition keys that a request about it bears."""
        return {_BOUNDARY: (self.boundary,) if self.boundary else None}


class Births:
    """Administrators that did not exist before."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.moves = changes.moves
        self.evaluator = changes.evaluator

    def administrator(self, persona: Persona) -> Change | None:
        """The surest way of the principal to make an administrator that it then is."""
        if not self.moves.mask(persona) & birth_bits():
            return None
        maybe: Change | None = None
        for word in ("role", "user"):
            for born in self._born(persona, word):
                found = self._judged(persona, born)
                if found.value == "no":
                    continue
                text, move = _WORDS[word]
                change = Change(
                    persona, persona.arn, move, text, found.statements, found.value == "yes"
                )
                if change.certain:
                    return change
                maybe = maybe or change
        return maybe

    def _born(self, persona: Persona, word: str) -> Iterator[_Born]:
        creates = f"iam:create{word}"
        gives = (creates, f"iam:put{word}policy", f"iam:attach{word}policy")
        template = f"arn:aws:iam::{persona.account}:{word}/?*"
        for boundary in self._boundaries(persona, creates):
            shown: Values = {_BOUNDARY: (boundary,) if boundary else None}
            for name in self._names(persona, gives, template):
                made = self.evaluator.attain(persona, creates, name, shown)
                entered = self._enters(persona, word, name) if made.value != "no" else made
                if entered.value == "no":
                    continue
                new = Persona(name, word, persona.account, (), self._document(boundary),
                              bool(boundary) and self._document(boundary) is None)  # fmt: skip
                for sources, given in self._permissions(persona, word, name, shown):
                    whole = joined([made, entered, given])
                    yield _Born(replace(new, sources=sources), boundary, whole)

    def _names(self, persona: Persona, gives: tuple[str, ...], template: str) -> list[str]:
        """Names that nobody bears yet; a few of them are enough."""
        found = self.changes.names([persona], gives, template)
        return [n for n in found if n not in self.changes.world.estate.items][:_TRIED]

    def _permissions(self, persona: Persona, word: str, name: str, shown: Values
                     ) -> Iterator[tuple[tuple[Source, ...], Answer]]:  # fmt: skip
        everything = (Source(f"{name}#granted", "inline", name, "granted", ALLOW_ALL),)
        found = self.changes.who([persona], f"iam:put{word}policy", name, shown) or (
            self.changes.attaches([persona], f"iam:attach{word}policy", name, shown)
        )
        if found is not None:
            yield everything, found[1]
        for arn, group in self.changes.world.groups.items() if word == "user" else ():
            if group.account == persona.account:
                joins = self.evaluator.attain(persona, "iam:addusertogroup", arn)
                if joins.value != "no":
                    yield group.sources, joins

    def _enters(self, persona: Persona, word: str, name: str) -> Answer:
        """It has the credentials of what it made."""
        if word == "user":
            ways = ("iam:createaccesskey", "iam:createloginprofile")
            found = [self.evaluator.attain(persona, a, name) for a in ways]
            return next((f for f in found if f.value == "yes"), found[0])
        # The new role's trust names the one who made it; a role's own limits count all the same.
        denied = self.evaluator.denied(persona, "sts:assumerole", name)
        limits = persona.kind == "role"
        capped = not limits or self.evaluator.capped(persona, "sts:assumerole", name)
        if denied is True or capped is False:
            return Answer("no")
        sure = denied is False and capped is True
        return Answer("yes") if sure else Answer("unknown", (), ("who may assume what is new",))

    def _boundaries(self, persona: Persona, creates: str) -> list[str]:
        """Boundaries that the new one may bear: none, and those that conditions name."""
        named = [
            v for layer in self.evaluator.layers(persona, creates) for s in (*layer.allows, *layer.denies)
            for _, key, values in s.conditions if key == _BOUNDARY for v in values
        ]  # fmt: skip
        known = sorted(self.changes.world.documents)
        exact = [v for v in named if "*" not in v and "?" not in v]
        fitting = known if len(exact) < len(named) else []
        return list(
            dict.fromkeys(
                ["", *exact, *([f"{MANAGED}AdministratorAccess"] if named else []), *fitting]
            )
        )[:_TRIED]

    def _document(self, arn: str) -> Policy | None:
        return self.changes.world.document(arn) if arn else None

    def _judged(self, persona: Persona, born: _Born) -> Answer:
        """Administrator as it is, or once its boundary is lifted, by its maker or by itself."""
        best = joined([born.given, self.moves.administrator(born.persona)])
        if best.value == "yes" or not born.boundary:
            return best
        for lifted in self._lifted(persona, born):
            bare = replace(born.persona, boundary=None, boundary_unread=False)
            found = joined([born.given, lifted, self.moves.administrator(bare)])
            if found.value == "yes":
                return found
            best = found if best.value == "no" else best
        return best

    def _lifted(self, persona: Persona, born: _Born) -> Iterator[Answer]:
        name, word = born.persona.arn, born.persona.kind
        wider: Values = {_BOUNDARY: (f"{MANAGED}AdministratorAccess",)}
        for actor in (persona, born.persona):
            yield self.evaluator.attain(
                actor, f"iam:delete{word}permissionsboundary", name, born.shown
            )
            yield self.evaluator.attain(actor, f"iam:put{word}permissionsboundary", name, wider)
            if not born.boundary.startswith(MANAGED) and self.changes.room(actor, born.boundary):
                yield self.evaluator.attain(actor, "iam:createpolicyversion", born.boundary)


_WORDS = {
    "role": ("makes a role that it assumes and gives it administrator rights", "iam-027"),
    "user": ("makes a user with a key or a password and gives it administrator rights", "iam-028"),
}
