"""`--output-format junit`: an XML report of tests that failed, one suite per file, for CI systems that show such reports.

There is no standard; names and nesting are those that Jenkins and GitLab read. A clean run has one test that passed, or they
would complain of a report without tests.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from asgiway_lint.finding import Finding
from asgiway_lint.report import Results
from asgiway_lint.report.style import Style, shown_path, visible
from asgiway_lint.rules import rule_for

__all__ = ["render"]

_NAME = "asgiway-lint"


def render(results: Results, style: Style) -> Iterable[str]:
    """Yield the document."""
    total = len(results.findings)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{_attributes(name=_NAME, tests=total or 1, failures=total, errors=0)}>\n"
    for path, group in itertools.groupby(results.findings, key=lambda finding: finding.path):
        yield from _suite(shown_path(path, results.cwd), list(group))
    if not total:
        yield f"  <testsuite{_attributes(name=_NAME, tests=1, failures=0, errors=0, skipped=0)}>\n"
        yield f"    <testcase{_attributes(name='no findings', classname=_NAME, time=0)}/>\n"
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def _suite(path: str, findings: Sequence[Finding]) -> Iterator[str]:
    count = len(findings)
    yield f"  <testsuite{_attributes(name=path, tests=count, failures=count, errors=0, skipped=0)}>\n"
    for finding in findings:
        place = f"{finding.line}:{finding.column}"
        case = _attributes(
            name=f"{finding.code} {rule_for(finding.code).slug} at {place}",
            classname=path.removesuffix(".py"),
            file=path,
            line=finding.line,
            column=finding.column,
            time=0,
        )
        failure = _attributes(message=finding.message, type=finding.severity.value)
        text = escape(_sayable(f"{path}:{place}: {finding.code} {finding.message}"))
        yield f"    <testcase{case}>\n      <failure{failure}>{text}</failure>\n    </testcase>\n"
    yield "  </testsuite>\n"


def _attributes(**values: object) -> str:
    return "".join(f" {name}={quoteattr(_sayable(str(value)))}" for name, value in values.items())


def _sayable(text: str) -> str:
    """Replace what XML 1.0 has no place for: control characters, lone surrogates, U+FFFE and U+FFFF."""
    text = visible(text).encode("utf-8", "replace").decode()
    return text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
