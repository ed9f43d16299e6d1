"""How far two answers agree: one file a scorer, one line in this table."""

from tieraudit.registry import Registry
from tieraudit.scorers.base import Scorer

SCORERS: Registry[Scorer] = Registry(
    "scorers",
    {
        "label": "tieraudit.scorers.label:LabelScorer",
        "short-answer": "tieraudit.scorers.short_answer:ShortAnswerScorer",
        "json-fields": "tieraudit.scorers.json_fields:JsonFieldsScorer",
        "tool-calls": "tieraudit.scorers.tool_calls:ToolCallsScorer",
        "judge": "tieraudit.scorers.judge:JudgeScorer",
    },
)

__all__ = ["SCORERS", "Scorer"]
