"""What blocks the event loop: facts and catalogue in, findings out.

``run`` is the door, ``session`` what one process knows, ``pool`` several of them; ``check`` puts the findings of a module together,
``warm`` keeps them, ``changed`` says whom a change concerns.

- What an expression may be: ``evaluate`` with ``names``, ``declared``, ``members`` and ``calls``, its four departments, ``reach`` for
  the order of bindings and ``values`` for their vocabulary.
- What runs on the loop: ``contexts``; on a loop of its own: ``views``.
- What blocks: ``blocking``, a single call or event; ``hops`` gathers these and what runs functions of the project: ``targets`` knows
  which ones, ``implied`` and ``relations`` those that no call names, ``decorators`` whether they still run, ``guards`` under which conditions,
  ``handed`` the callbacks given to them, ``states`` and ``receivers`` what is known of their object, ``questions`` what they do on a
  running loop.
- ``propagate`` carries blocking through them, ``chains`` tells the way.
- ``callbacks``, ``endpoints`` and ``hazards`` find what the AW2 and AW3 rules report.
"""

from __future__ import annotations
