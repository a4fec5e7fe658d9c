"""Which method has which option; known without loading what computes."""

METHODS = ("dn2", "spade", "patchcore")

_ONLY = {
    "k": ("dn2", "spade"),
    "kappa": ("spade",),
    "sigma": ("spade", "patchcore"),
    "coreset": ("patchcore",),
    "reweight": ("patchcore",),
}


def has_option(method: str, name: str) -> bool:
    """Whether a method has an option, by the name of its field in `Scoring`."""
    return method in _ONLY.get(name, METHODS)
