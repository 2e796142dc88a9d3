"""Finds co_await expressions that GCC 12 compiles wrongly.

An aggregate temporary (a closure with captures counts) made in the same full expression as a
co_await is destroyed twice, and a structured binding directly of a co_await skips destructors. A
co_await that runs only sometimes within its expression (right of && or ||, in ?:), or in the
condition of a while, can give the ramp and the body of the coroutine two layouts of one frame. The
habit that avoids all: co_await takes named operands, its result gets a name, records and lambdas are
made a line before.
"""
import bisect
import re

from .text import structure

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.']*|\"[^\"]*\"|'[^']*'|->|::|\[\[|\]\]|&&|\|\||[^\s\w]")
_OPEN = {"(": ")", "[": "]", "{": "}", "[[": "]]"}
_CLOSE = set(_OPEN.values())
_CONTROL = {"if", "for", "while", "switch"}
# Words after which `[` starts a lambda; after any other name it is a subscript.
_BEFORE_LAMBDA = {"return", "co_return", "co_await", "co_yield", "throw", "case", "else", "and", "or", "not"}

BRACE = "`{` in a statement with co_await: make the value on a line of its own"
LAMBDA = "a lambda in a statement with co_await: name it on a line of its own"
BINDING = "a structured binding directly of a co_await: name the value, then bind to it"
SOMETIMES = "a co_await right of && or ||, or in ?: -- name its result on a line of its own"
WHILE = "a co_await in the condition of a while: name its result, and again at the end of the body"


def check(name, text):
    """Offences of one file: at most one of each kind a co_await."""
    clean = structure(text)
    starts = [0] + [m.end() for m in re.finditer("\n", clean)]
    tokens = [(m.group(), bisect.bisect_right(starts, m.start())) for m in _TOKEN.finditer(clean)]
    words = _split_brackets(tokens)
    partner = _partners(words)
    offences = []
    for at, (word, line) in enumerate(words):
        if word != "co_await" or (at and words[at - 1][0] == "operator"):
            continue
        found = {w: l for w, l in _after(words, partner, at) + _before(words, partner, at)}
        if conditional := _conditional(words, partner, at):
            found[conditional] = line
        for what, where in found.items():
            offence = f"{name}:{where}: {what}"
            if offence not in offences:
                offences.append(offence)
    return offences


def _split_brackets(tokens):
    """`]]` closes an attribute only where `[[` opened one; elsewhere it ends two subscripts."""
    out = []
    attributes = 0
    for at, (word, line) in enumerate(tokens):
        if word == "[[":
            # a[[] ...] does not occur; `f([[maybe_unused]] …)` and `) [[likely]]` do
            out.append((word, line))
            attributes += 1
        elif word == "]]" and not attributes:
            out += [("]", line), ("]", line)]
        else:
            attributes -= word == "]]"
            out.append((word, line))
    return out


def _partners(words):
    partner = {}
    stack = []
    for at, (word, _) in enumerate(words):
        if word in _OPEN:
            stack.append(at)
        elif word in _CLOSE:
            while stack:
                start = stack.pop()
                if _OPEN[words[start][0]] == word:
                    partner[start], partner[at] = at, start
                    break
    return partner


def _control(words, open_paren):
    """Whether `(` begins the condition of if, for, while or switch: a full expression of its own."""
    before = words[open_paren - 1][0] if open_paren else ""
    if before == "constexpr" and open_paren > 1:
        before = words[open_paren - 2][0]
    return words[open_paren][0] == "(" and before in _CONTROL


def _starts_lambda(words, at):
    if words[at][0] != "[":
        return False
    before = words[at - 1][0] if at else ""
    if re.match(r"[A-Za-z_\d]", before):
        return before in _BEFORE_LAMBDA
    return before not in {")", "]", "}"} and not before.startswith('"')


def _after(words, partner, at):
    found = []
    for i in range(at + 1, len(words)):
        word, line = words[i]
        if word == ";":
            break
        if word in _CLOSE and partner.get(i, i) < at:
            if word == "}":  # no `;` before it: the co_await stands inside an initialiser
                found.append((BRACE, words[at][1]))
            elif word == ")" and _control(words, partner[i]):
                break
        elif word == "{":
            found.append((BRACE, line))
            break
        elif _starts_lambda(words, i):
            found.append((LAMBDA, line))
            break
    return found


def _conditional(words, partner, at):
    """Walks back to the start of the full expression, over what it closes."""
    i = at - 1
    while i >= 0:
        word = words[i][0]
        if word in {";", "{", "}", "else", "do"}:
            return None
        if word == "(" and _control(words, i):
            return WHILE if words[i - 1][0] == "while" else None
        if word in _CLOSE and i in partner:
            if word == ")" and _control(words, partner[i]):
                return None
            i = partner[i]
        elif word == "?" or (word in {"&&", "||"} and words[i + 2][0] != "="):  # not `auto&& x =`
            return SOMETIMES
        i -= 1
    return None


def _before(words, partner, at):
    """Walks back to the start of the full expression."""
    i = at - 1
    while i >= 0:
        word, line = words[i]
        if word == ";" or word in {"{", "else", "do"}:
            return []
        if word == "(" and _control(words, i):
            return []
        if word in _CLOSE and i in partner:
            start = partner[i]
            if word == ")" and _control(words, start):
                return []
            if word == "}":
                # A block ends a statement; what follows an initialiser or closure goes on with it.
                if words[i + 1][0] not in {",", ")", ".", "]", "?", ":", "->"}:
                    return []
                return [(BRACE, words[start][1])]
            if word == "]" and start and words[start - 1][0] in {"auto", "&", "&&"} and words[i + 1][0] == "=":
                return [(BINDING, line)]
            i = start - 1
            continue
        i -= 1
    return []
