// Pages work without this script. It shows changes of others as they happen, and keeps a person
// from leaving unsaved words behind.
"use strict";

const main = () => document.getElementById("main");
const news = document.getElementById("news");
const form = document.querySelector("form[data-guarded]");
let drawn = main().innerHTML;

// What was just done is said once; the address should not say it again.
if (document.querySelector("[data-flash]")) history.replaceState(null, "", location.pathname + location.hash);

localTimes();
if (form) guard(form);
takeUp();
listen();

function localTimes() {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  for (const time of document.querySelectorAll("time[data-clock]")) time.textContent = clock.format(new Date(time.dateTime));
  for (const time of document.querySelectorAll("time[datetime]")) time.title = format.format(new Date(time.dateTime));
}

function guard(form) {
  const state = form.querySelector("[data-state]");
  const before = contents(form);
  let leaving = false;
  const isDirty = () => "dirty" in form.dataset || contents(form) !== before;
  form.addEventListener("input", () => { state.textContent = isDirty() ? "Not saved yet" : ""; });
  form.addEventListener("submit", () => { leaving = true; state.textContent = "Saving…"; });
  form.querySelector("[data-leave]")?.addEventListener("click", () => { leaving = true; });
  window.addEventListener("beforeunload", (event) => { if (!leaving && isDirty()) event.preventDefault(); });
  window.addEventListener("pageshow", () => { leaving = false; });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") { event.preventDefault(); form.requestSubmit(); }
  });
}

function contents(form) {
  return JSON.stringify([...new FormData(form)]);
}

// One stream while the page is looked at, none while it is hidden.
function listen() {
  let stream;
  let again;
  let pause = 2000;
  let failed = false;
  const open = (isBack) => {
    if (isBack) changed({});
    stream = new EventSource("/events");
    stream.onopen = () => { if (failed) changed({}); failed = false; pause = 2000; };
    stream.onerror = ({ target }) => {
      failed = true;
      // A browser gives up when something else answers in the place of the notebook, such as a guard whose notebook starts anew.
      if (target.readyState !== EventSource.CLOSED) return;
      again = setTimeout(() => open(false), pause);
      pause = Math.min(2 * pause, 60000);
    };
    stream.addEventListener("changed", (event) => changed(JSON.parse(event.data)));
  };
  const close = () => { clearTimeout(again); stream?.close(); stream = undefined; };
  if (!document.hidden) open(false);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close(); else if (!stream) open(true);
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => { if (event.persisted && !stream) open(true); });
}

function changed(notice) {
  if (!notice.noun || notice.noun === "app") lookAtApp();
  document.dispatchEvent(new CustomEvent("notebook-changed", { detail: notice }));
  const { document: shown, revision } = main().dataset;
  const isThis = Boolean(shown) && notice.document === shown && notice.revision !== revision;
  if ("live" in main().dataset) refresh(isThis || !shown ? notice : {});
  else if (isThis) warn(notice);
}

async function refresh(notice) {
  const answer = await fetch(location.href).catch(() => undefined);
  if (!answer || !swap(await answer.text())) return;
  if (!notice.by || notice.by === (document.body.dataset.user ?? "you")) return;
  tell(`${notice.by} ${notice.revision ? "changed" : "deleted"} a ${notice.noun}.`);
}

// What there is to know of the app is said on every page, also beside a form that is being filled in.
async function lookAtApp() {
  const answer = await fetch("/app/news").catch(() => undefined);
  if (!answer?.ok) return;
  const text = await answer.text();
  const shown = document.getElementById("app-news");
  const fresh = new DOMParser().parseFromString(text, "text/html").body;
  if (fresh.textContent.trim() === shown.dataset.said) return;
  shown.dataset.said = fresh.textContent.trim();
  shown.replaceChildren(...document.adoptNode(fresh).childNodes);
  localTimes();
}

document.addEventListener("submit", async (event) => {
  if (!("quietly" in event.target.dataset)) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, event.submitter));
  const answer = await fetch(event.target.action, { method: "POST", body }).catch(() => undefined);
  if (!answer) return tell("The workspace cannot be reached, so nothing was done. Try again in a moment.");
  tell(answer.ok ? "Done." : "It was refused. The page “App” says how it is.");
  lookAtApp();
});

// Small forms (a mark, a move) are sent without leaving the place on the page.
document.addEventListener("submit", (event) => {
  if (!("inPlace" in event.target.dataset)) return;
  event.preventDefault();
  send(event.target.action, new FormData(event.target, event.submitter));
});

// A file that is too large is refused before it was sent.
document.addEventListener("change", (event) => {
  const { most } = event.target.dataset;
  if (!most || event.target.type !== "file") return;
  const isTooLarge = [...event.target.files].some((file) => file.size > Number(most));
  event.target.setCustomValidity(isTooLarge ? "This file is larger than 10 MB. Make it smaller, or put it elsewhere and write its address into the text." : "");
  event.target.reportValidity();
});

async function send(action, fields) {
  const answer = await fetch(action, { method: "POST", body: new URLSearchParams(fields) }).catch(() => undefined);
  if (!answer) return tell("The notebook cannot be reached, so nothing was saved. Try again in a moment.");
  const text = await answer.text();
  const said = new DOMParser().parseFromString(text, "text/html").querySelector("[data-flash]")?.textContent;
  swap(text);
  if (answer.ok) tell(said ?? "Saved.");
  // What was pressed may not be there any more in another column; the keyboard goes with the card.
  const card = new URL(action, location.href).pathname.replace(/\/(status|place)$/, "");
  if (document.activeElement !== document.body) return;
  const there = main().querySelector(`a[href="${CSS.escape(card)}"]`);
  if (there) there.focus(); else main().focus({ preventScroll: true });
}

function swap(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.getElementById("main");
  fresh?.querySelector("[data-flash]")?.remove();
  if (!fresh || fresh.innerHTML === drawn) return false;
  drawn = fresh.innerHTML;
  const focused = document.activeElement;
  const caret = focused?.selectionStart;
  keep(main(), fresh);
  // What the page said when it came must not be gone before it was read.
  const said = main().querySelector("[data-flash]")?.textContent;
  const key = focused?.id ? `#${CSS.escape(focused.id)}` : focused?.getAttribute("href") && `a[href="${CSS.escape(focused.getAttribute("href"))}"]`;
  main().replaceWith(document.adoptNode(fresh));
  document.title = page.title;
  if (said) tell(said);
  localTimes();
  const again = key ? main().querySelector(key) : undefined;
  again?.focus({ preventScroll: true });
  if (again?.localName === "textarea") again.setSelectionRange(caret, caret);
  return true;
}

// What somebody is writing stays when the page is drawn anew, and when it is reloaded.
function keep(old, fresh) {
  for (const field of old.querySelectorAll("form[data-keep] :is(textarea, select)[id]")) {
    const next = fresh.querySelector(`#${CSS.escape(field.id)}`);
    if (next) next.value = field.value;
  }
  for (const part of old.querySelectorAll("details[id][open]")) fresh.querySelector(`#${CSS.escape(part.id)}`)?.setAttribute("open", "");
}

function draft(field) {
  return `draft:${location.pathname}#${field.id}`;
}

function takeUp() {
  for (const field of main().querySelectorAll("form[data-keep] textarea[id]")) {
    field.value ||= sessionStorage.getItem(draft(field)) ?? "";
    if (field.value) field.closest("details")?.setAttribute("open", "");
  }
}

document.addEventListener("input", ({ target }) => {
  if (target.matches("form[data-keep] textarea[id]")) sessionStorage.setItem(draft(target), target.value);
});
document.addEventListener("submit", ({ target }) => {
  for (const field of target.querySelectorAll("textarea[id]")) sessionStorage.removeItem(draft(field));
});

function warn(notice) {
  const link = document.createElement("a");
  link.href = notice.revision ? `${notice.document}/history` : "/deleted";
  link.target = "_blank";
  link.textContent = "See it in another tab";
  const words = notice.revision ? "saved a new version while you are writing. Your text stays here. " : "deleted this while you are writing. Your text stays here. ";
  const who = notice.by === (document.body.dataset.user ?? "you") ? "You, in another window," : notice.by;
  news.replaceChildren(`${who} ${words}`, link);
}

function tell(text) {
  news.textContent = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { news.textContent = ""; }, 6000);
}
