"""Bookings of containers, as Harborline sells them."""
