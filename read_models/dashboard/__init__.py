"""Whether the mail works, and whether it works better than before."""
