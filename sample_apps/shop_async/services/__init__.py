"""What the routers call: the legacy modules, moved over as they were."""
