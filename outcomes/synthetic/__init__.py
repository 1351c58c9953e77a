"""A seeded synthetic registry, with known truth, marked everywhere as synthetic."""
