"""Token counts in one convention where tools disagree on whether cached and reasoning tokens are in the sums."""

from __future__ import annotations

from tieraudit.domain import Usage


def inclusive(
    given: int | None,
    read: int | None,
    written: int | None,
    made: int | None,
    reasoned: int | None,
    total: int | None,
    *,
    embedding: bool = False,
) -> Usage:
    """Tokens with cached ones inside the input and reasoning ones inside the output, as the logged total says."""
    if not (given or made or read or written):
        return Usage()
    apart, thought = (read or 0) + (written or 0), reasoned or 0
    given, made = given or 0, made or 0
    inside_in, inside_out = _included(given, made, apart, thought, total)
    return Usage(
        input_tokens=given if inside_in else given + apart,
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
        output_tokens=(made if inside_out else made + thought) if made or thought or embedding else None,
        reasoning_output_tokens=reasoned,
        total_tokens=total,
    )


def _included(given: int, made: int, apart: int, thought: int, total: int | None) -> tuple[bool, bool]:
    """Whether cached tokens are inside the input and reasoning tokens inside the output: as the total says.

    A part is never inside a sum that is smaller; some totals leave cached tokens out as their input does.
    """
    for inside_in, inside_out in ((True, True), (False, False), (False, True), (True, False)):
        possible = (apart <= given or not inside_in) and (thought <= made or not inside_out)
        if possible and given + (0 if inside_in else apart) + made + (0 if inside_out else thought) == total:
            return inside_in, inside_out
    return apart <= given, thought <= made
