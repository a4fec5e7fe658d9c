"""How well methods do on data with known answers; nothing here feeds back into judging."""
