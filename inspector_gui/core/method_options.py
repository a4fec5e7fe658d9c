"""Which method has which option; known without loading what computes."""

METHODS = ("dn2", "spade", "patchcore")

_ONLY = {
    "k": ("dn2", "spade"),
    "kappa": ("spade",),
    "sigma": ("spade", "patchcore"),
    "levels": ("spade",),
    "weights": ("spade",),
    "border_weight": ("spade",),
    "gate": ("spade",),
    "stage1_limit": ("spade",),
    "coreset": ("patchcore",),
    "reweight": ("patchcore",),
}


def has_compiled_search(method: str) -> bool:
    """Whether a method compares places of pyramids, which compiled code does quicker."""
    return method == "spade"


def has_option(method: str, name: str) -> bool:
    """Whether a method has an option, by the name of its field in `Scoring`."""
    return method in _ONLY.get(name, METHODS)
