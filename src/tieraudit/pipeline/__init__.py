"""The stages: one function each over the store; they never call each other."""
