"""The nouns of an audit as frozen dataclasses: no I/O, nothing of ours imported.

Call fields follow the OpenTelemetry GenAI names (``gen_ai.request.model`` -> ``request_model``). Units are in
the names. Money is ``Decimal``; times are timezone-aware UTC.
"""

from tieraudit.domain.audit import (
    Assignment,
    Case,
    Decision,
    PlannedTask,
    Recogniser,
    Reply,
    Role,
    Score,
    Task,
    TaskType,
    Verdict,
    VerdictKind,
    Want,
)
from tieraudit.domain.calls import (
    BilledUsage,
    Call,
    ContentState,
    Feedback,
    JsonObject,
    Output,
    Quarantined,
    Usage,
)

__all__ = [
    "Assignment",
    "BilledUsage",
    "Call",
    "Case",
    "ContentState",
    "Decision",
    "Feedback",
    "JsonObject",
    "Output",
    "PlannedTask",
    "Quarantined",
    "Recogniser",
    "Reply",
    "Role",
    "Score",
    "Task",
    "TaskType",
    "Usage",
    "Verdict",
    "VerdictKind",
    "Want",
]
