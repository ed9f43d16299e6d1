-- Every planned task has one row, so replacing by key leaves nothing of an earlier decision behind.
INSERT OR REPLACE INTO verdicts BY NAME SELECT * FROM arrow_input
