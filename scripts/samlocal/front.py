"""The one address of AWS here, for functions, for programs and for moto's workflows, which call every service at one.

    front.py PORT ADDRESS SERVICE=PORT... other=PORT     ports of this machine, the last for all other services

Passes each call on to the server of the service that it is signed for. Listens on ADDRESS, where containers reach this machine, and on
127.0.0.1, where moto looks for it.
"""
import contextlib
import http.client
import http.server
import re
import sys
import threading
import uuid

port, address, *servers = sys.argv[1:]
servers = dict(s.split("=") for s in servers)
# moto's conditional writes are not atomic when several are made at once.
one_at_a_time = threading.Lock()


class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        scope = re.search(r"Credential=[^/]+/\d+/[^/]+/(\w+)/", self.headers.get("Authorization", ""))
        service = scope[1] if scope else ""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # Without a timeout: a function may take a quarter of an hour.
        upstream = http.client.HTTPConnection("127.0.0.1", servers.get(service, servers["other"]))
        try:
            with one_at_a_time if service == "dynamodb" else contextlib.nullcontext():
                upstream.request(self.command, self.path, body, dict(self.headers))
                answer = upstream.getresponse()
                content = answer.read()
        except (OSError, http.client.HTTPException) as e:
            self.send_error(502, f"{service}: {e}")
            return
        finally:
            upstream.close()
        self.send_response_only(answer.status)
        headers = {name: value for name, value in answer.getheaders()
                   if name.lower() not in ("connection", "transfer-encoding")}
        if self.command != "HEAD":
            headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
            headers["Content-Length"] = len(content)
        if service == "lambda":
            headers["x-amzn-RequestId"] = uuid.uuid4()  # moto wants one with a function's error, and SAM gives none
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = pass_on

    def log_message(self, format, *args):
        pass


for place in {address, "127.0.0.1"}:
    threading.Thread(target=http.server.ThreadingHTTPServer((place, int(port)), Front).serve_forever).start()
