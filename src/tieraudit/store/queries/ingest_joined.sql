-- The calls of these parts are made.
UPDATE fragments SET joined = true WHERE NOT joined
