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
    this.#items.push({ id: this.#next, name: trimmed, inBasket: false });
    this.#next += 1;
    return true;
  }

  // Gives back whether there is such an item.
  tick(id) {
    const item = this.#items.find((item) => item.id === id);
    if (!item) return false;
    item.inBasket = !item.inBasket;
    return true;
  }
}
