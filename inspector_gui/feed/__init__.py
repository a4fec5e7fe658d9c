"""Where pictures come from: folders, cameras, drops. No Qt; sources are read by one thread."""
