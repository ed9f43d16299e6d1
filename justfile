# Everything a commit must pass, in the order in which it fails fastest.
check: lint types layers
    uv run pytest -q -n auto --dist worksteal -m "not (embedded or litellm or vllm or browser or postgres or shared_data)"

lint:
    uv run ruff check .
    uv run ruff format --check .

types:
    uv run mypy

layers:
    uv run lint-imports

# The suites that need a real router, browser, small model or vLLM; installs them first.
check-all:
    .ci/run

# Regenerate what is made from code: docs/cli.md and the tables in docs/.
docs:
    uv run python docs/make_docs.py

# Make the sample logs again (same bytes).
sample-logs:
    uv run python sample_logs/make_sample_logs.py

# Make the committed example again with the real model, and record its replies for the test that compares.
example:
    rm -rf reports
    uv run tieraudit demo --out reports
    uv run python tests/fixtures/replies/record.py reports/demo.duckdb
