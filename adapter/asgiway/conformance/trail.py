"""Which line of the application ran last: where a library acts later on, such as for a view's response, this is the nearest.

``sys.setprofile`` tells of every function that returns, and of every generator that yields, on this thread.
"""

from __future__ import annotations

import sys
from types import FrameType

from asgiway.conformance.findings import Place, Places

__all__ = ["Trail"]


class Trail:
    """Follows the application while it runs inside the ``with`` block; can be entered again.

    Parameters:
        places: knows the application's source.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._top: FrameType | None = None
        self._began = False
        self.own: Place | None = None
        """The application's line that returned or yielded last."""
        self.top: Place | None = None
        """Where the first function that was called in the block returned."""

    def nearest(self, place: Place | None) -> Place | None:
        """`place` if it is the application's, or else the application's line that is nearest to it, if there is one."""
        return place if place is not None and place.own else self.own or place

    def __enter__(self) -> None:
        self._previous = sys.getprofile()
        sys.setprofile(self._profile)

    def __exit__(self, *exc_info: object) -> None:
        sys.setprofile(self._previous)
        self._top = None

    def _profile(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and not self._began:
            self._began = True
            self._top = frame
        elif event == "return":
            code = frame.f_code
            if frame is self._top:
                self._top = None
                self.top = self._places.of_code(code, frame.f_lineno)
            if self._places.is_own(code):
                self.own = Place(code.co_filename, frame.f_lineno, exact=False)
