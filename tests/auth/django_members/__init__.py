"""A user model of one's own, whose keys are UUIDs."""
