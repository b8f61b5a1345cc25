"""The rules of Mailpulse: what happened to an email and what follows from it; no I/O, no clock, no environment."""
