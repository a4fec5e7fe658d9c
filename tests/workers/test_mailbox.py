import threading

from inspector_gui.workers.mailbox import Mailbox


def test_the_newest_value_wins_and_what_it_replaced_is_counted() -> None:
    box: Mailbox[int] = Mailbox()
    for value in range(5):
        box.put(value)
    assert box.dropped == 4
    assert box.take() == 4
    assert box.take() is None
    assert box.dropped == 4


def test_a_value_taken_in_time_is_not_dropped() -> None:
    box: Mailbox[str] = Mailbox()
    for value in "abc":
        box.put(value)
        assert box.take() == value
    assert box.dropped == 0


def test_forgetting_is_not_dropping() -> None:
    box: Mailbox[int] = Mailbox()
    box.put(1)
    box.clear()
    assert box.take() is None
    assert box.dropped == 0


def test_between_threads_every_value_is_taken_or_counted() -> None:
    box: Mailbox[int] = Mailbox()
    count, taken, done = 20_000, 0, threading.Event()

    def write() -> None:
        for value in range(count):
            box.put(value)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        taken += box.take() is not None
    writer.join()
    taken += box.take() is not None
    assert taken + box.dropped == count
