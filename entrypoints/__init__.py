"""The processes of Mailpulse: thin shells around the use cases."""
