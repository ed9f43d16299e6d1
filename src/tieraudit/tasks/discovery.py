"""The tasks of a log: learned on a sample, then told for every call."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from tieraudit.tasks.chat import FEWEST_CALLS, Topics
from tieraudit.tasks.fingerprint import Fingerprint
from tieraudit.tasks.learner import Fingerprinter
from tieraudit.tasks.masking import VARIES, tokens
from tieraudit.tasks.merge import Merger, Template
from tieraudit.tasks.sample import MIN_SUPPORT, Sampled, Span
from tieraudit.tasks.shapes import labels_of, shape_of
from tieraudit.tasks.traits import Traits, digest, split_pieces

TAIL_SHARE = 0.2
SECONDS_PER_DAY = 86_400


@dataclass(slots=True)
class Cluster:
    """One task as it was found. ``kind``: ``template``, ``settings`` (known by tools, schema or logged name alone),
    ``chat`` (one topic of template-less calls) or ``tail``. ``key`` is its most frequent fingerprint's.
    """

    kind: str
    key: str
    fingerprints: dict[str, Fingerprint] = field(default_factory=dict)
    calls: list[Sampled] = field(default_factory=list)
    label: str = ""

    @property
    def mixed(self) -> bool:
        """Whether the calls are only roughly of one kind."""
        return self.kind != "template"


class Discovery:
    """Learns the clusters of a sample; `assign` tells them for any call of the same log.

    Same sample, same clusters, whatever its order. ``clusters`` ends with the tail, which may be empty; ``sample`` is
    in the order of call ids, and ``sampled`` is what `assign` says of it.
    """

    def __init__(self, calls: Sequence[Sampled], seed: int) -> None:
        self.sample = sorted(calls, key=lambda call: call.call_id)
        self.fingerprinter = Fingerprinter(self.sample)
        fingerprints = [self.fingerprinter.of(call.traits) for call in self.sample]
        self._place: dict[str, int] = {}
        self.clusters: list[Cluster] = []
        self._merger = self._learn_templates(fingerprints)
        rest = self._learn_settings(fingerprints)
        self._topics = self._learn_topics([self.sample[place] for place in rest], seed)
        self.tail = len(self.clusters)
        self.clusters.append(Cluster("tail", "tail", label="Tail"))
        self.sampled = self._assign([call.traits for call in self.sample], fingerprints)
        for call, (place, _) in zip(self.sample, self.sampled, strict=True):
            self.clusters[place].calls.append(call)

    def assign(self, traits: Sequence[Traits]) -> list[tuple[int, str | None]]:
        """The number of each call's cluster, and the key of its fingerprint where it is one of the cluster's own."""
        return self._assign(traits, [self.fingerprinter.of(one) for one in traits])

    def _assign(self, traits: Sequence[Traits], prints: Sequence[Fingerprint]) -> list[tuple[int, str | None]]:
        keys = [fingerprint.key for fingerprint in prints]
        found = [self._place.get(key) for key in keys]
        left = [place for place, cluster in enumerate(found) if cluster is None]
        resolved = self._resolve([traits[place] for place in left], [prints[place] for place in left])
        for place, cluster in zip(left, resolved, strict=True):
            found[place] = cluster
        return [
            (self.tail if cluster is None else cluster, key if key in self._place else None)
            for cluster, key in zip(found, keys, strict=True)
        ]

    def _resolve(self, traits: Sequence[Traits], prints: Sequence[Fingerprint]) -> list[int | None]:
        """Calls whose fingerprint is unknown: the nearest template, else tools, schema or name, else the topic."""
        found = self._nearest(traits, prints)
        for place, fingerprint in enumerate(prints):
            if found[place] is None and not fingerprint.bare:
                found[place] = self._place.get(fingerprint.unworded().key)
        left = [place for place, cluster in enumerate(found) if cluster is None]
        if self._topics is not None and left:
            first, topics = self._topics
            for place, topic in zip(left, topics.of([_user_words(traits[p]) for p in left]), strict=True):
                found[place] = first + topic
        return found

    def _nearest(self, traits: Sequence[Traits], fingerprints: Sequence[Fingerprint]) -> list[int | None]:
        if self._merger is None:
            return [None] * len(traits)
        return self._merger.nearest([one.words for one in traits], fingerprints)

    def _learn_templates(self, fingerprints: Sequence[Fingerprint]) -> Merger | None:
        members: dict[str, list[int]] = defaultdict(list)
        for place, fingerprint in enumerate(fingerprints):
            if fingerprint.worded:
                members[fingerprint.key].append(place)
        templates = [
            self._template(fingerprints[places[0]], [self.sample[place] for place in places])
            for _, places in sorted(members.items())
            if len(places) >= self._needed(fingerprints[places[0]])
        ]
        if not templates:
            return None
        times = [call.at for call in self.sample]
        merger = Merger(templates, (max(times) - min(times)) / SECONDS_PER_DAY)
        for cluster in merger.clusters:
            inside = sorted(
                (templates[place] for place in cluster), key=lambda item: (-item.calls, item.fingerprint.key)
            )
            keys = {item.fingerprint.key: item.fingerprint for item in inside}
            self._place.update(dict.fromkeys(keys, len(self.clusters)))
            self.clusters.append(Cluster("template", inside[0].fingerprint.key, keys))
        return merger

    def _needed(self, fingerprint: Fingerprint) -> int:
        """A prompt that is the same word for word needs no chance-proof support."""
        stable = fingerprint.shots or (fingerprint.system is not None and fingerprint.system.stable)
        return MIN_SUPPORT if stable and not fingerprint.prefix else self.fingerprinter.support

    def _learn_settings(self, fingerprints: Sequence[Fingerprint]) -> list[int]:
        """Clusters by tools, schema or logged name among calls whose words are unknown; returns who is left."""
        unknown = [place for place, fingerprint in enumerate(fingerprints) if fingerprint.key not in self._place]
        near = self._nearest([self.sample[p].traits for p in unknown], [fingerprints[p] for p in unknown])
        left = [place for place, cluster in zip(unknown, near, strict=True) if cluster is None]
        plain = {place: fingerprints[place].unworded() for place in left}
        counts = Counter(item.key for item in plain.values() if not item.bare)
        known = {item.key: item for item in plain.values()}
        for key, count in sorted(counts.items()):
            if count >= self.fingerprinter.support:
                self._place[key] = len(self.clusters)
                self.clusters.append(Cluster("settings", key, {key: known[key]}))
        return [place for place in left if plain[place].key not in self._place]

    def _learn_topics(self, calls: Sequence[Sampled], seed: int) -> tuple[int, Topics] | None:
        spend = sum(call.spend for call in self.sample)
        if len(calls) < FEWEST_CALLS or sum(call.spend for call in calls) <= TAIL_SHARE * spend:
            return None
        turns = [_user_words(call.traits) for call in calls]
        if sum(1 for turn in turns if turn) < FEWEST_CALLS:
            return None
        topics = Topics(turns, seed)
        first = len(self.clusters)
        for terms in map(topics.terms, range(len(topics))):
            said = " ".join(terms)
            self.clusters.append(Cluster("chat", digest(f"chat {said}"), label=f"Chat: {said}"))
        return first, topics

    def _template(self, fingerprint: Fingerprint, calls: Sequence[Sampled]) -> Template:
        answers = [call.answer for call in calls if call.answer is not None]
        system = calls[0].traits.system
        texts = self.fingerprinter.systems.parts(system) if system is not None and fingerprint.system else []
        known = dict(zip(system.pieces, split_pieces(system.loose_text), strict=True)) if system is not None else {}
        words = [
            *tokens(" ".join(texts).replace(VARIES, " ")),
            *tokens(calls[0].traits.view.shots if fingerprint.shots else ""),
        ]
        return Template(
            fingerprint=fingerprint,
            calls=len(calls),
            words=(*words, *fingerprint.prefix, *fingerprint.suffix),
            span=Span.of([call.at for call in calls]),
            shape=shape_of(answers),
            answer_words=median([answer.words for answer in answers]) if answers else 0,
            labels=tuple(labels_of(answers)),
            piece_words={piece: len(text.split()) for piece, text in known.items()},
        )


def _by_calls(template: Template) -> tuple[int, str]:
    return -template.calls, template.fingerprint.key


def _user_words(traits: Traits) -> list[str]:
    head, tail = traits.user_tokens
    return [*head, *reversed(tail)]
