"""The gates that are always on: an answer that is newly empty, refused or cut off is a loss under every scorer."""

from __future__ import annotations

import re

from tieraudit.domain import Output, Score
from tieraudit.scorers.base import Context, Scorer

CUT_OFF = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
FILTERED = frozenset({"content_filter", "refusal", "safety"})
_UNABLE = (
    r"(?:can(?:no|['’])t|cannot|can not|won['’]t|will not|(?:am|['’]m)\s+(?:unable|not able|not allowed)(?:\s+to)?)"
)
_VERB = (
    r"(?:help|assist|comply|provide|answer|fulfil|engage|complete|generate|create|write|produce|discuss|share|process"
    r"|support|respond|do that|do this)"
)
REFUSALS = re.compile(
    r"\A\W*(?:(?:i['’]?m|i am|we['’]?re|we are)?\s*(?:very\s+|so\s+)?sorry\W+(?:but\s+)?|unfortunately\W+(?:but\s+)?"
    r"|i apologi[sz]e\W+(?:but\s+)?)?(?:as an? (?:ai|large language model|language model|assistant)\b[^.]{0,60}?\W*)?"
    rf"(?:i|we)\s*{_UNABLE}\s+{_VERB}\b",
    re.IGNORECASE,
)


def refused(output: Output) -> bool:
    """True when the model declined: it says so in the refusal field, in its finish reason, or in its first words."""
    if output.refusal or (output.finish_reason or "").lower() in FILTERED:
        return True
    return not output.tool_calls and bool(REFUSALS.match((output.text or "")[:400]))


def cut_off(output: Output) -> bool:
    """True when the answer ended because its tokens did."""
    return (output.finish_reason or "").lower() in CUT_OFF


def new_failure(reference: Output, answer: Output) -> str | None:
    """What went wrong in ``answer`` that did not in ``reference``: empty, refused or cut off; None when nothing did."""
    if _blank(answer) and not _blank(reference):
        return "empty answer"
    if refused(answer) and not refused(reference):
        return "refused"
    if cut_off(answer) and not cut_off(reference):
        return "cut off"
    return None


def identical(reference: Output, answer: Output) -> bool:
    """The same words and tool calls, whatever the finish reason."""
    return (reference.text or "", reference.tool_calls, reference.refusal) == (
        answer.text or "",
        answer.tool_calls,
        answer.refusal,
    )


def decided(scorer: Scorer, context: Context) -> Score | None:
    """The score that needs no comparison: the best for identical answers, the lowest for a new failure, else None."""
    if identical(context.reference, context.answer):
        return Score(0.0 if scorer.lowest < 0 else 1.0, scorer.name, scorer.version, "identical")
    failure = new_failure(context.reference, context.answer)
    if failure is not None:
        return Score(scorer.lowest, scorer.name, scorer.version, failure)
    return None


def _blank(output: Output) -> bool:
    return not ((output.text or "").strip() or output.tool_calls or output.refusal)
