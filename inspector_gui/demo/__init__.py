"""Pictures of industrial parts drawn in code, for demonstration and for tests."""
