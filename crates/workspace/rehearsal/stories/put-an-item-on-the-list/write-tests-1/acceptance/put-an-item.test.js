import assert from "node:assert/strict";
import { test } from "node:test";
import { ShoppingList } from "../list.js";
import { createServer } from "../server.js";
import { visit } from "./visit.js";

test("an empty list says so and has a form", async () => {
  const page = await visit(createServer(new ShoppingList()), "/");
  assert.equal(page.status, 200);
  assert.match(page.text, /Nothing to buy/);
  assert.match(page.text, /<form method="post" action="\/items"/);
});

test("what is put on the list is shown, in the order it came", async () => {
  const server = createServer(new ShoppingList());
  const answer = await visit(server, "/items", { name: " Milk " });
  assert.equal(answer.status, 303);
  assert.equal(answer.location, "/");
  await visit(server, "/items", { name: "Bread" });
  const { text } = await visit(server, "/");
  assert.ok(text.indexOf("Milk") > 0 && text.indexOf("Milk") < text.indexOf("Bread"), text);
});

test("an empty name is refused in words", async () => {
  const server = createServer(new ShoppingList());
  const answer = await visit(server, "/items", { name: "   " });
  assert.equal(answer.status, 422);
  assert.match(answer.text, /Write what to buy/);
  assert.match((await visit(server, "/")).text, /Nothing to buy/);
});

test("a name is shown as text, never as HTML", async () => {
  const server = createServer(new ShoppingList());
  await visit(server, "/items", { name: "<b>Milk</b>" });
  assert.match((await visit(server, "/")).text, /&lt;b&gt;Milk&lt;\/b&gt;/);
});
