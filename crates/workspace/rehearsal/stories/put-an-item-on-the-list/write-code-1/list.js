// What is to be bought, in the order it was thought of.
export class ShoppingList {
  #items = [];
  #next = 1;

  get items() {
    return [...this.#items];
  }

  // Gives back whether there was something to put on the list.
  add(name) {
    const trimmed = String(name ?? "").trim().slice(0, 100);
    if (!trimmed) return false;
    this.#items.push({ id: this.#next, name: trimmed });
    this.#next += 1;
    return true;
  }
}
