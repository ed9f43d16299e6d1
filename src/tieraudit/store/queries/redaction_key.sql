-- The key that placeholders of personal data are made with, once there is one.
SELECT key FROM redaction_key
