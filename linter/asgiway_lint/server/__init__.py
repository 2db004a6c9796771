"""The language server (`asgiway-lint server`): findings, fixes and rule pages in an editor, while one types.

`features` says what of the protocol there is, `app` has the documents and their diagnostics, `answers` the rest. `analyst` runs one
analysis at a time in a thread; `knowledge` is what that thread knows: buffers and files (`store`), settings. `positions`, `edits`,
`diagnostics`, `actions` and `pages` are pure: they turn findings and fixes into what a client understands. Nothing else of the linter
imports this package.
"""

from __future__ import annotations
