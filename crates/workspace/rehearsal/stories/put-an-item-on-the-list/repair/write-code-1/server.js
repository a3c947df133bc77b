import http from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ShoppingList } from "./list.js";
import { page } from "./page.js";

const LARGEST_FORM = 10_000;

export function createServer(list) {
  return http.createServer(async (request, response) => {
    const show = (status, trouble) => {
      response.writeHead(status, { "content-type": "text/html; charset=utf-8" }).end(page(list, trouble));
    };
    const back = () => response.writeHead(303, { location: "/" }).end();
    const { pathname } = new URL(request.url, "http://list");
    if (request.method === "GET" && pathname === "/") return show(200);
    if (request.method === "POST" && pathname === "/items") {
      const form = await read(request);
      if (list.has(form.get("name"))) return show(422, "That is on the list already.");
      return await list.add(form.get("name")) ? back() : show(422, "Write what to buy first.");
    }
    const ticked = pathname.match(/^\/items\/(\d+)\/basket$/);
    if (request.method === "POST" && ticked) {
      return await list.tick(Number(ticked[1])) ? back() : show(404, "That is not on the list any more.");
    }
    return show(404, "There is nothing at this address.");
  });
}

async function read(request) {
  let body = "";
  for await (const piece of request) {
    body += piece;
    if (body.length > LARGEST_FORM) break;
  }
  return new URLSearchParams(body);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const port = Number(process.env.PORT ?? 3000);
  const host = process.env.HOST ?? "127.0.0.1";
  const list = await ShoppingList.open(join(process.env.DATA ?? "data", "list.json"));
  createServer(list).listen(port, host, () => console.log(`Open http://${host}:${port}`));
}
