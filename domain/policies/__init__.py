"""Pure decisions: numbers and verdicts from facts."""
