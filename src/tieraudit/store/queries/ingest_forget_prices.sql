-- Prices of another release of the price data; user prices, which name another source, stay.
DELETE FROM price_table WHERE starts_with(source, 'genai-prices ') AND NOT starts_with(source, $release)
