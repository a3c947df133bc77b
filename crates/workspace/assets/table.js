// The table works without this script: each row has a button that saves it. Here a row is saved as soon as
// something in it was chosen, and rows that others change are shown as they are now.
"use strict";

document.documentElement.classList.add("saves");

document.addEventListener("change", (event) => {
  if (event.target.id === "all") {
    for (const box of document.querySelectorAll('input[name="chosen"]')) box.checked = event.target.checked;
    return;
  }
  const form = event.target.form;
  if (form && "row" in form.dataset) form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  if (!("row" in event.target.dataset)) return;
  event.preventDefault();
  save(event.target);
});

// What was chosen while a row was being saved is saved after it, on top of what came of it.
const saving = new Map();

async function save(form) {
  const row = form.closest("tr").id;
  if (saving.has(row)) { saving.set(row, true); return; }
  saving.set(row, false);
  const fields = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body: fields }).catch(() => undefined);
  const again = saving.get(row);
  saving.delete(row);
  if (!answer) return tell("The notebook cannot be reached, so nothing was saved. Try again in a moment.");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(row);
  if (!fresh) return tell("It was not saved. Reload the page to see why.");
  tell(fresh.querySelector("[data-said]")?.textContent || "Saved.");
  const now = document.getElementById(row);
  if (again && answer.ok) {
    const revision = (part) => part.querySelector('input[name="based_on"]');
    revision(now).value = revision(fresh).value;
    save(now.querySelector("form[data-row]"));
  } else if (now) replace(now, fresh);
}

function replace(now, fresh) {
  const focused = now.contains(document.activeElement) ? document.activeElement.id : "";
  const box = now.querySelector('input[name="chosen"]');
  const isChosen = box?.checked;
  now.replaceWith(document.adoptNode(fresh));
  const chosen = fresh.querySelector('input[name="chosen"]');
  if (chosen && isChosen) chosen.checked = true;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

// Others changed something. A row in which somebody is writing is left as it is: saving it says what changed.
document.addEventListener("notebook-changed", async () => {
  const answer = await fetch(location.href).catch(() => undefined);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const fresh of [...page.querySelectorAll("tr[data-revision]")]) {
    const now = document.getElementById(fresh.id);
    if (!now || now.dataset.revision === fresh.dataset.revision) continue;
    if (now.contains(document.activeElement) || saving.has(now.id) || isTouched(now)) continue;
    replace(now, fresh);
  }
});

function isTouched(row) {
  const fields = [...row.querySelectorAll("select, input:not([type])")];
  return fields.some((field) => field.tagName === "SELECT"
    ? [...field.options].some((option) => option.selected !== option.defaultSelected)
    : field.value !== field.defaultValue);
}
