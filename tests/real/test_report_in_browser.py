"""The report in a real Chromium: it fits a phone, asks for nothing, runs nothing, and opens to its evidence."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.fixtures.report import example_report

from tieraudit.render import RENDERERS

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--v=0",
)
# Asked of the page in a frame: how wide it is, what lies outside, what it loaded, and what text it shows.
PROBE = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<iframe id="page" src="/report.html" style="border:0;width:{width}px;height:900px"></iframe>
<script>
document.getElementById("page").onload = event => {{
  const page = event.target.contentDocument, root = page.documentElement;
  page.querySelectorAll("details").forEach(each => each.open = {opened});
  const outside = [...page.querySelectorAll("body *")].filter(each => {{
    const box = each.getBoundingClientRect();
    return box.width > 0 && box.right > root.clientWidth + 1 && !each.closest("svg, thead");
  }});
  document.body.dataset.seen = JSON.stringify({{
    width: root.clientWidth, scroll: root.scrollWidth, title: page.title,
    outside: outside.map(each => each.tagName + "." + each.className).slice(0, 5),
    loaded: event.target.contentWindow.performance.getEntriesByType("resource").map(each => each.name),
    details: page.querySelectorAll("details").length,
    charts: [...page.querySelectorAll("[role=img]")].filter(each => each.getBoundingClientRect().height > 10).length,
    scripts: page.scripts.length, images: page.images.length,
    text: page.body.innerText,
  }});
}};
</script>
"""


@pytest.fixture(scope="module")
def chromium() -> str:
    """The browser, or a skip that says so."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs Chromium on PATH")
    return found


@dataclass
class Site:
    """A loopback server with the report and the probe, and the paths that were asked of it."""

    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The site, served."""
    found = Site({"/report.html": RENDERERS.get("html").render(example_report())})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            body = found.pages.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def browse(chromium: str, profile: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the browser once with a fresh profile."""
    command = [chromium, *FLAGS, f"--user-data-dir={profile}", *arguments, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def look(chromium: str, site: Site, profile: Path, *, width: int, opened: bool) -> dict[str, object]:
    """What the page is like at ``width`` pixels, with all its lines closed or opened."""
    site.pages["/probe.html"] = PROBE.format(width=width, opened=str(opened).lower()).encode()
    result = browse(
        chromium,
        profile,
        f"http://127.0.0.1:{site.port}/probe.html",
        "--dump-dom",
        "--virtual-time-budget=5000",
        f"--window-size={max(width, 600)},1000",
    )
    match = re.search(r'data-seen="([^"]*)"', result.stdout)
    assert match, result.stderr[-2000:]
    seen: dict[str, object] = json.loads(html.unescape(match[1]))
    return seen


@pytest.mark.parametrize("width", [1400, 400, 320])
@pytest.mark.parametrize("opened", [False, True], ids=["closed", "opened"])
def test_the_page_fits_its_width(chromium: str, site: Site, tmp_path: Path, width: int, opened: bool) -> None:
    seen = look(chromium, site, tmp_path, width=width, opened=opened)
    assert seen["width"] == width
    assert seen["scroll"] == width, "no horizontal scroll"
    assert seen["outside"] == []


def test_the_page_shows_hostile_text_and_runs_none_of_it(chromium: str, site: Site, tmp_path: Path) -> None:
    seen = look(chromium, site, tmp_path, width=1400, opened=True)
    assert seen["title"] == "LLM cost audit, 24 Oct 2026 to 20 Nov 2026"
    assert (seen["scripts"], seen["images"]) == (0, 0)
    assert "<script>document.title='owned'</script>" in str(seen["text"])
    assert seen["details"] == 15
    assert int(str(seen["charts"])) > 15


def test_the_page_asks_for_nothing_but_itself(chromium: str, site: Site, tmp_path: Path) -> None:
    site.asked.clear()
    seen = look(chromium, site, tmp_path, width=1400, opened=True)
    assert seen["loaded"] == []
    assert [path for path in site.asked if path != "/favicon.ico"] == ["/probe.html", "/report.html"]
    site.asked.clear()
    browse(chromium, tmp_path, f"http://127.0.0.1:{site.port}/report.html", "--dump-dom", "--virtual-time-budget=3000")
    assert site.asked == ["/report.html"], "not even an icon"


def test_the_console_stays_empty(chromium: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(RENDERERS.get("html").render(example_report()))
    result = browse(chromium, tmp_path / "profile", page.as_uri(), "--dump-dom", "--virtual-time-budget=3000")
    assert "Task by task" in result.stdout
    assert not [line for line in result.stderr.splitlines() if "CONSOLE" in line]


def test_a_picture_can_be_taken_in_light_and_in_dark(chromium: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(RENDERERS.get("html").render(example_report()))
    pictures = []
    for scheme in (1, 0):
        path = tmp_path / f"{scheme}.png"
        browse(
            chromium,
            tmp_path / "profile",
            page.as_uri(),
            f"--screenshot={path}",
            "--window-size=400,900",
            f"--blink-settings=preferredColorScheme={scheme}",
        )
        pictures.append(path.read_bytes())
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert pictures[0] != pictures[1]
