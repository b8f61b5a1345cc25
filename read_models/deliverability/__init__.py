"""Whether emails arrive, by the domain they go to."""
