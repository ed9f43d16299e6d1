-- The store's key for placeholders, made by the first ingest that redacts personal data.
INSERT INTO redaction_key VALUES ($key)
