"""A training's state as one safetensors file; its numbers lie in the file's metadata as JSON."""

import json

from inspector_gui.core.errors import KnownError
from inspector_gui.core.simplenet.training import State


def packed(state: State) -> bytes:
    """Return the file of a state (see `Training.state`)."""
    from safetensors.torch import save

    tensors = {name: tensor.contiguous() for name, tensor in state["tensors"].items()}
    return bytes(save(tensors, {"facts": json.dumps(state["facts"])}))


def unpacked(data: bytes) -> State:
    """Return the state in a file; raises `KnownError` where it is cut off or no such file."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        return {"tensors": load(data), "facts": json.loads(header["__metadata__"]["facts"])}
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise KnownError(
            "The checkpoint of this training is damaged, so it cannot go on. Discard it and "
            "start again."
        ) from error
