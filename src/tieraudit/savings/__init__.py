"""Pure money: what the log's window costs per month, and what it would cost on another tier."""
