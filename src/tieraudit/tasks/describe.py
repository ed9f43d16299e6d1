"""What is told of each task: shape, type, stakes, name, the template as a person reads it, and recognisers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tieraudit.domain import Recogniser, TaskType
from tieraudit.tasks.discovery import Cluster, Discovery
from tieraudit.tasks.fingerprint import Fingerprint
from tieraudit.tasks.masking import VARIES, mask_payload, token_spans
from tieraudit.tasks.naming import name_tasks
from tieraudit.tasks.recognise import Known, recognisers
from tieraudit.tasks.sample import Sampled
from tieraudit.tasks.shapes import shape_of
from tieraudit.tasks.taxonomy import Kind, kind_of

TEMPLATE_CHARS = 20_000
SHARE_OF_TOOL = 0.05
CONSISTENT = 0.95
TEMPLATES_LOOKED_AT = 3


@dataclass(frozen=True, slots=True)
class Description:
    """One task in words and rules. ``template`` has «…» or a mark such as «date» where prompts vary."""

    name: str
    kind: Kind
    shape: str
    template: str
    recognisers: tuple[Recogniser, ...]


def describe(discovery: Discovery, clusters: Sequence[Cluster]) -> list[Description]:
    """Describe clusters of one discovery (possibly joined by a person) from their sampled calls."""
    templates = [_template(discovery, cluster) for cluster in clusters]
    rules = recognisers([_known(discovery, cluster) for cluster in clusters])
    hints = [_hint(cluster, found) for cluster, found in zip(clusters, rules, strict=True)]
    names = name_tasks([_spoken(template) for template in templates], hints)
    found = []
    for cluster, name, template, recogniser in zip(clusters, names, templates, rules, strict=True):
        shape = shape_of([call.answer for call in cluster.calls if call.answer is not None])
        kind = _kind(cluster, shape, template)
        rule = (Recogniser("none"),) if cluster.kind == "tail" else recogniser
        found.append(Description(name, kind, shape, template[:TEMPLATE_CHARS], rule))
    return found


def _kind(cluster: Cluster, shape: str, template: str) -> Kind:
    if cluster.kind in ("chat", "tail"):
        return Kind(TaskType.CHAT, 0.3, "mid", None, None)
    past = sum(1 for call in cluster.calls if call.traits.view.shots) >= 0.5 * len(cluster.calls)
    return kind_of(shape, _spoken(template), _tools(cluster.calls), conversational=past)


def _tools(calls: Sequence[Sampled]) -> list[str]:
    """The tools that more than a few of the calls offer."""
    counts: dict[str, int] = {}
    for call in calls:
        for tool in call.traits.view.tools:
            counts[tool] = counts.get(tool, 0) + 1
    return sorted(tool for tool, count in counts.items() if count >= SHARE_OF_TOOL * len(calls))


def _hint(cluster: Cluster, rules: Sequence[Recogniser]) -> str | None:
    """A tag that stands for this task and no other; or what a task without words is known by."""
    for rule in rules:
        if rule.kind == "tag" and (rule.precision or 0) >= CONSISTENT and (rule.recall or 0) >= CONSISTENT:
            return str(rule.value)
    if cluster.kind in ("tail", "chat"):
        return cluster.label
    if cluster.kind == "settings":
        fingerprint = next(iter(cluster.fingerprints.values()))
        said = fingerprint.hint or fingerprint.schema or " ".join(["call", *_tools(cluster.calls)[:2]])
        return said.split("(")[0] if len(said.split()) > 1 or fingerprint.hint else f"fill {said.split('(')[0]}"
    return None


def _spoken(template: str) -> str:
    """The template without the headings that `_template` sets."""
    return "\n".join(line for line in template.splitlines() if line not in ("[system]", "[examples]", "[user]"))


def _known(discovery: Discovery, cluster: Cluster) -> Known:
    fingerprints = list(cluster.fingerprints.values())
    literals: list[str] = []
    for _, call in _representatives(discovery, cluster):
        if call.traits.system is not None:
            parts = discovery.fingerprinter.systems.parts(call.traits.system)
            literals += [literal for part in parts for literal in _literals(part)]
    return Known(
        calls=cluster.calls,
        system_literals=literals,
        user_openings=[item.prefix for item in fingerprints if item.prefix],
        user_closings=[item.suffix for item in fingerprints if item.suffix],
    )


def _literals(part: str) -> list[str]:
    return [text for chunk in part.split("«") if (text := chunk.split("»", 1)[-1].strip())]


def _representatives(discovery: Discovery, cluster: Cluster) -> list[tuple[Fingerprint, Sampled]]:
    """One call of each of the cluster's most frequent templates."""
    wanted = list(cluster.fingerprints.items())[:TEMPLATES_LOOKED_AT]
    found: dict[str, Sampled] = {}
    for call in cluster.calls:
        found.setdefault(discovery.fingerprinter.of(call.traits).key, call)
        if all(key in found for key, _ in wanted):
            break
    return [(fingerprint, found[key]) for key, fingerprint in wanted if key in found]


def _template(discovery: Discovery, cluster: Cluster) -> str:
    """The most frequent template of the cluster, part by part."""
    chosen = _representatives(discovery, cluster)[:1]
    if not chosen:
        return ""
    fingerprint, call = chosen[0]
    shown = []
    if fingerprint.system is not None and call.traits.system is not None:
        shown += ["[system]", discovery.fingerprinter.systems.skeleton(call.traits.system)]
    if fingerprint.shots:
        shown += ["[examples]", call.traits.view.shots]
    return "\n".join([*shown, "[user]", _user_template(fingerprint, call)])


def _user_template(fingerprint: Fingerprint, call: Sampled) -> str:
    opening = _cut(call.traits.user[0], len(fingerprint.prefix), from_end=False)
    closing = _cut(_end(call), len(fingerprint.suffix), from_end=True)
    return " ".join(part for part in (opening, VARIES, closing) if part)


def _end(call: Sampled) -> str:
    head, tail = call.traits.user
    return tail or head


def _cut(text: str, count: int, *, from_end: bool) -> str:
    masked = mask_payload(text)
    spans = token_spans(masked)
    if not count or len(spans) < count:
        return ""
    return masked[spans[-count][0] :] if from_end else masked[: spans[count - 1][1]]
