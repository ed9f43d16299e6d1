-- The (provider, model) pairs that have prices.
SELECT DISTINCT provider, model FROM price_table
