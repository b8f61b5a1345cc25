"""What happened to each email, as rows: history, timeline, links and totals."""
