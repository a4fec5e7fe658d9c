"""What an anomaly is: pictures, features, methods, limits and metrics. No Qt, no SQL."""
