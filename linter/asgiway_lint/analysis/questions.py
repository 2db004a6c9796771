"""Functions that ask whether an event loop is running know what they may do then: which of their code runs on a loop.

``try: loop = asyncio.get_running_loop()`` / ``except RuntimeError:``, ``if loop is None:``, ``if loop.is_running():``. What only
runs without a loop is no concern of a coroutine that calls the function; neither is what cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.hops import Hop, contents
from asgiway_lint.analysis.values import BOUND, EXT, FUNCTION, METHOD, Value
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import ARM_ENDS, ARM_LOOP, Call, Expr, Scope

__all__ = ["is_question", "with_a_loop"]

_ASKS: Final = frozenset(
    {
        "asyncio.get_running_loop",
        "asyncio._get_running_loop",
        "asyncio.events._get_running_loop",
        "asyncio.events.get_running_loop",
        "asyncio.current_task",
        "sniffio.current_async_library",
        "anyio.get_current_task",
        "anyio.get_cancelled_exc_class",
    }
)
# A function that asks and makes more calls than this does something else, too.
_QUESTION_CALLS: Final = 4
_OPPOSITE: Final = {"some": False, "true": False, "none": True, "false": True}


def with_a_loop(
    evaluator: Evaluator, path: str, facts: Facts, index: int, scopes: frozenset[int]
) -> Callable[[Hop], bool]:
    """Whether a hop of a function certainly runs where the function is called on a loop.

    Args:
        evaluator: the run's evaluator.
        path: the file of the function.
        facts: its facts.
        index: the function's scope.
        scopes: the scopes that run in its course, itself included.
    """
    calls, _ = contents(evaluator, path, facts)
    asked = [
        place
        for place in sorted(place for scope in scopes for place in calls.get(scope, ()))
        if any(_asks(evaluator, value) for value in evaluator.callee(path, facts.calls[place]))
    ]
    if not asked:
        return lambda _: True
    return _Answer(facts, facts.scopes[index], asked).holds


def _asks(evaluator: Evaluator, value: Value) -> bool:
    """Whether calling a value asks if an event loop is running."""
    if value[0] == EXT:
        return str(value[1]) in _ASKS
    if value[0] == METHOD:
        return (str(value[1]).partition(".")[0], value[2]) == ("asyncio", "is_running")
    if value[0] in (FUNCTION, BOUND):
        return is_question(evaluator, value[1], value[2])
    return False


def is_question(evaluator: Evaluator, path: str, index: int) -> bool:
    """Whether a function of the project does little but ask whether a loop is running."""
    evaluator.ask(path, ("asks", (FUNCTION, path, index)))
    return evaluator.table(("asks", path, index), lambda: _is_question(evaluator, path, index))


def _is_question(evaluator: Evaluator, path: str, index: int) -> bool:
    facts = evaluator.facts(path)
    if facts is None or facts.scopes[index].kind != "def":
        return False
    mine = [call for call in facts.calls if call.scope == index]
    return len(mine) <= _QUESTION_CALLS and any(
        value[0] in (EXT, METHOD) and _asks(evaluator, value) for call in mine for value in evaluator.callee(path, call)
    )


class _Answer:
    """What a function's questions say of its blocks.

    Args:
        facts: the facts of its file.
        function: the function.
        asked: the calls that ask, by index, in order.
    """

    def __init__(self, facts: Facts, function: Scope, asked: list[int]) -> None:
        self._facts = facts
        self._function = function
        first: Call = facts.calls[asked[0]]
        self._seq = first.seq
        # The body of the `try` that the question stands in, if it does.
        self._tried = first.block if first.block != function.body else -1
        self._names: dict[str, bool] = {}
        """Name or call -> whether it is true where a loop is running."""
        for place in asked:
            self._names[f"{_text(facts.calls[place].callee)}()"] = True
        for name, bindings in function.bindings.items():
            for binding in bindings:
                if binding.kind == "value" and binding.b == ():
                    if binding.a[0] == model.CALL and binding.a[1] in asked:
                        self._names[name] = True
                    elif self._tried >= 0 and binding.block == self._tried and binding.a[0] == model.CONST:
                        self._names[name] = bool(binding.a[1])

    def holds(self, hop: Hop) -> bool:
        """Whether a hop runs with a loop."""
        if hop.seq < self._seq:
            return True
        inside = list(self._around(hop.block))
        for block in inside:
            said = self._of_block(block)
            if said is not None:
                return said
        return not any(self._leaves(block, hop.seq) for block in range(len(self._facts.blocks)) if block not in inside)

    def _around(self, block: int) -> Iterator[int]:
        while block >= 0 and block != self._function.body:
            yield block
            block = self._facts.blocks[block].parent

    def _of_block(self, index: int) -> bool | None:
        """Whether a block runs with a loop (True) or without one or nobody knows (False), as far as it says so itself."""
        blocks = self._facts.blocks
        block = blocks[index]
        said = self._of_guard(index)
        if said is not None:
            return said
        if block.group and not block.guard:  # the other arms may say
            others = [
                self._of_guard(other)
                for other, sibling in enumerate(blocks)
                if sibling.group == block.group and sibling.parent == block.parent and other != index
            ]
            if any(other is not None for other in others):
                return False
        return False if self._is_handler(index) else None

    def _of_guard(self, index: int) -> bool | None:
        for name, condition in self._facts.blocks[index].guard:
            if name in self._names:
                return condition != "perhaps" and self._names[name] is not _OPPOSITE[condition]
        return None

    def _is_handler(self, index: int) -> bool:
        """Whether a block looks like a handler of the `try` with the question."""
        block = self._facts.blocks[index]
        return (
            self._tried >= 0
            and index > self._tried
            and block.parent == self._facts.blocks[self._tried].parent
            and not block.group
            and not block.flags & ARM_LOOP
        )

    def _leaves(self, index: int, before: int) -> bool:
        """Whether control may have left the function in a block, before a place, because a loop is running."""
        block = self._facts.blocks[index]
        if not block.flags & ARM_ENDS or not self._is_inside(index, self._function.body):
            return False
        if index == self._tried:
            return True
        first = self._first_seq(index)
        if not self._seq < first < before:
            return False
        return not any(self._of_block(around) is False for around in self._around(index))

    def _is_inside(self, index: int, outer: int) -> bool:
        while index >= 0 and index != outer:
            index = self._facts.blocks[index].parent
        return index == outer

    def _first_seq(self, index: int) -> int:
        facts = self._facts
        found = [call.seq for call in facts.calls if call.block == index]
        found += [event.seq for event in facts.events if event.block == index]
        found += [result.seq for result in self._function.results if result.block == index]
        found += [b.seq for bindings in self._function.bindings.values() for b in bindings if b.block == index]
        return min(found, default=self._seq + 1)


def _text(expr: Expr) -> str:
    """A dotted name as `Block.guard` has it."""
    rest = ""
    while expr[0] == model.ATTR:
        rest = f".{expr[2]}{rest}"
        expr = expr[1]
    return f"{expr[1] if expr[0] == model.NAME else '?'}{rest}"
