"""Names for values: equal exactly when the values are."""

import hashlib
import json


def digest_of(value: object) -> str:
    """Return the SHA-256 of a JSON-able value, 16 hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
