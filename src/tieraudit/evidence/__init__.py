"""Pure statistics: e-values, intervals, allocation, decisions over many tasks."""
