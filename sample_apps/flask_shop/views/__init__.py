"""The blueprints, one per module; each calls itself ``pages``."""
