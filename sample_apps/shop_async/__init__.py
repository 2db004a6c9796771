"""Spoke & Saddle half-way through its migration: FastAPI, ``async def`` handlers, and the old blocking calls inside.

It runs (``uvicorn shop_async.main:app`` from the folder above, with psycopg2-binary and python-multipart besides
``asgiway[demo]``) and answers correctly, one visitor at a time: that is what such a port is like, and what asgiway-lint
is for. Every call that blocks the event loop is marked at the end of
its line with what the linter is to report::

    time.sleep(0.1)  # AW101: time.sleep                       called by name
    self.client.get(url)  # AW102 typed: requests.Session.get  a method; the receiver's type has to be known
    rates.current()  # AW102 via: current -> requests.get      behind helpers, here or in other modules

Lines without such a mark are right as they are.
"""
