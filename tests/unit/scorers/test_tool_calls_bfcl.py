"""The tool-call scorer against BFCL's published ground truth (simple_python, 400 questions).

Counting an argument as right when it is among the published values gives 351 of 400 for gemma4-e4b and 390 for the
Claude run; without normalising strings at all it gives 345 and 386 (348 and 389 were expected of some rule between the
two). The scorer gives 354 and 394. The differences from the first count are named below, case by case. Results that
are no Python calls (19 end in a marker of the model, 13 say ``true`` for ``True``) are wrong in both counts.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import JsonObject, Output
from tieraudit.scorers.base import Context
from tieraudit.scorers.tool_calls import ToolCallsScorer

Invoked = list[tuple[str, JsonObject]]

pytestmark = pytest.mark.shared_data


def lines(path: Path) -> list[JsonObject]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def invoked(result: Any, names: dict[str, str]) -> Invoked | None:
    """The calls of a recorded result: Python source, or {name: JSON}; None when it is neither."""
    if isinstance(result, list):
        pairs: list[tuple[str, str]] = [pair for call in result if isinstance(call, dict) for pair in call.items()]
        return [(names.get(name, name), json.loads(text)) for name, text in pairs]
    try:
        parsed: Any = ast.parse(result.strip(), mode="eval").body
        calls: list[Any] = parsed.elts if isinstance(parsed, ast.List) else [parsed]
        return [
            (ast.unparse(call.func), {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}) for call in calls
        ]
    except (SyntaxError, ValueError, AttributeError):
        return None


def alternatives(options: list[Any]) -> Iterator[Any]:
    """Every value that the ground truth allows; nested objects list their own alternatives."""
    for option in options:
        yield from spelled_out(option)


def spelled_out(option: Any) -> Iterator[Any]:
    if isinstance(option, dict):
        for values in product(*(list(alternatives(inner)) for inner in option.values())):
            yield {key: value for key, value in zip(option, values, strict=True) if value != ""}
    elif isinstance(option, list) and option and isinstance(option[0], dict):
        yield from (list(items) for items in product(*(list(spelled_out(item)) for item in option)))
    else:
        yield option


def references(truth: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    ((name, options),) = truth.items()
    for values in product(*(list(alternatives(inner)) for inner in options.values())):
        yield name, {key: value for key, value in zip(options, values, strict=True) if value != ""}


def literal(truth: JsonObject, got: Invoked) -> bool:
    """Every argument is literally among the published values, strings without case, spaces and punctuation."""
    ((name, options),) = truth.items()
    if len(got) != 1 or got[0][0] != name or set(got[0][1]) - set(options):
        return False
    arguments = got[0][1]
    wanted = {key: [bare(value) for value in values] for key, values in options.items()}
    return all(bare(arguments[key]) in wanted[key] if key in arguments else "" in wanted[key] for key in options)


def bare(value: Any) -> Any:
    if isinstance(value, tuple):
        return [bare(item) for item in value]
    if not isinstance(value, str):
        return value
    return "".join(c for c in value.lower() if c not in " ,./-_*^").replace("'", '"')


def output(got: Invoked) -> Output:
    calls = [{"type": "function", "function": {"name": name, "arguments": json.dumps(args)}} for name, args in got]
    return Output(None, tuple(calls), finish_reason="tool_calls")


def agreements(folder: Path, model: str) -> tuple[set[str], set[str]]:
    """(ids on which the scorer agrees with some published answer, ids that a literal count accepts)."""
    file = "BFCL_v4_simple_python"
    tools = {row["id"]: row["function"] for row in lines(folder / f"questions/{file}.json")}
    truth = {row["id"]: row["ground_truth"][0] for row in lines(folder / f"possible_answer/{file}.json")}
    scorer = ToolCallsScorer()
    found, exact = set(), set()
    for row in lines(folder / f"model_results/{model}/{file}_result.json"):
        case, functions = row["id"], tools[row["id"]]
        got = invoked(row["result"], {f["name"].replace(".", "_"): f["name"] for f in functions})
        if got is None:
            continue
        request = {"tools": [{"type": "function", "function": function} for function in functions]}
        contexts = (Context(request, output([ref]), output(got)) for ref in references(truth[case]))
        if any(scorer.score(context).value == 1.0 for context in contexts):
            found.add(case.removeprefix("simple_python_"))
        if literal(truth[case], got):
            exact.add(case.removeprefix("simple_python_"))
    return found, exact


NESTED = {"89", "94", "96", "260", "337"}
"""The ground truth nests alternatives inside an object, which the count by value does not open."""

FORMULAS = {"14", "16"}
"""3*x**2 where 3x**2 is published: punctuation between digits counts for us, since it does in ids, times and codes."""

SPACES_IN_A_LIST = {"126"}
"""'engine_size' where 'engine size' is published, inside a list."""


@pytest.mark.parametrize(
    ("model", "count", "by_value", "more"),
    [
        ("gemma4-e4b-toolcall-v02", 354, 351, NESTED),
        ("result_claude_fix", 394, 390, NESTED | SPACES_IN_A_LIST),
    ],
)
def test_it_agrees_with_the_published_ground_truth(
    shared: Path, model: str, count: int, by_value: int, more: set[str]
) -> None:
    found, exact = agreements(shared / "data/bfcl", model)
    assert (len(found), len(exact)) == (count, by_value)
    assert found - exact == more
    assert exact - found == FORMULAS
