"""Telling people from machines: pure rules, and the lists that they go by as data.

Source:
    BR-558.7 Bot detection: exclude known email security scanners; nothing is dropped, everything is judged.
"""
