"""Fingerprints: what a call's prompt has in common with the other calls of its task."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tieraudit.tasks.systems import SystemKey
from tieraudit.tasks.traits import digest


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The template of a call as far as it is known: two calls of one task usually have equal ones."""

    system: SystemKey | None = None
    shots: str = ""
    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    schema: str | None = None
    has_image: bool = False
    hint: str | None = None

    @property
    def worded(self) -> bool:
        """Whether words of the prompt are known, and not only its tools, schema or logged name."""
        return bool(self.system or self.shots or self.prefix or self.suffix)

    @property
    def bare(self) -> bool:
        """Whether nothing is known."""
        return not (self.worded or self.tools or self.schema or self.hint)

    @property
    def settings(self) -> tuple[tuple[str, ...], str | None, bool, str | None]:
        """What never differs within a task: tool set, schema, image and logged name."""
        return self.tools, self.schema, self.has_image, self.hint

    def unworded(self) -> Fingerprint:
        """The same without the words: what a prompt of an unknown template can still be grouped by."""
        return replace(self, system=None, shots="", prefix=(), suffix=())

    @property
    def key(self) -> str:
        """Sixteen hex digits, the same in every process."""
        system = f"{self.system.kind}:{self.system.value}" if self.system else ""
        parts = (system, self.shots, " ".join(self.prefix), " ".join(self.suffix), *map(str, self.settings))
        return digest("\0".join(parts))
