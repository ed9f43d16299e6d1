"""The DuckDB file: schema, named queries, and the only import of duckdb."""

from tieraudit.store.store import Store, query_names, query_parameters

__all__ = ["Store", "query_names", "query_parameters"]
