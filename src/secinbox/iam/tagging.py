"""Tags that a principal writes before it asks: a condition on such a tag stops nobody.

P7 of the archetypes ("lift a guardrail"): conditions on `aws:PrincipalTag/...`, `aws:ResourceTag/...`
and their kin are asked again with the tags that the principal may set or take away, on itself and on
the thing that it acts on. Tags of sessions are the caller's of `sts:AssumeRole`, not of the role.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from secinbox.iam.conditions import expand
from secinbox.iam.policy import VARIABLE, Statement
from secinbox.iam.request import ANY_NAME, Values
from secinbox.iam.telling import MANY, MOST_VALUES, Changed, told_apart
from secinbox.iam.world import Persona

if TYPE_CHECKING:
    from secinbox.iam.evaluate import Answer, Evaluator

# Where the two actions are not called TagResource and UntagResource.
_IAM = {
    kind: (f"iam:tag{word}", f"iam:untag{word}")
    for kind, word in (("user", "user"), ("role", "role"), ("policy", "policy"),
                       ("instance-profile", "instanceprofile"), ("mfa", "mfadevice"),
                       ("oidc-provider", "openidconnectprovider"),
                       ("saml-provider", "samlprovider"))
}  # fmt: skip
_OTHERWISE = {
    "ec2": ("ec2:createtags", "ec2:deletetags"),
    "rds": ("rds:addtagstoresource", "rds:removetagsfromresource"),
    "ssm": ("ssm:addtagstoresource", "ssm:removetagsfromresource"),
    "sagemaker": ("sagemaker:addtags", "sagemaker:deletetags"),
    "elasticmapreduce": ("elasticmapreduce:addtags", "elasticmapreduce:removetags"),
    "autoscaling": ("autoscaling:createorupdatetags", "autoscaling:deletetags"),
    "cloudformation": ("cloudformation:tagresource", "cloudformation:untagresource"),
    "sqs": ("sqs:tagqueue", "sqs:untagqueue"),
    "redshift": ("redshift:createtags", "redshift:deletetags"),
    # A project bears the tags that it is updated with.
    "codebuild": ("codebuild:updateproject", "codebuild:updateproject"),
}


@dataclass(frozen=True, eq=False)
class Tagged(Statement):
    """The statement that allows what is done before. `words`: what that is, "sets the tag a=b on role/x"."""

    words: str = ""


@dataclass(frozen=True, eq=False)
class Rewrite:
    """Tags written beforehand: the condition keys that have other values then, and what allows it."""

    values: Values
    statements: tuple[Statement, ...]
    certain: bool = True


@dataclass(frozen=True)
class Rewrites:
    """What may be written, the fewest tags first."""

    changed: Changed[Rewrite]

    def __iter__(self) -> Iterator[Rewrite]:
        for chosen in self.changed:
            values: Values = {}
            for one in chosen:
                values.update(one.values)
            yield Rewrite(values, tuple(s for c in chosen for s in c.statements),
                          all(c.certain for c in chosen))  # fmt: skip

    def judged(self, best: Answer) -> Answer:
        """The answer after all were tried: a no is unknown where some were not."""
        if best.value == "no" and not self.changed.whole:
            return replace(best, value="unknown", doubts=(f"tags that it may write: {MANY}",))
        return best


def speaks_of_tags(statements: Iterable[Statement]) -> bool:
    """Some condition or variable hangs on a tag of a principal or of a resource."""
    return any("tag/" in name for s in statements for name in s.names)


class Tagging:
    """What principals may write on themselves and on things."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._asked: set[tuple[int, str, str]] = set()

    def rewrites(
        self, persona: Persona, resource: str, statements: Iterable[Statement], base: Values
    ) -> Rewrites:
        """Each combination of tags that the statements can tell apart and the principal may write."""
        speaking = list(statements)
        choices: list[list[Rewrite]] = []
        cut = False
        for target, key, names in self._written(persona, resource, speaking):
            if target in self.evaluator.world.estate.items:
                values = self._values(persona, target, key, names, resource, speaking, base)
                cut = cut or len(values) > MOST_VALUES
                found = list(self._options(persona, target, key, names, values[:MOST_VALUES]))
                if found:
                    choices.append(found)
        return Rewrites(Changed(choices, cut))

    def _written(
        self, persona: Persona, resource: str, speaking: list[Statement]
    ) -> list[tuple[str, str, tuple[str, ...]]]:
        """(what bears the tag, the tag's key in lower case, condition keys that show it)."""
        out: dict[tuple[str, str], tuple[str, ...]] = {}
        service = resource.split(":")[2] if resource.count(":") >= 5 else ""
        # What a session was given stands above the role's own tag of the same name.
        given = {k.lower() for k, _ in persona.session_tags} | set(persona.unknown_tags)
        shown = ("aws:resourcetag/", f"{service}:resourcetag/",
                 *(("ssm:resourcetag/",) if service == "ec2" else ()))  # fmt: skip
        for statement in speaking:
            for name in sorted(statement.names):
                prefix, slash, key = name.partition("tag/")
                if not slash:
                    continue
                if f"{prefix}tag/" == "aws:principaltag/":
                    if key in given:
                        continue
                    found = (persona.arn, key), (name,)
                elif f"{prefix}tag/" in shown:
                    found = (resource, key), tuple(p + key for p in shown)
                else:
                    continue
                # Who acts on itself is both: one write changes all of these keys.
                out[found[0]] = tuple(dict.fromkeys((*out.get(found[0], ()), *found[1])))
        return [(target, key, names) for (target, key), names in out.items()]

    def _values(
        self, persona: Persona, target: str, key: str, names: tuple[str, ...], resource: str,
        speaking: list[Statement], base: Values,
    ) -> list[str]:  # fmt: skip
        """Values of the tag that make a difference, to what is asked or to the right to write it."""
        layers = self.evaluator.layers(persona, _actions(target)[0])
        writing = [s for la in layers for s in (*la.allows, *la.denies)]
        asked = f"aws:requesttag/{key}"
        allowed = (
            v.replace("*", "x").replace("?", "x") for s in writing for _, k, vs in s.conditions
            for v in vs if k == asked and "${" not in v
        )  # fmt: skip
        wanted = dict.fromkeys((*_wanted(names, resource, speaking, base), *allowed))
        apart = told_apart([(v,) for v in wanted], (*names, asked), [*speaking, *writing])
        return [v[0] for v in apart if v]

    def _options(
        self, persona: Persona, target: str, key: str, names: tuple[str, ...], values: list[str]
    ) -> Iterator[Rewrite]:
        actions = _actions(target)
        for value in values:
            given = self._may(persona, actions[0], target, key, value)
            if given is not None:
                words = f"sets the tag {key}={value} on {_short(target)}"
                yield _rewrite(dict.fromkeys(names, (value,)), given, words)
        given = self._may(persona, actions[1], target, key, None)
        if given is not None:
            words = f"takes the tag {key} off {_short(target)}"
            yield _rewrite(dict.fromkeys(names), given, words)

    def _may(self, persona: Persona, action: str, target: str, key: str, value: str | None
             ) -> Answer | None:  # fmt: skip
        evaluator = self.evaluator
        layers = evaluator.layers(persona, action)
        if not layers[0].allows:
            return None
        extra: Values = {
            "aws:tagkeys": (_spelled(key, (s for la in layers for s in (*la.allows, *la.denies))),),
            # Only a call that makes something bears the name of that call.
            "ec2:createaction": None,
        }
        # Who takes a tag off names its key only.
        extra |= {n: None for la in layers for s in (*la.allows, *la.denies) for n in s.names
                  if value is None and n.startswith("aws:requesttag/")}  # fmt: skip
        if value is not None:
            extra[f"aws:requesttag/{key}"] = (value,)
        asked = (id(persona), action, target)
        if asked in self._asked:  # the right to write a tag may itself hang on a tag
            found = evaluator.decide(persona, action, target, extra)
        else:
            self._asked.add(asked)
            try:
                found = evaluator.attain(persona, action, target, extra)
            finally:
                self._asked.discard(asked)
        return found if found.value != "no" else None


def _rewrite(values: Values, given: Answer, words: str) -> Rewrite:
    allowing = next((s for s in given.statements if s.effect == "Allow"), Statement("Allow"))
    told = Tagged(**{f.name: getattr(allowing, f.name) for f in fields(Statement)}, words=words)
    first = tuple(s for s in given.statements if isinstance(s, Tagged))
    return Rewrite(values, (*first, told), given.value == "yes")


def _actions(target: str) -> tuple[str, str]:
    _, _, service, _, _, rest = target.split(":", 5)
    if service == "iam":
        return _IAM.get(rest.partition("/")[0], ("iam:tagresource", "iam:untagresource"))
    return _OTHERWISE.get(service, (f"{service}:tagresource", f"{service}:untagresource"))


def _wanted(names: tuple[str, ...], resource: str, speaking: list[Statement], base: Values
            ) -> Iterator[str]:  # fmt: skip
    """Values of the tag that a condition asks for, and one that nobody mentions."""
    out: dict[str, None] = {}
    for statement in speaking:
        for _, key, values in statement.conditions:
            for value in values:
                if key in names:
                    filled = expand(value, base) if statement.variables else value
                    if filled is not None:
                        out[filled.replace("*", "x").replace("?", "x")] = None
                elif statement.variables and "${" in value:
                    found = VARIABLE.fullmatch(value.strip())
                    if found and found.group(1).lower() in names:
                        out.update(dict.fromkeys(base.get(key) or ()))
        for pattern in statement.resources or () if statement.variables else ():
            part = _filled_by(pattern, resource, names)
            if part:
                out[part] = None
    out[ANY_NAME] = None
    if any(
        VARIABLE.search(v) for s in speaking if s.variables for _, _, vs in s.conditions for v in vs
    ):
        # Tags that are compared with each other: what one may be, the other may have to be.
        out.update((v, None) for s in speaking for _, k, vs in s.conditions for v in vs
                   if "tag/" in k and "${" not in v)  # fmt: skip
    return iter(out)


def _filled_by(pattern: str, resource: str, names: tuple[str, ...]) -> str | None:
    """What the variable must stand for so that the pattern covers the resource."""
    found = VARIABLE.search(pattern)
    if found is None or found.group(1).lower() not in names:
        return None
    before, after = pattern[: found.start()], pattern[found.end() :]
    if "${" in after:
        return None
    parts = [re.escape(t).replace(r"\*", ".*").replace(r"\?", ".") for t in (before, after)]
    hit = re.fullmatch(f"{parts[0]}([^:]*?){parts[1]}", resource, re.DOTALL)
    return hit.group(1) if hit else None


def _spelled(key: str, statements: Iterable[Statement]) -> str:
    """The tag's key as the conditions on `aws:TagKeys` write it: its case counts there."""
    for statement in statements:
        for _, name, values in statement.conditions:
            if name == "aws:tagkeys":
                for value in values:
                    if value.lower() == key:
                        return value
    return key


def _short(arn: str) -> str:
    return arn.split(":", 5)[-1]


def words_of(statements: Iterable[Statement]) -> str:
    """What is written beforehand, in words; "" for nothing."""
    return " and ".join(dict.fromkeys(s.words for s in statements if isinstance(s, Tagged)))


def uncertain(answer: Answer, rewrite: Rewrite) -> Answer:
    """An answer that hangs on a tag which perhaps cannot be written is no more than unknown."""
    if answer.value == "yes" and not rewrite.certain:
        return replace(answer, value="unknown", doubts=("whether the tag may be written",))
    return answer
