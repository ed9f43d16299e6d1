-- Which of the given calls are in this database.
SELECT a.call_id
FROM arrow_input a
SEMI JOIN calls c ON c.call_id = a.call_id::UUID
