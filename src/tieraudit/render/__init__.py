"""Report -> what people read: one file a renderer, one line in this table."""

from tieraudit.registry import Registry
from tieraudit.render.report import Renderer

RENDERERS: Registry[Renderer] = Registry(
    "renderers",
    {
        "terminal": "tieraudit.render.terminal:TerminalRenderer",
        "html": "tieraudit.render.html:HtmlRenderer",
        "xlsx": "tieraudit.render.xlsx:XlsxRenderer",
        "md": "tieraudit.render.markdown:MarkdownRenderer",
        "json": "tieraudit.render.json:JsonRenderer",
    },
)

__all__ = ["RENDERERS", "Renderer"]
