"""The command line: `application` lists the commands, one module each does the work."""
