"""What people are told about their emails: a list, a number, and a ring."""
