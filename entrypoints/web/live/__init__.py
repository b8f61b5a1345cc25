"""Notifications as they come: streams that stay open."""
