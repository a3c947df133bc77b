import http from "node:http";
import { Duplex } from "node:stream";

// Visits a server over a connection in memory, so that tests need no port.
export function visit(server, path, form) {
  const [near, far] = connection();
  server.emit("connection", far);
  const body = form && new URLSearchParams(form).toString();
  const headers = body ? { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) } : {};
  const options = { path, method: body === undefined ? "GET" : "POST", headers, createConnection: () => near };
  return new Promise((resolve, reject) => {
    const request = http.request(options, async (response) => {
      let text = "";
      for await (const piece of response) text += piece;
      near.destroy();
      far.destroy();
      resolve({ status: response.statusCode, location: response.headers.location, text });
    });
    request.on("error", reject);
    request.end(body);
  });
}

// What goes in at one end comes out at the other.
function connection() {
  const end = () => new Duplex({
    read() {},
    write(piece, _encoding, done) { this.other.push(piece); done(); },
    final(done) { this.other.push(null); done(); },
  });
  const [near, far] = [end(), end()];
  [near.other, far.other] = [far, near];
  return [near, far];
}
