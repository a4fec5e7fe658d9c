"""What runs off the UI thread. QtCore only."""
