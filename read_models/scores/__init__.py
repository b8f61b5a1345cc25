"""How interested each candidate is, kept sorted."""
