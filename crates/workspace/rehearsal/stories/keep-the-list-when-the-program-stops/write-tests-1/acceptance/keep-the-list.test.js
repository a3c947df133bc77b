import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ShoppingList } from "../list.js";
import { createServer } from "../server.js";
import { visit } from "./visit.js";

async function inFolder(work) {
  const folder = await mkdtemp(join(tmpdir(), "list-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a list is there again after a new start, with what is in the basket", () => inFolder(async (folder) => {
  const file = join(folder, "data", "list.json");
  const before = createServer(await ShoppingList.open(file));
  await visit(before, "/items", { name: "Milk" });
  await visit(before, "/items", { name: "Bread" });
  await visit(before, "/items/2/basket", {});
  const after = createServer(await ShoppingList.open(file));
  assert.equal((await visit(after, "/")).text, (await visit(before, "/")).text);
  await visit(after, "/items", { name: "Salt" });
  assert.match((await visit(after, "/")).text, /items\/3\/basket/);
}));

test("nothing half-written is left beside it", () => inFolder(async (folder) => {
  const list = await ShoppingList.open(join(folder, "list.json"));
  await list.add("Milk");
  await list.add("Bread");
  assert.deepEqual(await readdir(folder), ["list.json"]);
}));

test("a file that is no list is named and left alone", () => inFolder(async (folder) => {
  const file = join(folder, "list.json");
  await writeFile(file, "{");
  await assert.rejects(ShoppingList.open(file), /list\.json is not a shopping list/);
}));
