"""Reference sets: their health, and how to clean, slim and trust them."""
