// Cards are dragged with a mouse anywhere on them, with a finger by their grip. The board works without
// this script: every card has buttons that do the same.
"use strict";

const FAR = 6;
let drag;

document.documentElement.classList.add("drags");

document.addEventListener("pointerdown", (event) => {
  const card = event.target.closest(".board [data-card]");
  const isGrip = Boolean(event.target.closest(".grip"));
  if (!card || !card.querySelector(".moves") || event.button !== 0 || drag) return;
  if (event.target.closest("button") || (event.pointerType !== "mouse" && !isGrip)) return;
  drag = { card, pointer: event.pointerId, x: event.clientX, y: event.clientY, scroll: window.scrollY, mark: undefined };
});

document.addEventListener("pointermove", (event) => {
  if (event.pointerId !== drag?.pointer) return;
  const [right, down] = [event.clientX - drag.x, event.clientY - drag.y];
  if (!drag.mark && Math.hypot(right, down) < FAR) return;
  if (!drag.mark) begin();
  if (!drag.card.isConnected) return end();
  scrollNear(event.clientY);
  drag.card.style.translate = `${right}px ${down + window.scrollY - drag.scroll}px`;
  mark(event.clientX, event.clientY);
});

document.addEventListener("pointerup", (event) => {
  if (event.pointerId !== drag?.pointer) return;
  const { card, mark: spot } = drag;
  const column = spot?.closest("[data-status]");
  const isGone = Boolean(spot) && !card.isConnected;
  const before = next(spot, card);
  const isSame = column && column === card.closest("[data-status]") && before === next(card, card);
  end();
  if (isGone) return tell("The board changed while you dragged, so nothing was moved. Try again.");
  if (!column || isSame) return;
  card.querySelector("h4 a").focus({ preventScroll: true });
  const action = card.querySelector(".moves").action;
  send(action, { status: column.dataset.status, before: before ? decodeURIComponent(before.dataset.card) : "" });
});

document.addEventListener("pointercancel", (event) => { if (event.pointerId === drag?.pointer) end(); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) end(); });
// The browser would drag the link itself.
document.addEventListener("dragstart", (event) => { if (event.target.closest?.(".board")) event.preventDefault(); });

function begin() {
  drag.mark = document.createElement("li");
  drag.mark.className = "spot";
  drag.mark.setAttribute("aria-hidden", "true");
  drag.card.classList.add("dragged");
  document.documentElement.classList.add("dragging");
  // The click that ends it must not open the card.
  window.addEventListener("click", swallow, { capture: true, once: true });
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

function end() {
  const { card, mark: spot } = drag;
  drag = undefined;
  card.classList.remove("dragged");
  card.style.translate = "";
  document.documentElement.classList.remove("dragging");
  spot?.remove();
  // Where no click followed, the next one is meant.
  setTimeout(() => window.removeEventListener("click", swallow, { capture: true }));
}

// The line that shows where the card would lie.
function mark(x, y) {
  const column = document.elementFromPoint(x, y)?.closest(".board [data-status]");
  if (!column) return;
  const cards = [...column.querySelectorAll("[data-card]")].filter((card) => card !== drag.card);
  const below = cards.find((card) => { const box = card.getBoundingClientRect(); return y < box.top + box.height / 2; });
  if (below) below.before(drag.mark);
  else if (column.querySelector("ul")) column.querySelector("ul").append(drag.mark);
  else column.querySelector(".hint").after(drag.mark);
}

function next(from, card) {
  let other = from?.nextElementSibling;
  while (other && (other === card || !other.dataset.card)) other = other.nextElementSibling;
  return other ?? undefined;
}

function scrollNear(y) {
  if (y < 48) window.scrollBy(0, -12);
  else if (y > window.innerHeight - 48) window.scrollBy(0, 12);
}
