"""``python -m rates_service [--port N]``: the rates service in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys

from rates_service.server import RatesService


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; 2 when the port is taken."""
    parser = argparse.ArgumentParser(prog="rates_service", description="Exchange rates for the sample shops.")
    parser.add_argument("--port", type=int, default=8100, help="default %(default)s; 0 takes a free one")
    options = parser.parse_args(argv)
    try:
        service = RatesService(options.port)
    except OSError as error:
        print(f"rates_service: cannot listen on 127.0.0.1:{options.port}: {error.strerror}", file=sys.stderr)
        return 2
    # Blocked before the server's thread starts, so that sigwait below is the only one who gets them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with service:
        print(f"Rates on {service.url}/rates, Ctrl-C ends", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    sys.exit(main())
