"""What became of deliveries to outgoing webhooks."""
