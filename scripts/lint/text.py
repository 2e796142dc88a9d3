"""C++ text without what a reader of structure must not see. Line numbers and columns stay."""
import re

_TOKENS = re.compile(
    r"""
      (?P<line>//[^\n]*)
    | (?P<block>/\*.*?\*/)
    | (?P<raw>(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)")
    | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
    | (?P<number>\d(?:'?[\w.])*)
    | (?P<character>(?:u8|[uUL])?'(?:\\.|[^'\\\n])+')
    | (?P<word>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def _replace(match):
    if match.lastgroup in ("line", "block"):
        return _blank(match.group())
    if match.group("raw") or match.group("string"):
        body = match.group()
        return '"' + _blank(body[1:-1]) + '"'
    if match.group("character"):
        return "'" + " " * (len(match.group()) - 2) + "'"
    return match.group()


def without_comments(text):
    """Comments and raw strings blanked; plain strings kept, for whoever reads #include lines."""
    return _TOKENS.sub(lambda m: _blank(m.group()) if m.lastgroup in ("line", "block", "raw") else m.group(), text)


def structure(text):
    """Comments, string contents and preprocessor lines blanked."""
    text = _TOKENS.sub(_replace, text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: _blank(m.group()), text, flags=re.MULTILINE)
