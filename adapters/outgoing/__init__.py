"""What leaves for receivers of outgoing webhooks: made, signed, and sent to where it may be sent."""
