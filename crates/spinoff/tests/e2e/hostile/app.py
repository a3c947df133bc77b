"""An application that does whatever it is told: POST a program to /run, and get what it prints.

Like many real ones it insists on a second port of its own, the same in every instance.
"""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Obedient(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"at your service")

    def do_POST(self):
        program = self.rfile.read(int(self.headers["content-length"]))
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
        self.answer(ran.stdout + b"\n" + ran.stderr + b"\nexit %d\n" % ran.returncode)

    def answer(self, body):
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


fixed = ThreadingHTTPServer(("127.0.0.1", 5000), Obedient)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Obedient).serve_forever()
