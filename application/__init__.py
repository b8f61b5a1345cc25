"""The write side: use cases that take reports and registrations in and keep them as domain events."""
