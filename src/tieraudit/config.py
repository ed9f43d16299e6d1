"""tieraudit.toml -> Config: a working default for everything, and an unknown key is an error with a guess."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tieraudit.domain import Task
from tieraudit.errors import ConfigError

ENGINES = ("vllm", "llamacpp", "openai", "batch-file")
STAKES_MARGINS = {"internal": 0.10, "standard": 0.05, "customer": 0.03, "regulated": 0.02}


@dataclass(frozen=True, slots=True)
class Engine:
    """How to reach one model. ``model`` is None for the incumbent's tier: there each call names its own."""

    name: str
    engine: str
    model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    gpu_usd_per_hour: Decimal | None = None
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None
    concurrency: int = 8
    timeout_s: float = 120.0
    max_retries: int = 4
    utilisation: float = 0.30
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quality:
    """How much worse than the incumbent a candidate may be, and the error rate of the whole decision."""

    margin: float = 0.05
    stakes_margins: Mapping[str, float] = field(default_factory=lambda: dict(STAKES_MARGINS))
    judged_margin: float = 0.10
    dollar_fdr: float = 0.05
    min_cases: int = 30
    max_cases_per_task: int = 300
    min_calls_per_task: int = 60
    min_share_of_spend: float = 0.002

    def margin_for(self, stakes: str | None, *, judged: bool = False) -> float:
        """The margin of a task: by its stakes, and on the win-minus-loss scale when a judge scores it."""
        if stakes in ("legal", "medical", "security", "irreversible tool"):
            margin = self.stakes_margins["regulated"]
        elif stakes == "financial":
            margin = self.stakes_margins["customer"]
        else:
            margin = self.margin
        return max(margin, self.judged_margin) if judged else margin


@dataclass(frozen=True, slots=True)
class Pin:
    """A user's rule that fixes a tier whatever the evidence; exactly one of the four selectors is a glob."""

    tier: str
    reason: str
    task: str | None = None
    type: str | None = None
    tag: str | None = None
    stakes: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that a run can be told; `tiers` is cheapest first and the last one is the incumbent's."""

    tiers: tuple[Engine, ...]
    quality: Quality = field(default_factory=Quality)
    judge: Engine | None = None
    pins: tuple[Pin, ...] = ()
    seed: int = 20261121
    path: Path | None = None

    @property
    def candidates(self) -> tuple[Engine, ...]:
        """The tiers below the incumbent's, cheapest first."""
        return self.tiers[:-1]

    def pin_of(self, task: Task, tags: Iterable[str] = ()) -> Pin | None:
        """The first pin whose glob matches the task's id or name, type, stakes or one of its tags."""
        for pin in self.pins:
            if any(fnmatch(value.lower(), glob.lower()) for glob, value in _selected(pin, task, tags)):
                return pin
        return None

    @property
    def incumbent(self) -> Engine:
        """How to reach the incumbent for reruns."""
        return self.tiers[-1]

    def tier(self, name: str) -> Engine:
        """The tier called ``name``; raises `ConfigError` with the known names."""
        for engine in self.tiers:
            if engine.name == name:
                return engine
        known = ", ".join(engine.name for engine in self.tiers)
        raise ConfigError(f"unknown tier '{name}'", hint=f"known tiers: {known}")


def _selected(pin: Pin, task: Task, tags: Iterable[str]) -> Iterator[tuple[str, str]]:
    if pin.task:
        yield from ((pin.task, task.task_id), (pin.task, task.name))
    if pin.type:
        yield pin.type, str(task.type)
    if pin.stakes and task.stakes:
        yield pin.stakes, task.stakes
    if pin.tag:
        yield from ((pin.tag, tag) for tag in tags)


TEMPLATE = """\
# tieraudit.toml: every key has a working default; an unknown key is an error.

[tiers.small]                     # cheapest first; two to four tiers, the last one is the incumbent's
model = "Qwen/Qwen3.5-9B"
engine = "vllm"                   # vllm | llamacpp | openai | batch-file
gpu_usd_per_hour = 0.80           # own hardware; or input_usd_per_mtok / output_usd_per_mtok for a hosted model
# base_url = "http://127.0.0.1:8000/v1"   # engine = "openai": a server that already runs
# args = ["--max-model-len", "8192"]      # engine = "vllm": passed on to the server

[tiers.frontier]                  # how to reach the incumbent for reruns; which model is read from each call
engine = "openai"
base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY"

[quality]
margin = 0.05                     # how much worse than the incumbent's agreement with itself is still as good
dollar_fdr = 0.05                 # of the spend that is said to move, at most this share moves wrongly (in expectation)
max_cases_per_task = 300

# [judge]                         # free text is judged in pairs; a third family of models
# model = "..."
# engine = "openai"
# base_url = "https://..."
# api_key_env = "JUDGE_API_KEY"

# [[pins]]                        # one of: task, type, tag, stakes (globs)
# stakes = "legal*"
# tier = "frontier"
# reason = "cost of error"
"""


def default_config() -> Config:
    """The configuration of a run without a tieraudit.toml."""
    return parse_config(TEMPLATE, path=None)


def load_config(path: Path | None) -> Config:
    """Read ``path``, or ./tieraudit.toml when None and present, else the defaults; raises `ConfigError`."""
    if path is None:
        path = Path("tieraudit.toml")
        if not path.exists():
            return default_config()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})", hint="check --config") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8", hint="save the file as UTF-8") from error
    return parse_config(text, path=path)


def parse_config(text: str, *, path: Path | None) -> Config:
    """Parse the text of a tieraudit.toml; ``path`` is only for messages."""
    where = str(path or "tieraudit.toml")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: {error}", hint="see the comments that `tieraudit ingest` writes") from error
    _known(raw, {"tiers", "quality", "judge", "pins", "seed"}, where)
    tiers = tuple(_engine(name, value, where) for name, value in raw.get("tiers", {}).items())
    if not 2 <= len(tiers) <= 4:
        raise ConfigError(
            f"{where}: {len(tiers)} tiers; two to four are needed",
            hint="cheapest first, the last one is the incumbent's: [tiers.small] ... [tiers.frontier]",
        )
    for tier in tiers[:-1]:
        if not tier.model:
            raise ConfigError(f"{where}: tiers.{tier.name} has no model", hint='add model = "..."')
    pins = tuple(_pin(value, tiers, where) for value in raw.get("pins", []))
    judge = _engine("judge", raw["judge"], where) if "judge" in raw else None
    if judge is not None and not judge.model:
        raise ConfigError(f"{where}: judge has no model", hint='add model = "..." under [judge]')
    seed = raw.get("seed", 20261121)
    if not isinstance(seed, int):
        raise ConfigError(f"{where}: seed must be a whole number")
    return Config(tiers, _quality(raw.get("quality", {}), where), judge, pins, seed, path)


def _known(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(sorted(known))}"
            raise ConfigError(f"{where}: unknown key '{key}'", hint=hint)


def _engine(name: str, raw: Any, where: str) -> Engine:
    at = f"{where}: {'judge' if name == 'judge' else f'tiers.{name}'}"
    if not isinstance(raw, dict):
        raise ConfigError(f"{at}: a table is needed", hint=f"[tiers.{name}]")
    fields = set(Engine.__dataclass_fields__) - {"name"}
    _known(raw, fields, at)
    kind = raw.get("engine", "openai")
    if kind not in ENGINES:
        close = get_close_matches(str(kind), ENGINES, n=1)
        meant = f"did you mean '{close[0]}'? " if close else ""
        raise ConfigError(f"{at}: unknown engine '{kind}'", hint=f"{meant}known: {', '.join(ENGINES)}")
    if kind == "openai" and not raw.get("base_url"):
        raise ConfigError(f"{at}: engine 'openai' needs base_url", hint='base_url = "http://host:port/v1"')
    if "api_key" in raw:
        raise ConfigError(f"{at}: keys do not belong in this file", hint='api_key_env = "NAME_OF_VARIABLE"')
    values: dict[str, Any] = {**raw, "engine": kind, "args": tuple(raw.get("args", ()))}
    for key in ("gpu_usd_per_hour", "input_usd_per_mtok", "output_usd_per_mtok"):
        if key in values:
            values[key] = _money(values[key], f"{at}.{key}")
    for key in ("concurrency", "timeout_s", "max_retries", "utilisation"):
        if key in values and (not isinstance(values[key], int | float) or values[key] <= 0):
            raise ConfigError(f"{at}.{key}: a positive number is needed, not {values[key]!r}")
    return Engine(name=name, **values)


def _money(value: Any, at: str) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise ConfigError(f"{at}: not an amount: {value!r}") from error
    if not amount.is_finite() or amount < 0:
        raise ConfigError(f"{at}: not an amount: {value!r}")
    return amount


def _quality(raw: Any, where: str) -> Quality:
    fields = set(Quality.__dataclass_fields__)
    _known(raw, fields, f"{where}: quality")
    for key, value in raw.items():
        if key == "stakes_margins":
            continue
        if not isinstance(value, int | float) or value <= 0:
            raise ConfigError(f"{where}: quality.{key}: a positive number is needed, not {value!r}")
        if key in ("margin", "judged_margin", "dollar_fdr") and not value < 1:
            raise ConfigError(f"{where}: quality.{key}: must be below 1", hint="0.05 means five points")
    values = dict(raw)
    if "stakes_margins" in values:
        values["stakes_margins"] = {**STAKES_MARGINS, **values["stakes_margins"]}
    return Quality(**values)


def _pin(raw: Any, tiers: tuple[Engine, ...], where: str) -> Pin:
    at = f"{where}: pins"
    _known(raw, set(Pin.__dataclass_fields__), at)
    selectors = [key for key in ("task", "type", "tag", "stakes") if raw.get(key)]
    if len(selectors) != 1:
        raise ConfigError(f"{at}: each pin needs exactly one of task, type, tag, stakes")
    names = [tier.name for tier in tiers]
    if raw.get("tier") not in names:
        raise ConfigError(f"{at}: unknown tier {raw.get('tier')!r}", hint=f"known tiers: {', '.join(names)}")
    return Pin(**{"reason": "pinned by the user", **raw})
