"""Runs in a pod: prints each notification that Alertmanager posts, a line of JSON each."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Pager(BaseHTTPRequestHandler):
    """Takes what a webhook of Alertmanager sends."""

    def do_POST(self) -> None:
        """Print the body, in one line."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(json.dumps(json.loads(body)), flush=True)
        self.send_response(200)
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8080), Pager).serve_forever()
