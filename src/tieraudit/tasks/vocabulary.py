"""Words that say which work a prompt wants, read from words.toml; verbs in every inflection that prompts use."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

_LISTS = tomllib.loads((files("tieraudit.tasks") / "words.toml").read_text(encoding="utf-8"))


def word_list(name: str) -> frozenset[str]:
    """The list ``name`` of words.toml."""
    return frozenset(_LISTS[name].split())


def phrases(name: str) -> str:
    """The list ``name`` as alternatives of a regex, longest first; ``_`` stands for a blank."""
    found = sorted(word_list(name), key=lambda phrase: (-len(phrase), phrase))
    return "|".join(re.escape(phrase).replace("_", "[ _]?") for phrase in found)


def _inflections(verb: str) -> list[str]:
    """ "extract" -> extract, extracts, extracting; "classify" -> classifies; "tag" -> tagging."""
    if re.search(r"[^aeiou]y$", verb):
        return [verb, f"{verb[:-1]}ies", f"{verb}ing"]
    third = f"{verb}es" if re.search(r"(?:s|sh|ch|x|z)$", verb) else f"{verb}s"
    doubles = re.fullmatch(r"[^aeiou]*[aeiou][bgmnpt]", verb)
    return [verb, third, f"{verb}{verb[-1]}ing" if doubles else f"{verb.removesuffix('e')}ing"]


# Capitalised words that change the work when they change: never taken for a name.
WORK_WORDS = word_list("work")
BASE_FORM = {form: verb for verb in _LISTS["verbs"].split() for form in _inflections(verb)}
# Verbs that say how to answer rather than what to do.
WEAK_VERBS = word_list("weak_verbs")
STOP_WORDS = word_list("stop")
