import assert from "node:assert/strict";
import { test } from "node:test";
import { ShoppingList } from "../list.js";
import { createServer } from "../server.js";
import { visit } from "./visit.js";

async function withMilkAndBread() {
  const server = createServer(new ShoppingList());
  await visit(server, "/items", { name: "Milk" });
  await visit(server, "/items", { name: "Bread" });
  return server;
}

const states = (text) => [...text.matchAll(/aria-pressed="(true|false)"/g)].map((found) => found[1]);

test("each item has a button that says whether it is in the basket", async () => {
  const { text } = await visit(await withMilkAndBread(), "/");
  assert.deepEqual(states(text), ["false", "false"]);
});

test("a ticked item is in the basket, the others are not", async () => {
  const server = await withMilkAndBread();
  const answer = await visit(server, "/items/2/basket", {});
  assert.equal(answer.status, 303);
  assert.deepEqual(states((await visit(server, "/")).text), ["false", "true"]);
});

test("what was ticked by mistake can be taken back", async () => {
  const server = await withMilkAndBread();
  await visit(server, "/items/1/basket", {});
  await visit(server, "/items/1/basket", {});
  assert.deepEqual(states((await visit(server, "/")).text), ["false", "false"]);
});

test("an item that is not there is refused in words", async () => {
  const answer = await visit(await withMilkAndBread(), "/items/9/basket", {});
  assert.equal(answer.status, 404);
});
