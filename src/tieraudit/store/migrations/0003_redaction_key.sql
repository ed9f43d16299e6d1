-- The random key that makes the placeholders of personal data: the same value, the same placeholder in this store only.
CREATE TABLE redaction_key (key BLOB NOT NULL);
