"""Learning from a sample of calls which parts of their prompts repeat."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from tieraudit.tasks.fingerprint import Fingerprint
from tieraudit.tasks.hints import Hints
from tieraudit.tasks.sample import MIN_SUPPORT, Sampled, minimum_support
from tieraudit.tasks.systems import SystemKeys
from tieraudit.tasks.traits import Traits
from tieraudit.tasks.users import COVERED, UserKeys, templates_within

VARIED = "*"
MANY_TOOL_SETS = 8
TOOL_SET_SHARE = 0.35
MIN_SHOTS_TURNS = 2
LONG_SHOTS_CHARS = 200
TURNS_LOOKED_AT = 400


class Fingerprinter:
    """Learns from a sample what repeats, and then tells the fingerprint of any call."""

    def __init__(self, calls: Sequence[Sampled]) -> None:
        self.support = minimum_support(len(calls))
        self.systems = SystemKeys(calls, self.support)
        self._shots = self._learn_shots(calls)
        self._users = self._learn_users(calls)
        self._tools = self._learn_tools(calls)
        self.hints = Hints([(self._plain(call.traits), call) for call in calls])

    def of(self, traits: Traits) -> Fingerprint:
        """The fingerprint of one call."""
        plain = self._plain(traits)
        hint = self.hints.settle(plain, traits.hint)
        return replace(plain, hint=hint) if hint else plain

    def _plain(self, traits: Traits) -> Fingerprint:
        words = self._words(traits)
        tools = traits.view.tools
        if tools and (tools not in self._tools[0] or words.key in self._tools[1]):
            tools = (VARIED,)
        if not (tools or traits.view.schema or traits.view.has_image):
            return words
        return replace(words, tools=tools, schema=traits.view.schema, has_image=traits.view.has_image)

    def _words(self, traits: Traits) -> Fingerprint:
        """The part of the fingerprint that is in the words of the prompt."""
        system = self.systems.key(traits.system) if traits.system is not None else None
        group = system.value if system is not None else ""
        shots = traits.shots if (group, traits.shots) in self._shots else ""
        if traits.system is None:
            user = None if shots else self._users[""].key(traits.opening_tokens)
        else:
            user = self._users[group].key(traits.user_tokens) if group in self._users else None
        prefix, suffix = user or ((), ())
        return Fingerprint(system, shots, prefix, suffix)

    def _learn_shots(self, calls: Sequence[Sampled]) -> set[tuple[str, str]]:
        """Turns before the last one that many calls share word for word are examples, not a conversation."""
        groups: dict[str, list[Sampled]] = defaultdict(list)
        for call in calls:
            system = self.systems.key(call.traits.system) if call.traits.system is not None else None
            groups[system.value if system is not None else ""].append(call)
        found: set[tuple[str, str]] = set()
        for group, members in groups.items():
            counts = Counter(call.traits.shots for call in members if _may_be_examples(call.traits, group))
            common = {shots for shots, count in counts.items() if count >= MIN_SUPPORT}
            if not group or sum(counts[shots] for shots in common) >= COVERED * len(members):
                found.update((group, shots) for shots in common)
        return found

    def _learn_users(self, calls: Sequence[Sampled]) -> dict[str, UserKeys]:
        groups: dict[str, list[Sampled]] = defaultdict(list)
        alone = []
        for call in calls:
            if call.traits.system is None:
                alone.append(call.traits.opening_tokens)
            elif (system := self.systems.key(call.traits.system)) is not None:
                groups[system.value].append(call)
        learned = {"": UserKeys(alone, minimum_support(len(calls)))}
        for group, members in groups.items():
            turns = [call.traits.user_tokens for call in sorted(members, key=_by_id)[:TURNS_LOOKED_AT]]
            if len(turns) >= 2 * MIN_SUPPORT and (within := templates_within(turns)) is not None:
                learned[group] = within
        return learned

    def _learn_tools(self, calls: Sequence[Sampled]) -> tuple[set[tuple[str, ...]], set[str]]:
        """The tool sets that repeat, and the templates under which tools vary from call to call like payload."""
        all_sets = Counter(call.traits.view.tools for call in calls)
        groups: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        for call in calls:
            if call.traits.view.tools:
                groups[self._words(call.traits).key][call.traits.view.tools] += 1
        varied = {
            group
            for group, sets in groups.items()
            if len(sets) >= MANY_TOOL_SETS and max(sets.values()) < TOOL_SET_SHARE * sets.total()
        }
        return {tools for tools, count in all_sets.items() if count >= MIN_SUPPORT}, varied


def _may_be_examples(traits: Traits, group: str) -> bool:
    """Without a system prompt, "hi" and its answer are no examples."""
    said = traits.view.shots
    return bool(said) and (bool(group) or said.count("assistant: ") >= MIN_SHOTS_TURNS or len(said) >= LONG_SHOTS_CHARS)


def _by_id(call: Sampled) -> str:
    return call.call_id
