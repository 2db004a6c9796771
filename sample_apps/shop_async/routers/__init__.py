"""One module per part of the shop; each calls its router ``router``."""
