"""Which spans of one trace are calls of a model: the innermost of those that tell of the same call.

An application's own span, its framework's and its provider library's may all describe one call. The innermost counts;
what it lacks (a prompt, the name of the task) is taken from those around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from tieraudit.domain import JsonObject
from tieraudit.errors import Rejected
from tieraudit.formats.dialects import read_span
from tieraudit.formats.dialects.reading import Kind, Reading

MODEL_KINDS = (Kind.CALL, Kind.OUTER)
DEEP = 200
# What a span says for all that is inside it.
NAMES = ("conversation_id", "user_id", "hints", "tags", "metadata")


@dataclass(slots=True, eq=False)
class Node:
    """A span in its trace. ``below`` are the nearest calls inside it, and whether an agent or tool stands between."""

    span: JsonObject
    at: int
    reading: Reading
    parent: Node | None = None
    around: Node | None = None
    below: list[tuple[Node, bool]] = field(default_factory=list)
    wraps: bool = False
    copy_of: Node | None = None
    unreadable: str | None = None

    @property
    def is_call(self) -> bool:
        """True for a call of its own."""
        return self.reading.kind in MODEL_KINDS and not self.wraps and self.copy_of is None


def build(spans: Sequence[JsonObject]) -> list[Node]:
    """The spans as nodes, in their order, with wrappers and copies marked and calls completed from around them."""
    nodes = [_node(span, at) for at, span in enumerate(spans)]
    by_id: dict[str, Node] = {}
    for node in nodes:
        if isinstance(name := node.span.get("span"), str):
            by_id.setdefault(name, node)
    for node in nodes:
        node.parent = next((by_id[step] for step in node.span.get("above") or () if step in by_id), None)
    calls = [node for node in nodes if node.reading.kind in MODEL_KINDS]
    for node in calls:
        _hang(node)
    for node in calls:
        node.wraps = _wraps(node)
    _mark_copies([node for node in calls if not node.wraps])
    for node in calls:
        if node.is_call:
            _complete(node)
    return nodes


def _node(span: JsonObject, at: int) -> Node:
    try:
        return Node(span, at, read_span(span))
    except Rejected as reason:
        return Node(span, at, Reading(kind=Kind.OTHER), unreadable=reason.message)


def _ancestors(node: Node) -> Iterator[Node]:
    seen = {id(node)}
    at = node.parent
    while at is not None and id(at) not in seen and len(seen) < DEEP:
        seen.add(id(at))
        yield at
        at = at.parent


def _hang(node: Node) -> None:
    between = False
    for above in _ancestors(node):
        if above.reading.kind in MODEL_KINDS:
            if above.span.get("span") != node.span.get("span"):
                node.around = above
                above.below.append((node, between))
            return
        between = True


def _wraps(node: Node) -> bool:
    """True when a call below ``node`` is the call that ``node`` tells of, or its calls add up to it."""
    if not node.below:
        return False
    if node.reading.kind is Kind.OUTER or any(_same(node.reading, inner.reading) for inner, _ in node.below):
        return True
    near = [inner.reading for inner, between in node.below if not between]
    if not near:
        return False
    spent = _tokens(node.reading)
    counted = [tokens for reading in near if (tokens := _tokens(reading)) is not None]
    if spent is None or not counted:
        return not _apart(node.reading, near[0])
    return spent == tuple(map(sum, zip(*counted, strict=True)))


def _same(one: Reading, other: Reading) -> bool:
    if one.response_id and other.response_id:
        return one.response_id == other.response_id
    tokens = _tokens(one)
    return tokens is not None and tokens == _tokens(other) and not _apart(one, other)


def _apart(one: Reading, other: Reading) -> bool:
    """True when both name an answer and these differ, or the kinds of call do."""
    if one.operation != other.operation:
        return True
    return bool(one.response_id and other.response_id and one.response_id != other.response_id)


def _tokens(reading: Reading) -> tuple[int, int] | None:
    given, made = reading.usage.get("input"), reading.usage.get("output")
    return (given or 0, made or 0) if given or made else None


def _mark_copies(calls: list[Node]) -> None:
    """Two instrumentations side by side write one answer twice, at the same time: the fuller one counts."""
    known: dict[str, Node] = {}
    for node in calls:
        name = node.reading.response_id
        other = known.get(name) if name else None
        if name is None:
            continue
        if other is None or other.span.get("span") == node.span.get("span") or not _overlap(other.span, node.span):
            known.setdefault(name, node)
        elif _fullness(node.reading) > _fullness(other.reading):
            known[name], other.copy_of = node, node
            node.reading.add(other.reading)
        else:
            node.copy_of = other
            other.reading.add(node.reading)


def _overlap(one: JsonObject, other: JsonObject) -> bool:
    times = [moment for span in (one, other) for key in ("start", "end") if isinstance(moment := span.get(key), int)]
    return len(times) == 4 and times[0] <= times[3] and times[2] <= times[1]


def _fullness(reading: Reading) -> int:
    return sum((reading.prompt is not None, reading.output is not None, bool(reading.usage), bool(reading.parameters)))


def _complete(node: Node) -> None:
    """Take what the call does not say itself: content from its only wrapper, names from all that stands around it."""
    inner, above = node, node.around
    while above is not None and above.wraps and [each for each, _ in above.below] == [inner]:
        node.reading.add(replace(above.reading, error_type=None, error_message=None, http_status=None))
        inner, above = above, above.around
    for above in _ancestors(node):
        reading = above.reading
        names = [getattr(reading, name) for name in NAMES]
        if any(names):
            node.reading.add(Reading(**dict(zip(NAMES, names, strict=True))))
