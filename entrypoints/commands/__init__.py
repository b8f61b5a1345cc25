"""What ``mailpulse`` can be told to do, a group of commands to a file."""
