import threading
import time

import pytest

from inspector_gui.core.ahead import AHEAD, ahead


def test_items_come_in_order_with_what_was_made_of_each() -> None:
    found = [(item, made()) for item, made in ahead(range(20), lambda n: n * n)]
    assert found == [(n, n * n) for n in range(20)]
    assert list(ahead([], str)) == []


def test_the_next_items_are_made_while_one_is_in_hand_and_no_more_of_them() -> None:
    begun: list[int] = []

    def make(number: int) -> int:
        begun.append(number)
        return number

    for number, made in ahead(range(10), make):
        assert made() == number
        deadline = time.monotonic() + 10
        while len(begun) < min(number + 1 + AHEAD, 10) and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.01)
        assert begun == list(range(min(number + 1 + AHEAD, 10)))


def test_an_error_is_raised_for_its_own_item_alone() -> None:
    found: list[float | str] = []
    for _, made in ahead([4, 0, 2], lambda n: 8 / n):
        try:
            found.append(made())
        except ZeroDivisionError as error:
            found.append(str(error))
    assert found == [2.0, "division by zero", 4.0]


def test_leaving_early_makes_no_more_than_what_is_being_made() -> None:
    begun: list[int] = []
    may_end = threading.Event()

    def make(number: int) -> int:
        begun.append(number)
        if number:
            may_end.wait(20)
        return number

    items = ahead(range(10), make)
    assert next(items)[1]() == 0
    threading.Timer(0.05, may_end.set).start()
    items.close()  # type: ignore[attr-defined]
    assert len(begun) <= 2
    assert not [t for t in threading.enumerate() if t.name.startswith("ahead")]


def test_an_interrupted_loop_leaves_no_thread() -> None:
    def work() -> None:
        for number, _ in ahead(range(10), abs):
            if number == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not [t for t in threading.enumerate() if t.name.startswith("ahead")]:
            return
    pytest.fail("the thread is still there")
