"""What was done to whom, and what was lost by it: one row each, printed at the end and kept in POSTERN_KILL_TABLE. A - stands
for what was not looked at."""
import os

COLUMNS = ("lost", "double", "unrecorded", "unfinished", "unlisted", "untold")
ROWS = []


def add(store, what, times, found):
    ROWS.append((store, what, times, found))


def text():
    lines = ["store     killed at or how             times  received  settled  " + "  ".join(COLUMNS)]
    for store, what, times, found in ROWS:
        counts = "  ".join(f"{'-' if (each := getattr(found, column)) is None else len(each):>{len(column)}}" for column in COLUMNS)
        lines.append(f"{store:8}  {what:27}  {times:5}  {found.received:8}  {found.settled:7}  {counts}")
    return "\n".join(lines) + "\n"


def publish(capture):
    if not ROWS:
        return
    if name := os.environ.get("POSTERN_KILL_TABLE"):
        with open(name, "w", encoding="utf-8") as out:
            out.write(text())
    with capture.global_and_fixture_disabled():
        print("\n" + text())
