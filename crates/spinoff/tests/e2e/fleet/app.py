"""An application of which there are many releases: `app.py VERSION [FLAW]`.

It keeps a journal of its starts and the work that was done with it. Its flaws, all of them once seen in real releases:
`exits` never comes up; `dies` is well for a moment, and after that never again; `lies` says that it is another version;
`loses` destroys what it finds before it fails.
"""

import json
import os
import shutil
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

version, flaw = sys.argv[1], (sys.argv + [""])[2]
data = Path(os.environ["DATA"])

with open(data / "starts", "a") as starts:
    starts.write(version + "\n")

if flaw == "exits":
    sys.exit("a migration failed: no such column")
if flaw == "loses":
    for thing in data.iterdir():
        shutil.rmtree(thing) if thing.is_dir() else thing.unlink()
    sys.exit("a migration failed half-way")
if flaw == "dies":
    if (data / "died").exists():
        sys.exit("it remembers how it died")
    threading.Timer(4, lambda: ((data / "died").touch(), os._exit(1))).start()


class Notebook(BaseHTTPRequestHandler):
    def do_GET(self):
        says = "0.0.0" if flaw == "lies" else version
        body = json.dumps({"version": says, "starts": (data / "starts").read_text().split()}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Notebook).serve_forever()
