"""SQL text as the drivers and PostgreSQL read it: tokens, placeholders, statements. Knows no Python and no files.

Lexical rules: PostgreSQL documentation, section 4.1 (`standard_conforming_strings` on, the default since 9.1). psycopg2 and psycopg
look for placeholders everywhere, in literals and comments too, and only when there are parameters; so a placeholder there is
told apart here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Placeholder", "Sql", "Token", "scan"]

_PLACEHOLDER: Final = re.compile(r"%(?:%|\((?P<name>[^)]*)\)(?P<named>.)?|(?P<letter>.)|$)", re.DOTALL)
_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<line>--[^\r\n]*)
  | (?P<block>/\*)
  | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*(?P<escaped_end>'?))
  | (?P<literal>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?P<literal_end>'?))
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*(?P<quoted_end>"?))
  | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$)
  | (?P<parameter>\$\d+)
  | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
  | (?P<number>\.?\d[\w.]*)
  | (?P<cast>::)
  | (?P<mark>[(),;.\[\]:])
  | (?P<operator>[-+*/<>=~!@\#^&|`?]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
# What an operator must not run into: the start of a comment, or of a placeholder.
_COMMENT_IN_OPERATOR: Final = re.compile(r"--|/\*")
_PLAIN_STATEMENTS: Final = frozenset(["select", "insert", "update", "delete", "with"])
_COMPARISONS: Final = frozenset(["=", "<>", "!=", "<", ">", "<=", ">="])
_CLAUSES: Final = frozenset(["set", "where", "on", "having", "and", "or", "when", "select"])
_MATCHES: Final = frozenset(["like", "ilike"])
# Behind these an operand ends.
_AFTER: Final = frozenset(
    ["and", "or", "where", "order", "group", "limit", "offset", "returning", "for", "on", "union", "having", "from"]
)


_WRITES: Final = frozenset(["insert", "update", "delete", "merge", "into", "for", "call", "do", "nextval", "setval"])
# Words before a parenthesis that call nothing, or a function that only computes.
_HARMLESS: Final = frozenset(
    """
    abs all and any array_agg as avg between bool_and bool_or by case cast ceil coalesce concat count cube date_part date_trunc
    else exists extract filter floor from greatest group having in initcap join json_agg jsonb_agg least left length like limit
    lower ltrim max min mod not nullif numeric offset on or order over overlay partition position replace right round row_number
    rtrim select set string_agg substr substring sum then to_char trim union upper using values varchar when where within
    char character decimal ilike intersect except rank dense_rank lag lead first_value last_value is lateral with
    """.split()  # noqa: SIM905  as a list it would be seventy lines
)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One `%s` or `%(name)s`.

    Args:
        start: offset of the `%`.
        end: offset behind the `s`.
        name: the name; empty for `%s`.
        inside: what it stands in: "a literal", "a comment", "a quoted name"; empty for SQL itself.
    """

    start: int
    end: int
    name: str
    inside: str


@dataclass(frozen=True, slots=True)
class Token:
    """A word (in lower case), number, literal, quoted name, placeholder or sign of SQL; comments and white space are none."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sql:
    """What there is to know about one text.

    Args:
        text: the text.
        tokens: its tokens.
        placeholders: its placeholders, in order.
        percents: offsets of `%%`, which stands for `%` where there are parameters.
        problem: why nobody can say what the text means; empty if it is in order.
    """

    text: str
    tokens: tuple[Token, ...]
    placeholders: tuple[Placeholder, ...]
    percents: tuple[int, ...]
    problem: str

    @property
    def statements(self) -> int:
        """How many statements it has."""
        count, empty = 0, True
        for token in self.tokens:
            if token.text == ";" and token.kind == "mark":
                empty = True
            elif empty:
                count, empty = count + 1, False
        return count

    @property
    def verb(self) -> str:
        """The first word, in lower case."""
        return self.tokens[0].text if self.tokens else ""

    @property
    def words(self) -> frozenset[str]:
        """All words, in lower case."""
        return frozenset(token.text for token in self.tokens if token.kind == "word")

    def before(self, placeholder: Placeholder) -> Sequence[Token]:
        """Return the tokens in front of a placeholder, nearest first."""
        return [token for token in reversed(self.tokens) if token.end <= placeholder.start]

    def whole_lists(self) -> tuple[Placeholder, ...]:
        """Return the placeholders that take a tuple and become a list in parentheses: `IN %s`, `VALUES %s`."""
        found: list[Placeholder] = []
        for placeholder in self.placeholders:
            before = self.before(placeholder)
            if before and before[0].kind == "word" and before[0].text in ("in", "values"):
                found.append(placeholder)
        return tuple(found)

    def compared(self) -> tuple[Placeholder, ...]:
        """Return the placeholders that are compared with what stands on their left, and not assigned to it (`SET x = %s`)."""
        found: list[Placeholder] = []
        for placeholder in self.placeholders:
            before = self.before(placeholder)
            if not before or before[0].text not in _COMPARISONS:
                continue
            clause = next((token.text for token in before if token.text in _CLAUSES), "")
            if clause != "set":
                found.append(placeholder)
        return tuple(found)

    def plain(self) -> bool:
        """Whether each placeholder stands where PostgreSQL finds its type by itself, as it does for a literal.

        That is, as a value that is compared with a column, written into one, or counts rows. Elsewhere a parameter that the
        server binds may be of another type than the literal was that psycopg2 wrote, or of none that can be found.
        """
        if self.statements != 1 or self.verb not in _PLAIN_STATEMENTS:
            return False
        indices = {token.start: index for index, token in enumerate(self.tokens) if token.kind == "placeholder"}
        return all(self._plain(indices.get(placeholder.start)) for placeholder in self.placeholders)

    def _plain(self, index: int | None) -> bool:
        if index is None:  # inside of a literal or a comment
            return False
        tokens = self.tokens
        start = tokens[index].start
        if start and (self.text[start - 1].isalnum() or self.text[start - 1] in "_$"):
            return False  # `LIKE%s`: a literal ends the word, `$1` would be part of it
        after = tokens[index + 1].text if index + 1 < len(tokens) else ";"
        if after not in (",", ")", ";") and after not in _AFTER:
            return False
        before = [token.text for token in reversed(tokens[max(0, index - 4) : index])]
        kinds = [token.kind for token in reversed(tokens[max(0, index - 4) : index])]
        if len(before) < 2:
            return False
        if before[0] in ("limit", "offset"):
            return True
        if before[0] in _COMPARISONS or before[0] in _MATCHES or before[0] == "between":
            return self._column(kinds[1], before[1]) or (before[0] in _MATCHES and before[1] == "not")
        if before[0] == "and" and kinds[1] == "placeholder" and before[2:3] == ["between"]:
            return True
        if before[:3] in (["(", "any", "="], ["(", "all", "<>"]):
            return len(before) > 3 and self._column(kinds[3], before[3])
        return before[0] in ("(", ",") and self._in_list(index)

    def _column(self, kind: str, text: str) -> bool:
        return kind == "quoted" or (kind == "word" and text not in _AFTER and text not in _PLAIN_STATEMENTS)

    def _in_list(self, index: int) -> bool:
        """Whether it is one of the values of `VALUES (...)` or `IN (...)`, and not of a call in there."""
        depth = 0
        for position in range(index - 1, -1, -1):
            token = self.tokens[position]
            if token.kind != "mark":
                continue
            if token.text == ")":
                depth += 1
            elif token.text == "(":
                depth -= 1
                if depth == -1:
                    return self._opens_list(position)
        return False

    def reads_only(self) -> bool:
        """Whether the statements certainly change nothing, so that nobody can tell whether they were committed."""
        words = self.words
        if self.statements != 1 or self.verb not in ("select", "with") or words & _WRITES:
            return False
        return all(
            token.text in _HARMLESS
            for token, after in zip(self.tokens, self.tokens[1:], strict=False)
            if token.kind in ("word", "quoted") and after.text == "("
        )

    def gives_rows(self) -> bool:
        """Whether there are rows to fetch."""
        return self.statements == 1 and (
            self.verb in ("select", "values", "show", "table") or "returning" in self.words
        )

    def numbered(self) -> list[tuple[int, int, str]]:
        """Return the changes that turn placeholders into `$1`, `$2` ..., and `%%` into `%`: (start, end, text) each."""
        changes = [(each.start, each.end, f"${number}") for number, each in enumerate(self.placeholders, 1)]
        return sorted(changes + [(start, start + 2, "%") for start in self.percents])

    def _depth(self, position: int) -> int:
        """In how many parentheses a token stands."""
        marks = [token.text for token in self.tokens[:position] if token.kind == "mark"]
        return marks.count("(") - marks.count(")")

    def _opens_list(self, position: int) -> bool:
        opened = self.tokens[position - 1].text if position else ""
        if opened == "in":
            left = self.tokens[position - 2] if position > 1 else None
            return left is not None and (left.text == "not" or self._column(left.kind, left.text))
        if self.verb != "insert" or self._depth(position):
            return False
        if opened == "values":
            return True
        if opened != ",":
            return False
        # A further row of VALUES (...), (...): back to the parenthesis of the row before.
        depth = 0
        for before in range(position - 1, -1, -1):
            token = self.tokens[before]
            if token.kind == "mark" and token.text == ")":
                depth += 1
            elif token.kind == "mark" and token.text == "(":
                depth -= 1
                if depth == 0:
                    return self._opens_list(before)
            elif depth == 0 and token.text != ",":
                return False
        return False


def scan(text: str, *, parameters: bool) -> Sql:
    """Read a text.

    Args:
        text: SQL, with the placeholders of psycopg2.
        parameters: whether it comes with parameters; without any, `%` means nothing.
    """
    placeholders: list[Placeholder] = []
    percents: list[int] = []
    spans: dict[int, tuple[int, str]] = {}  # where `%` starts -> its end, the name
    problem = ""
    if parameters:
        for match in _PLACEHOLDER.finditer(text):
            if match[0] == "%%":
                percents.append(match.start())
                spans[match.start()] = (match.end(), "%")
            elif match["letter"] == "s" or (match["name"] and match["named"] == "s"):
                spans[match.start()] = (match.end(), match["name"] or "")
            else:
                problem = problem or f"`{match[0]}` is no placeholder"
    tokens, inside, broken = _tokens(text, spans)
    for start, (end, name) in spans.items():
        if name != "%":
            placeholders.append(Placeholder(start, end, name, inside.get(start, "")))
    if placeholders and len({bool(each.name) for each in placeholders}) == 2:
        problem = problem or "`%s` and `%(name)s` are mixed"
    return Sql(text, tuple(tokens), tuple(placeholders), tuple(percents), problem or broken)


def _tokens(text: str, spans: dict[int, tuple[int, str]]) -> tuple[list[Token], dict[int, str], str]:
    tokens: list[Token] = []
    inside: dict[int, str] = {}
    broken = ""
    position = 0
    while position < len(text):
        if position in spans:
            end, name = spans[position]
            kind = "operator" if name == "%" else "placeholder"
            tokens.append(Token(kind, text[position:end], position, end))
            position = end
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            end = position + 1
            tokens.append(Token("operator", text[position], position, end))
            position = end
            continue
        kind, end, room = match.lastgroup or "", match.end(), ""
        if match["block"]:
            end, kind, room = _comment_end(text, position), "", "a comment"
        elif match["dollar"]:
            closing = text.find(match["dollar"], end)
            broken = broken or ("" if closing >= 0 else "a `$$` literal does not end")
            end, kind, room = (closing + len(match["dollar"]) if closing >= 0 else len(text)), "literal", "a literal"
        elif match["space"] or match["line"]:
            kind, room = "", "a comment" if match["line"] else ""
        elif match["quoted"]:
            broken = broken or ("" if match["quoted_end"] else "a quoted name does not end")
            kind, room = "quoted", "a quoted name"
        elif match["literal"] or match["escaped"]:
            ended = match["literal_end"] or match["escaped_end"]
            broken = broken or ("" if ended else "a literal does not end")
            kind, room = "literal", "a literal"
        elif match["parameter"]:
            broken = broken or f"`{match[0]}` is a placeholder of another driver"
        elif match["operator"]:
            edge = _COMMENT_IN_OPERATOR.search(match[0])
            end = position + edge.start() if edge else end
        if room:
            inside |= {start: room for start in spans if position <= start < end}
        if kind:
            shown = text[position:end]
            tokens.append(Token(kind, shown.lower() if kind == "word" else shown, position, end))
        position = end
    return tokens, inside, broken


def _comment_end(text: str, position: int) -> int:
    """Comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)
