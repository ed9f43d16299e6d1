-- One file was read: what became of its rows. The table's CHECK holds that none is lost.
INSERT INTO ingests
VALUES (
    $ingest_id, $started_at, $source_file, $source_format, $rows_read, $rows_kept, $rows_duplicate, $rows_quarantined,
    $rows_parts
)
