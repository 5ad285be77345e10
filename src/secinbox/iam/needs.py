"""Needs of a catalogue row, asked of a principal: on existing things, and on something new.

Something new may bear any name that the policies let one choose; all actions of a row that speak of
the same new thing must be allowed for one and the same name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from secinbox.iam.evaluate import Answer, Evaluator
from secinbox.iam.layers import new_names
from secinbox.iam.policy import Statement
from secinbox.iam.request import Values
from secinbox.iam.things import Thing
from secinbox.iam.world import Persona

_ANY_DOCUMENT = ("AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-RunRemoteScript")
ANYTHING = Thing("", "")
# Services whose actions act on things of another service.
_ACT_ON = {"ssm": "ec2", "ec2-instance-connect": "ec2"}


def joined(answers: Iterable[Answer]) -> Answer:
    """All must be yes."""
    found = list(answers)
    for value in ("no", "unknown"):
        chosen = [a for a in found if a.value == value]
        if chosen:
            return Answer(value, tuple(s for a in chosen for s in a.statements),
                          tuple(d for a in chosen for d in a.doubts))  # fmt: skip
    seen: dict[int, Statement] = {id(s): s for a in found for s in a.statements}
    return Answer("yes", tuple(seen.values()))


def doubt_of(found: Answer) -> str:
    return ", ".join(found.doubts) if found.value == "unknown" else ""


class Needs:
    """Answers for rows' needs."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator

    def all_of(
        self, persona: Persona, needs: tuple[str, ...], thing: Thing | None,
        extra: Values | None = None,
    ) -> Answer:  # fmt: skip
        """All needs; those of the same new thing must hold for one and the same name.

        extra: condition keys that the request is known to bear.
        """
        groups: dict[str, list[str]] = defaultdict(list)
        for need in needs:
            action, _, where = need.partition(" ")
            groups[where].append(action.lower())
        answers = []
        for where, actions in groups.items():
            if where.startswith(("new:", "arn:")) and len(actions) > 1:
                answers.append(self._same_name(persona, actions, where, extra))
            else:
                answers += [self.one(persona, action, where, thing, extra) for action in actions]
            if answers[-1].value == "no":
                return answers[-1]
        return joined(answers)

    def _template(self, persona: Persona, where: str) -> str:
        if where == "new:iam-profile":
            return f"arn:aws:iam::{persona.account}:instance-profile/?*"
        if where.startswith("new:"):
            service, _, rest = where.removeprefix("new:").partition(":")
            return f"arn:aws:{service}:*:{persona.account}:{rest}"
        return where

    def _names(self, persona: Persona, action: str, where: str) -> list[str]:
        return new_names(self.evaluator.layers(persona, action), self._template(persona, where))

    def _same_name(
        self, persona: Persona, actions: list[str], where: str, extra: Values | None
    ) -> Answer:
        names = dict.fromkeys(n for a in actions for n in self._names(persona, a, where))
        best = Answer("no")
        for name in names:
            found = joined([self.evaluator.attain(persona, a, name, extra) for a in actions])
            if found.value == "yes":
                return found
            best = found if found.value == "unknown" else best
        return best

    def _any(self, persona: Persona, action: str, extra: Values | None) -> Answer:
        """Whether some thing of the account, which nobody has read, may be acted on."""
        service = action.partition(":")[0]
        home = _ACT_ON.get(service, service)
        template = f"arn:aws:{home}:*:{persona.account}:?*"
        names = new_names(self.evaluator.layers(persona, action), template)
        found = [self.evaluator.attain(persona, action, n, extra) for n in names]
        for value in ("yes", "unknown"):
            chosen = next((f for f in found if f.value == value), None)
            if chosen is not None:
                return chosen
        return Answer("no")

    def _its_role(self, action: str, resource: str, thing: Thing | None) -> Answer:
        """What the role of the thing, and not the one who takes it over, has to be allowed."""
        roles = thing.roles if thing is not None else ()
        principals = self.evaluator.world.principals
        found = [self.evaluator.decide(principals[r].persona, action, resource)
                 for r in roles if r in principals]  # fmt: skip
        if thing is ANYTHING:
            return Answer("unknown", (), ("what the role may read",))
        return next((f for f in found if f.value == "yes"), found[0] if found else Answer("no"))

    def _user_data(self, persona: Persona, action: str) -> str:
        """The attribute that is changed, as the policies spell it."""
        layers = self.evaluator.layers(persona, action)
        told = (v for la in layers for s in (*la.allows, *la.denies) for _, k, vs in s.conditions
                for v in vs if k == "ec2:attribute")  # fmt: skip
        return next((v for v in told if v.lower() == "userdata"), "UserData")

    def one(
        self, persona: Persona, action: str, where: str, thing: Thing | None,
        extra: Values | None = None,
    ) -> Answer:  # fmt: skip
        action = action.lower()
        if action == "ec2:modifyinstanceattribute":
            extra = {**(extra or {}), "ec2:attribute": (self._user_data(persona, action),)}
        if where == "*":
            return self.evaluator.attain(persona, action, "*", extra)
        if where.startswith("its-role:"):
            return self._its_role(action, where.removeprefix("its-role:"), thing)
        if where.startswith("thing"):
            if thing is None:
                return Answer("no")
            if thing is ANYTHING:
                return self._any(persona, action, extra)
            _, _, part = where.partition(":")
            return self.evaluator.attain(
                persona, action, thing.parts.get(part, "") if part else thing.uid, extra
            )
        if where == "run-document":
            named = thing is not None and thing is not ANYTHING
            region = thing.uid.split(":")[3] if thing and named else "us-east-1"
            names = [f"arn:aws:ssm:{region}::document/{d}" for d in _ANY_DOCUMENT]
            found = [self.evaluator.attain(persona, action, n, extra) for n in names]
        else:
            found = [
                self.evaluator.attain(persona, action, n, extra)
                for n in self._names(persona, action, where)
            ]
        for value in ("yes", "unknown"):
            chosen = next((f for f in found if f.value == value), None)
            if chosen is not None:
                return chosen
        return Answer("no")
