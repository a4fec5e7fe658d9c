"""What is remembered: one workspace folder with a database, pictures and features. No Qt."""
