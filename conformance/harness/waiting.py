"""For what comes about by itself, soon and at a time that no test may depend on."""
import time


def until(condition, what, seconds=60):
    """The first true value of `condition()`; fails with `what` when there is none within `seconds`."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return value
