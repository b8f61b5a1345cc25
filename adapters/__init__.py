"""Everything with a driver, a socket or a vendor's field name."""
