"""classify: calls -> tasks. Learns the tasks on a sample, tells them for every call, names and types them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa

from tieraudit.config import Config
from tieraudit.domain import Recogniser, TaskType
from tieraudit.errors import InputError
from tieraudit.pipeline.task_book import Classification, read_tasks
from tieraudit.progress import Progress, Silent
from tieraudit.store import Store
from tieraudit.tasks.describe import Description, describe
from tieraudit.tasks.discovery import Cluster, Discovery
from tieraudit.tasks.fingerprint import Fingerprint
from tieraudit.tasks.identity import TAIL, resolve_merges, task_ids
from tieraudit.tasks.naming import unique
from tieraudit.tasks.sample import MIN_SUPPORT, Sampled
from tieraudit.tasks.shapes import read_answer
from tieraudit.tasks.taxonomy import Kind
from tieraudit.tasks.traits import Reader, digest

# Tasks are learned on a uniform sample of at most so many calls and so many characters of requests: what keeps the
# memory bounded whatever the log.
SAMPLE_CALLS = 60_000
SAMPLE_CHARACTERS = 200_000_000
BATCH = 5_000
NO_PROMPT = "No content"

Assigned = tuple[int, str | None]


@dataclass(slots=True)
class _Found:
    """What assigning all calls has brought: their clusters, and per template how many calls and when."""

    call_ids: list[pa.Array] = field(default_factory=list)
    clusters: list[pa.Array] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)

    def add(
        self, clusters: Sequence[Cluster], call_ids: Sequence[str], times: Sequence[float], assigned: Sequence[Assigned]
    ) -> None:
        """More calls, when each was made, and what `Discovery.assign` says of each."""
        self.put(call_ids, [cluster for cluster, _ in assigned])
        for at, (cluster, fingerprint) in zip(times, assigned, strict=True):
            key = fingerprint or clusters[cluster].key
            self.counts[key] += 1
            self.first[key] = min(at, self.first.get(key, at))
            self.last[key] = max(at, self.last.get(key, at))

    def put(self, call_ids: Sequence[str], clusters: Sequence[int]) -> None:
        """More calls, each with the number of its cluster."""
        self.call_ids.append(pa.array(call_ids, pa.string()))
        self.clusters.append(pa.array(clusters, pa.int32()))

    def table(self) -> pa.Table:
        """``call_id``, ``cluster``."""
        return pa.table(
            {
                "call_id": pa.chunked_array(self.call_ids, pa.string()),
                "cluster": pa.chunked_array(self.clusters, pa.int32()),
            }
        )


def classify(store: Store, config: Config, progress: Progress | None = None) -> Classification:
    """Find the tasks of all calls and write `tasks`, `templates` and `call_tasks`; what was there is replaced.

    Ids of tasks that still exist stay; names, merges and pins that a person set (`task_edits`) are honoured. The same
    calls and seed give the same tasks, in whatever order they were ingested. Raises `InputError` when there are no
    calls. For what was found before, without work, use `task_book.read_tasks`.
    """
    progress = progress or Silent()
    size = store.one("classify_size")
    if not size["calls"]:
        raise InputError("there are no calls in the database", hint="start with `tieraudit ingest PATH...`")
    progress.start("learning the tasks", min(size["prompts"], SAMPLE_CALLS))
    upto = _bound(size)
    sample = list(_sample(store, upto, priced=bool(size["priced"]), progress=progress))
    discovery = Discovery(sample, config.seed)
    if discovery.fingerprinter.hints.doubt:
        progress.say(discovery.fingerprinter.hints.doubt)
    progress.start("assigning calls", size["prompts"])
    found = _assign(store, discovery, upto, progress)
    clusters = [*discovery.clusters, *_without_prompt(store, found, len(discovery.clusters))]
    _write(store, discovery, clusters, found)
    return read_tasks(store)


def _bound(size: dict[str, Any]) -> str:
    """The largest call id of the sample: ids are hashes, so a share of their range is that share of the calls."""
    share = min(1.0, SAMPLE_CALLS / max(1, size["prompts"]), SAMPLE_CHARACTERS / max(1, size["characters"]))
    return str(UUID(int=min(2**128 - 1, int(share * 2**128))))


def _sample(store: Store, upto: str, *, priced: bool, progress: Progress) -> Iterator[Sampled]:
    reader = Reader()
    for batch in store.batches("classify_sample", size=BATCH, upto=upto):
        for row in batch.to_pylist():
            answer = read_answer(msgspec.json.decode(row["response"])) if row["response"] else None
            traits = reader.read(msgspec.json.decode(row["request"]), row["task_hint"])
            spend = row["spend"] if priced else 1.0
            yield Sampled(row["call_id"], row["at"], spend, traits, answer, tuple(row["tags"] or ()))
        progress.advance(batch.num_rows)


def _assign(store: Store, discovery: Discovery, upto: str, progress: Progress) -> _Found:
    """The clusters of all calls: those of the sample are known, the others are told in a stream."""
    found = _Found()
    sample = discovery.sample
    found.add(discovery.clusters, [call.call_id for call in sample], [call.at for call in sample], discovery.sampled)
    progress.advance(len(discovery.sample))
    reader = Reader()
    for batch in store.batches("classify_calls", size=BATCH, beyond=upto):
        rows = batch.to_pylist()
        traits = [reader.read(msgspec.json.decode(row["request"]), row["task_hint"]) for row in rows]
        assigned = discovery.assign(traits)
        found.add(discovery.clusters, [row["call_id"] for row in rows], [row["at"] for row in rows], assigned)
        progress.advance(batch.num_rows)
    return found


def _without_prompt(store: Store, found: _Found, first: int) -> list[Cluster]:
    """One cluster per name, tag or model of the calls whose prompt is not in the log; rare ones share one."""
    labels: dict[str, list[str]] = {}
    for batch in store.batches("classify_without_prompt"):
        for row in batch.to_pylist():
            labels.setdefault(row["label"], []).append(row["call_id"])
    common = {label: calls for label, calls in sorted(labels.items()) if len(calls) >= MIN_SUPPORT}
    if rare := [call for label, calls in sorted(labels.items()) if label not in common for call in calls]:
        common["other"] = common.get("other", []) + rare
    for number, calls in enumerate(common.values(), start=first):
        found.put(calls, [number] * len(calls))
    return [Cluster(NO_PROMPT, digest(f"{NO_PROMPT}\0{label}"), label=label) for label in common]


def _write(store: Store, discovery: Discovery, clusters: Sequence[Cluster], found: _Found) -> None:
    members = found.table()
    ids = _ids(store, clusters, found, members)
    edits = {row["task_id"]: row for row in store.rows("classify_edits")}
    merged = {task_id: row["merged_into"] for task_id, row in edits.items() if row["merged_into"]}
    final = resolve_merges(ids, {old: new for old, new in merged.items() if new in ids or new in merged})
    used = set(members["cluster"].unique().to_pylist())
    groups: dict[str, list[int]] = {}
    for number, task_id in enumerate(ids):
        if number in used:
            groups.setdefault(final[task_id], []).append(number)
    told = _describe(discovery, {task_id: _joined([clusters[n] for n in group]) for task_id, group in groups.items()})
    names = _names(told, {task_id: row["name"] for task_id, row in edits.items() if row["name"]})
    with store.transaction():
        for table in ("tasks", "templates", "call_tasks"):
            store.clear(table)
        place = pa.array([final[task_id] for task_id in ids], pa.string())
        store.insert("call_tasks", pa.table({"call_id": members["call_id"], "task_id": place.take(members["cluster"])}))
        store.insert("templates", _templates(clusters, ids, found))
        totals = {row["task_id"]: row for row in store.rows("classify_totals")}
        rows = [_task_row(task_id, names[task_id], *told[task_id], totals[task_id]) for task_id in sorted(groups)]
        store.insert("tasks", _task_table(rows))


def _ids(store: Store, clusters: Sequence[Cluster], found: _Found, members: pa.Table) -> list[str]:
    templates = [
        {key: found.counts[key] for key in (cluster.fingerprints or [cluster.key])} if cluster.kind != "tail" else {}
        for cluster in clusters
    ]
    known = {row["fingerprint"]: row["task_id"] for row in store.rows("classify_known_templates")}
    shared = store.execute_with("classify_shared_calls", members) if known else []
    return task_ids(
        [cluster.key for cluster in clusters],
        templates,
        {fingerprint: task_id for fingerprint, task_id in known.items() if task_id != TAIL},
        {(cluster, task_id): calls for cluster, task_id, calls in shared},
    )


def _joined(parts: Sequence[Cluster]) -> Cluster:
    """The clusters of one task, which are several when a person merged them: the largest leads."""
    if len(parts) == 1:
        return parts[0]
    ordered = sorted(parts, key=lambda part: (part.kind == "tail", -len(part.calls), part.key))
    joined = Cluster(ordered[0].kind, ordered[0].key, label=ordered[0].label)
    for part in ordered:
        joined.fingerprints.update(part.fingerprints)
        joined.calls += part.calls
    return joined


def _describe(discovery: Discovery, tasks: dict[str, Cluster]) -> dict[str, tuple[Cluster, Description]]:
    spoken = {task_id: cluster for task_id, cluster in tasks.items() if cluster.kind != NO_PROMPT}
    told = dict(zip(spoken, describe(discovery, list(spoken.values())), strict=True))
    silent = {
        task_id: Description(
            f"{NO_PROMPT}: {cluster.label}"[:80],
            Kind(TaskType.CHAT, 0.0, "frontier"),
            "text",
            "",
            (Recogniser("none"),),
        )
        for task_id, cluster in tasks.items()
        if cluster.kind == NO_PROMPT
    }
    return {task_id: (tasks[task_id], description) for task_id, description in {**told, **silent}.items()}


def _names(told: dict[str, tuple[Cluster, Description]], given: dict[str, str]) -> dict[str, str]:
    """A name that a person gave stays; the found names make way for it."""
    names = {task_id: given[task_id] for task_id in sorted(told) if task_id in given}
    for task_id in sorted(told):
        if task_id not in names:
            names[task_id] = unique(told[task_id][1].name, names.values())
    return names


def _templates(clusters: Sequence[Cluster], ids: Sequence[str], found: _Found) -> pa.Table:
    rows = [
        {
            "fingerprint": key,
            "task_id": task_id,
            "parts": json.dumps(_parts(fingerprint), ensure_ascii=False),
            "calls": found.counts[key],
            "first_call": datetime.fromtimestamp(found.first[key], UTC),
            "last_call": datetime.fromtimestamp(found.last[key], UTC),
        }
        for cluster, task_id in zip(clusters, ids, strict=True)
        for key, fingerprint in _templates_of(cluster).items()
        if found.counts[key]
    ]
    time = pa.timestamp("us", tz="UTC")
    kinds = {"fingerprint": pa.string(), "task_id": pa.string(), "parts": pa.string(), "calls": pa.int64()}
    return pa.Table.from_pylist(rows, pa.schema({**kinds, "first_call": time, "last_call": time}))


def _templates_of(cluster: Cluster) -> dict[str, Fingerprint | None]:
    return {**cluster.fingerprints} or {cluster.key: None}


def _parts(fingerprint: Fingerprint | None) -> dict[str, Any]:
    if fingerprint is None:
        return {}
    system = fingerprint.system
    return {
        "system": {"kind": system.kind, "digest": system.value} if system else None,
        "examples": fingerprint.shots or None,
        "prefix": " ".join(fingerprint.prefix),
        "suffix": " ".join(fingerprint.suffix),
        "tools": list(fingerprint.tools),
        "schema": fingerprint.schema,
        "has_image": fingerprint.has_image,
        "name": fingerprint.hint,
    }


def _task_row(task_id: str, name: str, cluster: Cluster, told: Description, totals: dict[str, Any]) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "name": name,
        "type": str(told.kind.type),
        "type_confidence": told.kind.confidence,
        "prior": told.kind.prior,
        "stakes": told.kind.stakes,
        "stakes_because": told.kind.stakes_because,
        "mixed": cluster.mixed,
        "is_tail": cluster.kind == "tail",
        "calls": totals["calls"],
        "spend_usd": totals["spend_usd"],
        "output_shape": told.shape,
        "template": told.template,
        "recognisers": json.dumps([asdict(rule) for rule in told.recognisers], ensure_ascii=False),
    }


def _task_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    kinds: dict[str, pa.DataType] = dict.fromkeys(rows[0], pa.string())
    kinds |= {"type_confidence": pa.float64(), "mixed": pa.bool_(), "is_tail": pa.bool_(), "calls": pa.int64()}
    kinds |= {"spend_usd": pa.decimal128(18, 9)}
    return pa.Table.from_pylist(list(rows), pa.schema(kinds))
