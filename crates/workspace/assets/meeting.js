// A meeting works without this script: it shows words as they are said, and sends without reloading.
"use strict";

const meeting = document.getElementById("main").dataset.meeting;
const composer = document.querySelector("form[data-composer]");

hear();
if (composer) compose();

// One stream while the page is looked at, none while it is hidden.
function hear() {
  let stream;
  let again;
  let pause = 2000;
  let failed = false;
  const open = () => {
    stream = new EventSource(`${meeting}/events`);
    stream.onopen = () => { if (failed) look(); failed = false; pause = 2000; };
    stream.onerror = ({ target }) => {
      failed = true;
      // A browser gives up when something else answers in the place of the notebook, such as a guard whose notebook starts anew.
      if (target.readyState !== EventSource.CLOSED) return;
      again = setTimeout(open, pause);
      pause = Math.min(2 * pause, 60000);
    };
    stream.addEventListener("changed", look);
    stream.addEventListener("so-far", async (event) => say(JSON.parse(event.data), true));
    stream.addEventListener("piece", (event) => say(JSON.parse(event.data), false));
  };
  const close = () => { clearTimeout(again); stream?.close(); stream = undefined; };
  if (!document.hidden) open();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close(); else if (!stream) { open(); look(); }
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => { if (event.persisted && !stream) { open(); look(); } });
}

// Until the answer is whole it is shown as plain text; then the page has it with all its marks.
const heard = { answer: 0, text: "" };

function say({ answer, text }, isWhole) {
  if (isWhole || heard.answer !== answer) Object.assign(heard, { answer, text: "" });
  heard.text += text;
  show();
}

function show() {
  const words = document.querySelector(`[data-answer="${heard.answer}"] .spoken`);
  if (!words) return;
  const isAtEnd = window.innerHeight + window.scrollY > document.body.scrollHeight - 160;
  words.classList.add("plain");
  words.textContent = heard.text;
  if (isAtEnd) window.scrollTo(0, document.body.scrollHeight);
}

let looking;
let again = false;

async function look() {
  if (looking) { again = true; return; }
  looking = fetch(meeting).then((answer) => answer.ok ? answer.text() : undefined).catch(() => undefined);
  const text = await looking;
  looking = undefined;
  if (text) take(new DOMParser().parseFromString(text, "text/html"));
  if (again) { again = false; look(); }
}

// Only what changed is replaced, so that reading and writing go on undisturbed.
function take(page) {
  const talk = document.getElementById("talk");
  const fresh = [...(page.getElementById("talk")?.children ?? [])];
  const old = [...talk.children];
  fresh.forEach((turn, index) => {
    const before = old[index];
    if (!before) talk.append(document.adoptNode(turn));
    else if (essence(before) !== essence(turn) && !before.contains(document.activeElement)) before.replaceWith(document.adoptNode(turn));
  });
  old.slice(fresh.length).forEach((turn) => turn.remove());
  for (const id of ["undecided", "standing", "about"]) {
    const [now, next] = [document.getElementById(id), page.getElementById(id)];
    if (next && now.innerHTML !== next.innerHTML) now.replaceChildren(...document.adoptNode(next).childNodes);
  }
  for (const reload of document.querySelectorAll("[data-reload]")) reload.parentElement.lastChild.textContent = "";
  if (heard.text) show();
}

// What is told of a turn; that time passes is nothing new.
function essence(turn) {
  const copy = turn.cloneNode(true);
  for (const time of copy.querySelectorAll("time")) time.remove();
  return copy.outerHTML;
}

function compose() {
  const field = composer.elements.text;
  const state = composer.querySelector("[data-state]");
  const draft = `draft:${meeting}`;
  field.value ||= sessionStorage.getItem(draft) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(draft, field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); composer.requestSubmit(); }
  });
  composer.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.value;
    state.textContent = "Sending…";
    const body = new URLSearchParams({ text });
    const answer = await fetch(composer.action, { method: "POST", body }).catch(() => undefined);
    if (!answer?.ok) {
      state.textContent = answer ? "It was refused. Reload the page to see why; your text stays here." : "The workspace cannot be reached, so nothing was sent. Try again in a moment.";
      return;
    }
    state.textContent = "";
    if (field.value === text) field.value = "";
    sessionStorage.removeItem(draft);
    field.focus();
    take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  });
}
