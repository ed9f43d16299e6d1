"""Stable ids: a task that was there before keeps its id, whatever was added to the log and in whatever order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

TAIL = "tail"
SHORTEST = 8


def task_ids(
    keys: Sequence[str],
    templates: Sequence[Mapping[str, int]],
    known: Mapping[str, str],
    shared_calls: Mapping[tuple[int, str], int],
) -> list[str]:
    """One id a cluster, all different.

    ``keys`` are the clusters' most frequent fingerprints, ``templates`` all of theirs with the calls that carry each.
    A cluster takes the id of the earlier task (``known``: fingerprint -> id) with which it shares the most calls by
    equal fingerprints; else of the one that held most of the same calls (``shared_calls``: calls per cluster and
    earlier id), because a fingerprint can change when more of the log is known; else ``t-`` and its key's first digits.
    """
    by_template: Counter[tuple[int, str]] = Counter()
    for number, counts in enumerate(templates):
        for fingerprint, calls in counts.items():
            if fingerprint in known:
                by_template[number, known[fingerprint]] += calls
    ids = _match(by_template, {})
    ids = _match(Counter({pair: calls for pair, calls in shared_calls.items() if pair[1] != TAIL}), ids)
    taken = set(ids.values()) | set(known.values())
    for number, key in enumerate(keys):
        if number not in ids:
            ids[number] = TAIL if key == TAIL else _fresh(key, taken)
            taken.add(ids[number])
    return [ids[number] for number in range(len(keys))]


def resolve_merges(ids: Iterable[str], merged_into: Mapping[str, str]) -> dict[str, str]:
    """Where each id goes when a person has merged tasks, through chains; a ring of merges stays where it began."""
    found = {}
    for start in ids:
        seen = {start}
        here = start
        while (there := merged_into.get(here)) is not None and there not in seen:
            seen.add(there)
            here = there
        found[start] = here
    return found


def _match(shared: Counter[tuple[int, str]], ids: dict[int, str]) -> dict[int, str]:
    """Pair clusters with earlier ids, those that share the most calls first."""
    ids = dict(ids)
    taken = set(ids.values())
    for (number, task_id), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if number not in ids and task_id not in taken:
            ids[number] = task_id
            taken.add(task_id)
    return ids


def _fresh(key: str, taken: set[str]) -> str:
    length = SHORTEST
    while (found := f"t-{key[:length]}") in taken and length < len(key):
        length += 2
    return found
