"""What people see: widgets that show the session and call its verbs."""
