import assert from "node:assert/strict";
import { test } from "node:test";
import { ShoppingList } from "../list.js";
import { createServer } from "../server.js";
import { visit } from "./visit.js";

test("what is on the list already is refused in words, in capitals or not", async () => {
  const server = createServer(new ShoppingList());
  await visit(server, "/items", { name: "Milk" });
  for (const name of ["Milk", " MILK "]) {
    const answer = await visit(server, "/items", { name });
    assert.equal(answer.status, 422);
    assert.match(answer.text, /is on the list already/);
  }
  const { text } = await visit(server, "/");
  assert.equal(text.match(/milk/gi).length, 1, text);
});

test("something else can still be put on it", async () => {
  const server = createServer(new ShoppingList());
  await visit(server, "/items", { name: "Milk" });
  assert.equal((await visit(server, "/items", { name: "Milk rice" })).status, 303);
});
