"""Router configs out: one file a router, one line in this table."""

from tieraudit.registry import Registry
from tieraudit.routers.base import Router

ROUTERS: Registry[Router] = Registry(
    "routers",
    {
        "litellm": "tieraudit.routers.litellm:LiteLLMRouter",
        "portable": "tieraudit.routers.portable:PortableRouter",
    },
)

__all__ = ["ROUTERS", "Router"]
