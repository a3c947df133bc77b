// Shows the files of the folder it is started in, and nothing outside of it, on the port in PORT.
const { createServer } = require("node:http");
const { createReadStream, realpathSync, statSync } = require("node:fs");
const { extname, join, sep } = require("node:path");
const KINDS = { ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".ico": "image/x-icon", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8" };
const home = realpathSync(".");
function find(address) {
  const path = decodeURIComponent(new URL(address, "http://here").pathname);
  if (path.split("/").some((part) => part.startsWith("."))) return undefined;
  let file = realpathSync(join(home, path));
  if (statSync(file).isDirectory()) file = realpathSync(join(file, "index.html"));
  return file.startsWith(home + sep) && statSync(file).isFile() ? file : undefined;
}
createServer((request, response) => {
  let file;
  try { file = find(request.url); } catch { file = undefined; }
  if (!file) return response.writeHead(404, { "content-type": "text/plain" }).end("There is nothing here.\n");
  response.writeHead(200, { "content-type": KINDS[extname(file)] ?? "application/octet-stream" });
  createReadStream(file).on("error", () => response.destroy()).pipe(response);
}).listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => console.log("The files are shown."));
