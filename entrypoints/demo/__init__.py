"""A recruiting team and its mail provider, played from outside: everything goes over HTTP, signed as in real life.

Only `setting` knows the service (it opens the demo's organisation); the rest imports nothing of it, so that what is
expected of the service is never computed by the service's own code.
"""
