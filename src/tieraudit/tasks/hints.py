"""The caller's own names for tasks: used when they agree with the prompts, doubted when they do not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tieraudit.tasks.fingerprint import Fingerprint
from tieraudit.tasks.masking import mask_payload
from tieraudit.tasks.sample import MIN_SUPPORT, Sampled
from tieraudit.tasks.shapes import Answer, alike, labels_of, same_labels, shape_of

AGREE = 0.95
USED = 0.9
WORTH_SAYING = 0.01


class Hints:
    """Which logged names agree with the prompts, learned on pairs of fingerprint (without a name) and call.

    A name is coarse when nearly all of its calls lie in templates that carry hardly another name: then it belongs to
    the template. It is fine when nearly all of its calls lie in one template (or in none) whose other names answer in
    another shape or with other labels: then it splits the template. When less than 90 % of the named calls carry a
    name of either sort, no name is used and `doubt` says so.
    """

    def __init__(self, calls: Sequence[tuple[Fingerprint, Sampled]]) -> None:
        named: dict[str, dict[str, list[Answer | None]]] = defaultdict(lambda: defaultdict(list))
        bare: set[str] = set()
        for plain, call in calls:
            if call.traits.hint:
                named[plain.key][generalise(call.traits.hint)].append(call.answer)
            if not plain.worded:
                bare.add(plain.key)
        totals = Counter({name: 0 for names in named.values() for name in names})
        for names in named.values():
            totals.update({name: len(answers) for name, answers in names.items()})
        self._coarse = _coarse(named, totals, bare)
        fine = _fine(named, totals, bare)
        self._fine = fine - set(self._coarse.values())
        sure = self._fine | set(self._coarse.values())
        agreeing = sum(count for name, count in totals.items() if name in sure)
        self.doubt = ""
        if agreeing < USED * totals.total():
            self._coarse, self._fine = {}, set()
            if totals.total() >= WORTH_SAYING * len(calls) and len(totals) > 1:
                self.doubt = (
                    f"the log's own task names are not used: only {agreeing / totals.total():.0%} of the named calls "
                    "carry a name that agrees with their prompt"
                )

    def settle(self, plain: Fingerprint, hint: str | None) -> str | None:
        """The name under which a call with this fingerprint is grouped; None when names do not help."""
        if hint and (name := generalise(hint)) in self._fine:
            return name
        return self._coarse.get(plain.key) if self._coarse else None


def generalise(hint: str) -> str:
    """A logged name without its run numbers and dates."""
    return mask_payload(hint.strip())[:120]


def _coarse(named: dict[str, dict[str, list[Answer | None]]], totals: Counter[str], bare: set[str]) -> dict[str, str]:
    """Template -> the name that nearly all of its named calls carry, for names that lie in such templates only."""
    owner: dict[str, str] = {}
    inside: Counter[str] = Counter()
    for key, names in named.items():
        name = min(names, key=lambda item: (-len(names[item]), item))
        if key not in bare and len(names[name]) >= AGREE * sum(map(len, names.values())):
            owner[key] = name
            inside[name] += len(names[name])
    return {key: name for key, name in owner.items() if inside[name] >= AGREE * totals[name]}


def _fine(named: dict[str, dict[str, list[Answer | None]]], totals: Counter[str], bare: set[str]) -> set[str]:
    found: set[str] = set()
    for key, names in named.items():
        inside = [
            name for name, answers in sorted(names.items()) if len(answers) >= max(MIN_SUPPORT, AGREE * totals[name])
        ]
        if key in bare or _answer_differently([names[name] for name in inside]):
            found.update(inside)
    return found


def _answer_differently(groups: Sequence[Sequence[Answer | None]]) -> bool:
    answers = [[answer for answer in group if answer is not None] for group in groups]
    shapes = [shape_of(group) for group in answers]
    labels = [labels_of(group) for group in answers]
    return any(
        not alike(shapes[0], shape) or not same_labels(labels[0], label)
        for shape, label in zip(shapes[1:], labels[1:], strict=True)
    )
