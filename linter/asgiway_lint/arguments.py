"""The command line's grammar: commands, options, their help. What they do is `commandline`'s matter.

Imports nothing beyond argparse and the errors, so that `--help` and `--version` answer at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from asgiway_lint.errors import UsageError, nearest

__all__ = ["BASELINE_ACTIONS", "COMMANDS", "Parser", "build", "overview"]

PROGRAM = "asgiway-lint"
COMMANDS = {
    "check": "Find calls that block the event loop (the usual command)",
    "baseline": "Record today's findings, so that only new ones are shown",
    "rule": "Explain one rule, or all of them",
    "rules": "List the rules",
    "server": "Serve an editor: the language server protocol over stdin and stdout",
    "clean": "Remove the cache",
    "version": "Print the version",
}
_FORMATS = (
    *("full", "concise", "grouped", "json", "json-lines", "sarif"),
    *("github", "gitlab", "junit", "rdjson", "pylint"),
)
_BASELINE_HELP = "The baseline: findings that are known and not shown"
BASELINE_ACTIONS = {
    "create": "write all findings to the baseline file",
    "check": "exit with 1 if there are new findings, or entries whose findings are gone",
    "shrink": "remove the entries whose findings are gone; never adds any",
}
_SEVERITIES = ("error", "warning", "info")


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises its errors, names the nearest option, and takes paths and options in any order."""

    def __init__(self, command: str, description: str, arguments: str = "") -> None:
        super().__init__(
            prog=f"{PROGRAM} {command}",
            usage=f"%(prog)s [OPTIONS]{arguments}",
            description=description,
            formatter_class=_Formatter,
            allow_abbrev=False,
            add_help=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving the process."""
        raise UsageError(f"{message}; see {self.prog} --help")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse, or raise `UsageError`."""
        # argparse would take the path behind an option with an optional value for that value.
        end = list(arguments).index("--") if "--" in arguments else len(arguments)
        arguments = [f"{word}=" if word == "--add-noqa" and at < end else word for at, word in enumerate(arguments)]
        namespace, unknown = self.parse_known_intermixed_args(arguments)
        for word in unknown:
            name = word.partition("=")[0]
            self.error(
                f"unknown option '{name}'{nearest(name, self.options())}"
                if word[:1] == "-"
                else f"unexpected argument '{word}'"
            )
        return namespace

    def options(self) -> list[str]:
        """Return every option string."""
        return [name for action in self._actions for name in action.option_strings]


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help like ruff's: the option on the left, one column of text, no repeated metavariables."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, max_help_position=34, **settings)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings:
            return super()._format_action_invocation(action)
        names = ", ".join(action.option_strings)
        if not any(name.startswith("-") and not name.startswith("--") for name in action.option_strings):
            names = "    " + names
        return names if action.nargs == 0 else f"{names} {self._format_args(action, action.dest.upper())}"


def overview() -> str:
    """Return the help of the program itself."""
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
    return f"""\
Find the calls that block an asyncio, anyio or trio event loop, and what to use instead.

Usage: {PROGRAM} <command> [options]

Commands:
{commands}

Options:
  -h, --help     Print help, also after a command
  -V, --version  Print the version

To begin with: {PROGRAM} check src/
"""


def build(command: str) -> Parser:
    """Return the parser of one command."""
    parser = _PARSERS[command]()
    runs = command in ("check", "baseline")
    options = parser.add_argument_group("Log levels" if runs else "Options")
    if runs or command == "server":
        options.add_argument("-v", "--verbose", action="store_true", help="Say on stderr what is being done")
    if runs:
        options.add_argument("-q", "--quiet", action="store_true", help="Print findings only: no summary, no warnings")
    options.add_argument("-h", "--help", action="help", help="Print help")
    return parser


def _check() -> Parser:
    parser = Parser(
        "check",
        "Find the calls that block an event loop.\n\n"
        "Exit code: 0 nothing found, 1 errors or warnings found, 2 something is wrong with the command\n"
        "line, the configuration or the installation.",
        " [PATHS]...",
    )
    parser.add_argument_group("Arguments").add_argument(
        "paths", nargs="*", metavar="PATHS", help="Files and folders to check; - reads standard input [default: .]"
    )

    output = parser.add_argument_group("Output")
    output.add_argument(
        "--output-format",
        type=_one_of(_FORMATS),
        metavar="FORMAT",
        help=f"{', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"
        " [default: full on a terminal, else concise; env: ASGIWAY_LINT_OUTPUT_FORMAT]",
    )
    output.add_argument("-o", "--output-file", metavar="FILE", help="Write the findings to a file instead of stdout")
    output.add_argument(
        "--statistics", action="store_true", help="Print how often each rule fired instead of the findings"
    )
    output.add_argument(
        "--color",
        type=_one_of(("auto", "always", "never")),
        default="auto",
        metavar="WHEN",
        help="auto, always or never; auto heeds NO_COLOR and FORCE_COLOR [default: auto]",
    )
    output.add_argument("--show-files", action="store_true", help="Print the files that would be checked, and stop")
    output.add_argument("--show-settings", action="store_true", help="Print the settings of the first file, and stop")

    _fixes(parser)

    adoption = parser.add_argument_group("Adoption")
    adoption.add_argument("--baseline", metavar="FILE", help=_BASELINE_HELP)
    adoption.add_argument("--ignore-baseline", action="store_true", help="Show what the baseline knows, too")
    adoption.add_argument(
        "--diff-base",
        metavar="REV",
        help="Show only what has to do with lines that changed since REV (main, say), uncommitted changes included",
    )
    adoption.add_argument(
        "--add-noqa",
        metavar="REASON",
        help="Add a # noqa comment to each finding instead of printing it, with a reason or (--add-noqa) without",
    )

    _selection(parser)
    _files(parser, stdin=True)
    _other(parser, exit_zero=True)
    return parser


def _fixes(parser: Parser) -> None:
    fixes = parser.add_argument_group("Fixes")
    switch: dict[str, Any] = {"action": argparse.BooleanOptionalAction}
    fixes.add_argument("--fix", **switch, help="Repair what can be repaired safely, and report the rest")
    fixes.add_argument("--unsafe-fixes", **switch, help="Use fixes, too, that may change what a program does")
    fixes.add_argument("--show-fixes", **switch, help="List what is repaired, and what is not and why")
    fixes.add_argument("--diff", action="store_true", help="Print what --fix would change, and change nothing")
    fixes.add_argument("--fix-only", **switch, help="Repair what can be repaired, and report nothing")
    codes: dict[str, Any] = {"action": "extend", "type": _list, "metavar": "CODES"}
    fixes.add_argument("--fixable", **codes, help="Rules whose findings may be repaired [default: ALL]")
    fixes.add_argument("--extend-fixable", **codes, help="Rules whose findings may be repaired in addition")
    fixes.add_argument("--unfixable", **codes, help="Rules whose findings are not to be repaired")


def _baseline() -> Parser:
    actions = "\n".join(f"  {name:<8} {text}" for name, text in BASELINE_ACTIONS.items())
    parser = Parser(
        "baseline",
        f"Record today's findings in a file, so that only new ones are shown.\n\nActions:\n{actions}\n\n"
        "Exit code: 0 all is well, 1 new findings or (check) entries to remove, 2 something is wrong.",
        " ACTION [PATHS]...",
    )
    group = parser.add_argument_group("Arguments")
    group.add_argument(
        "action", nargs="?", type=_one_of(tuple(BASELINE_ACTIONS)), metavar="ACTION", help="create, check or shrink"
    )
    group.add_argument("paths", nargs="*", metavar="PATHS", help="Files and folders to check [default: .]")
    adoption = parser.add_argument_group("Baseline")
    adoption.add_argument("--baseline", metavar="FILE", help=_BASELINE_HELP)
    adoption.add_argument("--force", action="store_true", help="create: replace a baseline that is there already")
    _selection(parser)
    _files(parser)
    _other(parser)
    return parser


def _selection(parser: Parser) -> None:
    rules = parser.add_argument_group("Rule selection")
    codes: dict[str, Any] = {"action": "extend", "type": _list, "metavar": "CODES"}
    rules.add_argument("--select", **codes, help="Rules to use: codes, prefixes (AW1) or ALL, separated by commas")
    rules.add_argument("--extend-select", **codes, help="Rules to use in addition to those selected elsewhere")
    rules.add_argument("--ignore", **codes, help="Rules not to use")
    rules.add_argument(
        "--per-file-ignores",
        action="extend",
        type=_per_file,
        metavar="PATTERN:CODES",
        help="Rules not to use in some files; may be repeated",
    )
    rules.add_argument(
        "--min-severity",
        type=_one_of(_SEVERITIES),
        metavar="SEVERITY",
        help="error, warning or info: milder findings are not shown and don't count [default: warning]",
    )
    rules.add_argument(
        "--transitive",
        action=argparse.BooleanOptionalAction,
        help="Follow calls through synchronous functions of the project [default]",
    )
    rules.add_argument(
        "--max-depth",
        type=_positive,
        metavar="N",
        help="Most functions between a coroutine and the call that blocks [default: any number]",
    )
    rules.add_argument("--ignore-noqa", action="store_true", help="Report what # noqa comments suppress, too")


def _files(parser: Parser, *, stdin: bool = False) -> None:
    files = parser.add_argument_group("File selection")
    patterns: dict[str, Any] = {"action": "extend", "type": _list, "metavar": "PATTERNS"}
    files.add_argument("--exclude", **patterns, help="Files and folders to leave out, instead of the default list")
    files.add_argument("--extend-exclude", **patterns, help="Files and folders to leave out in addition")
    files.add_argument(
        "--force-exclude",
        action=argparse.BooleanOptionalAction,
        help="Leave out what is excluded even if it is named as an argument",
    )
    files.add_argument(
        "--respect-gitignore",
        action=argparse.BooleanOptionalAction,
        help="Leave out what .gitignore files list [default]",
    )
    if stdin:
        files.add_argument("--stdin-filename", metavar="FILE", help="What standard input would be called")


def _other(parser: Parser, *, exit_zero: bool = False) -> None:
    other = parser.add_argument_group("Configuration and cache")
    other.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="FILE|SETTING",
        help="A configuration file that holds for every file, or one setting as 'key = value'; may be repeated",
    )
    other.add_argument("--isolated", action="store_true", help="Ignore all configuration files")
    other.add_argument("-n", "--no-cache", action="store_true", help="Neither read nor write the cache")
    other.add_argument("--cache-dir", metavar="DIR", help="Where the cache is [default: .asgiway_lint_cache]")
    other.add_argument("--jobs", type=_positive, metavar="N", help="Processes to use [default: as many as it is worth]")
    if exit_zero:
        other.add_argument("-e", "--exit-zero", action="store_true", help="Exit with 0 even when there are findings")
        other.add_argument(
            "--exit-non-zero-on-fix", action="store_true", help="Exit with 1 when something was repaired, too"
        )


def _rule() -> Parser:
    parser = Parser("rule", "Explain one rule (AW102 or blocking-http), or all of them.", " CODE")
    parser.add_argument_group("Arguments").add_argument(
        "code", nargs="?", metavar="CODE", help="Code or name of the rule"
    )
    group = parser.add_argument_group("Output")
    group.add_argument("--all", action="store_true", help="Explain all rules")
    group.add_argument(
        "--output-format",
        type=_one_of(("text", "json", "markdown")),
        default="text",
        metavar="FORMAT",
        help="text, json or markdown [default: text]",
    )
    return parser


def _rules() -> Parser:
    return Parser("rules", "List the rules: code, name, severity, summary.")


def _server() -> Parser:
    parser = Parser(
        "server",
        "Serve an editor: findings while you type, fixes, the rules' pages. Speaks the language server protocol over\n"
        "stdin and stdout; editors start it themselves (linter/docs/editors.md says how to tell them).",
    )
    group = parser.add_argument_group("Connection")
    group.add_argument("--stdio", action="store_true", help="Use stdin and stdout, as it always does")
    group.add_argument(
        "--clientProcessId",
        type=_positive,
        metavar="PID",
        help="Accepted, as VS Code's client passes it; not needed: the client says so again when it connects",
    )
    return parser


def _clean() -> Parser:
    return Parser("clean", "Remove the caches of the current folder and of the folders below it.")


def _version() -> Parser:
    return Parser("version", "Print the version.")


_PARSERS: dict[str, Callable[[], Parser]] = {
    "check": _check,
    "baseline": _baseline,
    "rule": _rule,
    "rules": _rules,
    "server": _server,
    "clean": _clean,
    "version": _version,
}


def _list(text: str) -> list[str]:
    """Split at commas; `{a,b}` in a pattern stays whole."""
    items, depth = [""], 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if character == "," and depth <= 0:
            items.append("")
        else:
            items[-1] += character
    return [item.strip() for item in items if item.strip()]


def _per_file(text: str) -> list[tuple[str, str]]:
    """Turn `tests/**:AW101,AW102,*.pyi:AW1` into pairs of pattern and code."""
    pairs: list[tuple[str, str]] = []
    for item in _list(text):
        pattern, colon, code = item.rpartition(":")
        if colon and pattern:
            pairs.append((pattern.strip(), code.strip()))
        elif pairs and not colon:
            pairs.append((pairs[-1][0], code))
        else:
            raise argparse.ArgumentTypeError(f"'{item}' is not of the form PATTERN:CODE, such as 'tests/**:AW108'")
    return pairs


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise argparse.ArgumentTypeError(f"'{text}' is none of {', '.join(choices)}{nearest(text, choices)}")
        return text

    return parse


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return number
