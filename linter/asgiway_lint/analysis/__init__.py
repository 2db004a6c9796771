"""What blocks the event loop: facts and catalogue in, findings out.

``run`` is the door. ``evaluate`` says what an expression may be (with ``names``, ``declared``, ``members`` and ``calls``, its four
departments, ``reach`` for the order of bindings and ``values`` for their vocabulary); ``contexts`` says what runs on the loop;
``blocking`` says which single call or event blocks; ``hops`` gathers these and what runs functions of the project
(``targets``: which ones, ``decorators``: whether they still do, ``guards``: under which conditions, ``handed``: callbacks given to
them); ``questions`` knows what a function does when it has asked for a running loop; ``propagate`` carries blocking through them (``chains``: how it is told); ``callbacks``, ``endpoints``
and ``hazards`` find what the AW2 and AW3 rules report; ``check`` puts the findings of a module together, ``warm`` keeps them.
"""

from __future__ import annotations
