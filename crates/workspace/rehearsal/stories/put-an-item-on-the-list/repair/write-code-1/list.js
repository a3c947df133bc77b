import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

const tidy = (name) => String(name ?? "").trim().slice(0, 100);

// What is to be bought, in the order it was thought of; kept in a file if it has one.
export class ShoppingList {
  #items = [];
  #file;
  #saved = Promise.resolve();

  static async open(file) {
    const list = new ShoppingList();
    list.#file = file;
    await mkdir(dirname(file), { recursive: true });
    try {
      list.#items = JSON.parse(await readFile(file, "utf8")).items.map(({ id, name, inBasket }) => ({ id, name, inBasket }));
    } catch (error) {
      if (error.code !== "ENOENT") throw new Error(`${file} is not a shopping list; move it away and start again`);
    }
    return list;
  }

  get items() {
    return [...this.#items];
  }

  // Whether that is on the list, in capitals or not.
  has(name) {
    const wanted = tidy(name).toLowerCase();
    return this.#items.some((item) => item.name.toLowerCase() === wanted);
  }

  // Gives back whether there was something to put on the list.
  async add(name) {
    const trimmed = tidy(name);
    if (!trimmed) return false;
    const id = Math.max(0, ...this.#items.map((item) => item.id)) + 1;
    this.#items.push({ id, name: trimmed, inBasket: false });
    await this.#save();
    return true;
  }

  // Gives back whether there is such an item.
  async tick(id) {
    const item = this.#items.find((item) => item.id === id);
    if (!item) return false;
    item.inBasket = !item.inBasket;
    await this.#save();
    return true;
  }

  // One after the other, and never half of a file: it is written beside the old one first.
  #save() {
    if (!this.#file) return Promise.resolve();
    const text = JSON.stringify({ items: this.#items }, null, 2);
    this.#saved = this.#saved.catch(() => {}).then(async () => {
      await writeFile(`${this.#file}.new`, text);
      await rename(`${this.#file}.new`, this.#file);
    });
    return this.#saved;
  }
}
