"""tieraudit proves which LLM calls a cheaper model can serve, what that saves, and what to deploy."""

__version__ = "0.1.0"
