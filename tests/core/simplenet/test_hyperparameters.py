import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.simplenet.hyperparameters import (
    NAMES,
    PRESETS,
    RANGES,
    hyperparameters_for,
    parsed,
)


@pytest.mark.parametrize(("text", "kept"), [("3,2", "2,3"), ("2, 3", "2,3"), ("1,1", "1")])
def test_levels_are_the_same_in_whichever_order_they_are_named(text: str, kept: str) -> None:
    assert hyperparameters_for("fast", {"levels": text}).levels == kept


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("levels", "", "^levels names levels"),
        ("levels", "4", "^levels names levels"),
        ("epochs", "0", "epochs is from 1 to 10000, not 0"),
        ("epochs", "1e3", "a whole number"),
        ("epochs", "9" * 400, "epochs is from 1 to 10000"),
        ("noise", "nan", "noise is from"),
        ("noise", "inf", "noise is from"),
        ("patches", "1", "patches is at least 2"),
        ("neighbourhood", "2", "odd number"),
        ("adaptor", "cubic", "linear or mlp or none"),
        ("xavier", "maybe", "true or false"),
        ("epoch", "3", "no value 'epoch'; there are: levels, "),
        ("preset", "paper", "no value 'preset'"),
    ],
)
def test_a_value_that_no_training_can_have_is_said(name: str, text: str, told: str) -> None:
    with pytest.raises(KnownError, match=told):
        hyperparameters_for("fast", {name: parsed(name, text)})


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_has_a_range_that_the_presets_are_in(preset: str) -> None:
    chosen = hyperparameters_for(preset)
    numbers = {n for n in NAMES if type(getattr(chosen, n)) in (int, float)}
    assert numbers == set(RANGES)
    assert chosen == PRESETS[preset]
