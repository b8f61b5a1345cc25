"""The read side: one package per question that someone asks of the recorded events."""
