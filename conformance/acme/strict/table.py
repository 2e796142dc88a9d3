"""The table of a run, of one server or of several side by side."""
import json

OUTCOMES = ("pass", "fail", "not offered")
HEAD = ("acme.md", "threats.md", "Row", "By", "Sent", "Expected")
LONGEST = 2000  # octets of a body that are shown


def text(results):
    """Lines; `results` are (row, outcome, seen)."""
    for one, outcome, seen in results:
        threats = f" [{' '.join(one.threats)}]" if one.threats else ""
        yield f"{outcome.upper():11}  {one.section:4} {one.name}{threats}: {one.sends}\n             {one.rfc}: {one.expected}\n             seen     {seen}"


def counts(results):
    outcomes = [outcome for _, outcome, _ in results]
    return ", ".join(f"{outcomes.count(each)} {each}" for each in OUTCOMES)


def markdown(columns):
    """`columns`: server -> results, of the same rows in the same order."""
    yield "| " + " | ".join([*HEAD, *columns]) + " |"
    yield "|---" * (len(HEAD) + len(columns)) + "|"
    for results in zip(*columns.values()):
        one = results[0][0]
        cells = [f"§{one.section}", " ".join(one.threats), f"`{one.name}`", one.rfc, one.sends, one.expected]
        cells += [outcome if outcome == "pass" else f"{outcome}: {seen}" for _, outcome, seen in results]
        yield "| " + " | ".join(each.replace("|", "\\|").replace("\n", " ") for each in cells) + " |"


def exchange(each):
    """Lines: what was sent, with the JWS taken apart, and what came back."""
    from harness.jose import unb64
    yield f"{each.method} {each.url}"
    try:
        message = json.loads(each.sent or b"")
        for part in ("protected", "payload"):
            yield f"  {part}: {unb64(message[part]).decode('utf-8', 'replace')[:LONGEST]}"
        yield f"  signature: {message['signature'][:24]}..."
    except (ValueError, KeyError, TypeError):
        if each.sent:
            yield f"  {each.sent[:LONGEST]!r}"
    yield f"  -> {each.answer.status}"
    for name, value in each.answer.headers:
        yield f"     {name}: {value}"
    yield f"     {each.answer.body[:LONGEST].decode('utf-8', 'replace')}"
