"""What the use cases need from the outside, in the domain's words."""
