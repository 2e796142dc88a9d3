"""The table of a run."""
HEAD = ("est.md", "Row", "Sent", "Expected", "Seen", "")


def text(results):
    """Lines; `results` are (row, outcome, seen)."""
    for one, outcome, seen in results:
        yield f"{outcome.upper():11}  {one.section:4} {one.name}: {one.sends}\n             expected {one.expected}\n             seen     {seen}"


def counts(results):
    outcomes = [outcome for _, outcome, _ in results]
    return ", ".join(f"{outcomes.count(each)} {each}" for each in ("pass", "fail", "not offered"))


def markdown(results):
    yield "| " + " | ".join(HEAD) + " |"
    yield "|---" * len(HEAD) + "|"
    for one, outcome, seen in results:
        cells = [f"§{one.section}", f"`{one.name}`", one.sends, one.expected, seen, outcome]
        yield "| " + " | ".join(each.replace("|", "\\|").replace("\n", " ") for each in cells) + " |"
