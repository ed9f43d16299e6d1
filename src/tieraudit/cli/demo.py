"""`tieraudit demo`: the whole line on the sample logs, offline, with a real small model on this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from tieraudit.cli.context import session
from tieraudit.cli.output import print_bytes, print_json, print_text
from tieraudit.config import Config, load_config
from tieraudit.errors import InputError
from tieraudit.pipeline import assign, classify, decide, export, ingest, replay, report, score
from tieraudit.progress import Progress
from tieraudit.render import RENDERERS
from tieraudit.render.report import Report
from tieraudit.store import Store

LOGS = ("litellm-gateway.jsonl.gz", "openai-pairs.jsonl", "langfuse-traces", "litellm-spend-logs.jsonl")
FILE_FORMATS = ("html", "md", "json", "xlsx")
ROUTERS = ("litellm", "portable")


def command(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="Folder for the database, the reports and the configs.")] = Path(
        "tieraudit-demo"
    ),
) -> None:
    """Run the whole line on the sample logs: three weeks of a web shop's LLM calls, no GPU, no internet.

    Nothing is scripted: a 135-million-parameter model answers the replays on this machine through llama.cpp, and the
    logged answers are the incumbent's. Takes under three minutes on two cores; run again, it continues where it
    stopped.

    Writes into OUT: demo.duckdb, report.html (open it in a browser), report.md, report.json, report.xlsx,
    router-litellm/ and router-portable/.

    Next: tieraudit ingest your-logs.jsonl
    """
    shared = session(context)
    started = time.monotonic()
    logs = sample_logs()
    config = load_config(logs / "tieraudit.toml")
    out.mkdir(parents=True, exist_ok=True)
    with shared.diagnostics as progress, Store(out / "demo.duckdb") as store:
        made = walk(store, config, logs, out, progress=progress)
        progress.say(f"done in {time.monotonic() - started:.0f} s; see {out / 'report.html'}")
    if shared.json:
        print_json({"out": str(out), "audit_id": made.audit_id, "files": written(out)})
    else:
        print_bytes(RENDERERS.get("terminal").render(made))
        print_text(f"\nwritten to {out}/: " + ", ".join(written(out)))


def walk(store: Store, config: Config, logs: Path, out: Path, *, progress: Progress) -> Report:
    """Every stage in order over ``logs``; reports and router configs go to ``out``. Returns the report."""
    progress.say("1/6 ingest: reading the exported logs")
    receipt = ingest.ingest(store, [logs / name for name in LOGS], ingest.IngestOptions(), progress=progress)
    progress.say(f"    {receipt.rows_kept:,} calls kept, {receipt.rows_duplicate:,} already known")
    progress.say("2/6 classify: finding the recurring tasks")
    found = classify.classify(store, config, progress=progress)
    progress.say(f"    {len(found.tasks)} tasks")
    progress.say("3/6 replay, score, decide: the small model answers until the evidence decides")
    options = replay.ReplayOptions(baseline="logged", seed=config.seed)
    result = replay.replay(
        store,
        config,
        options,
        score=lambda store, audit_id: score.score(store, audit_id, config=config),
        decide=decide.decide,
        progress=progress,
    )
    progress.say("4/6 assign: from verdicts to tiers and money")
    assign.assign(store, config, result.audit_id)
    progress.say("5/6 report")
    made = report.build_report(store, config, result.audit_id)
    out.mkdir(parents=True, exist_ok=True)
    for name in FILE_FORMATS:
        renderer = RENDERERS.get(name)
        (out / str(renderer.file_name)).write_bytes(renderer.render(made))
    progress.say("6/6 export-config: a config that a real router loads")
    for router in ROUTERS:
        export.export_config(store, config, router, out / f"router-{router}", canary=100, check=True)
    return made


def written(out: Path) -> list[str]:
    """What the demo wrote, relative to ``out``."""
    return sorted(
        str(path.relative_to(out)) for path in out.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )


def sample_logs() -> Path:
    """The sample logs: beside the source in a checkout, inside the package when installed."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parents[1] / "sample_logs", package / "sample_logs"):
        if (folder / LOGS[0]).exists():
            return folder
    raise InputError("the sample logs are not installed", hint="run from a checkout, or reinstall tieraudit")
