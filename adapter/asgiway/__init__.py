"""asgiway: run a WSGI application inside ASGI."""
