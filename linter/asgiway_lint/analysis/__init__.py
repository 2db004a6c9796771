"""What blocks the event loop: facts and catalogue in, findings out.

``run`` is the door. ``evaluate`` says what an expression may be (with ``names``, ``declared``, ``members`` and ``calls``, its four
departments, ``reach`` for the order of bindings and ``values`` for their vocabulary); ``contexts`` says what runs on the loop;
``blocking`` says which single call or event blocks; ``propagate`` carries that through helpers.
"""

from __future__ import annotations
