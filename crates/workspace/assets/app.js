// The page of the app works without this script: it shows what the app says as it says it, and how it is.
"use strict";

const log = () => document.getElementById("log");
let place = log().dataset.from;

follow();

// One stream while the page is looked at, none while it is hidden.
function follow() {
  let stream;
  const hear = (event, isWhole) => {
    place = event.lastEventId;
    say(JSON.parse(event.data).text, isWhole);
  };
  const open = () => {
    stream = new EventSource(`/app/log?from=${encodeURIComponent(place)}`);
    stream.addEventListener("piece", (event) => hear(event, false));
    stream.addEventListener("whole", (event) => hear(event, true));
  };
  const close = () => { stream?.close(); stream = undefined; };
  if (!document.hidden) open();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close(); else if (!stream) open();
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => { if (event.persisted && !stream) open(); });
}

// Who reads further up is left there; who is at the end stays at the end.
function say(text, isWhole) {
  const shown = log();
  const isAtEnd = shown.scrollHeight - shown.scrollTop - shown.clientHeight < 40;
  if (isWhole) shown.textContent = text; else shown.append(text);
  if (isAtEnd) shown.scrollTop = shown.scrollHeight;
}

let looking;
let again = false;
let later;

// What changes about the app is shown at once; of what else happens, only whether there is something newer.
document.addEventListener("notebook-changed", (event) => {
  if (!event.detail.noun || event.detail.noun === "app") look();
  else later ??= setTimeout(() => { later = undefined; look(); }, 3000);
});

// Only how it is is replaced: the log goes on by itself.
async function look() {
  if (looking) { again = true; return; }
  looking = fetch("/app").then((answer) => answer.ok ? answer.text() : undefined).catch(() => undefined);
  const text = await looking;
  looking = undefined;
  const fresh = text && new DOMParser().parseFromString(text, "text/html").getElementById("app");
  const shown = document.getElementById("app");
  if (fresh && fresh.innerHTML !== shown.innerHTML) {
    const focused = shown.contains(document.activeElement) && document.activeElement.id;
    shown.replaceChildren(...document.adoptNode(fresh).childNodes);
    localTimes();
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  if (again) { again = false; look(); }
}

log().scrollTop = log().scrollHeight;
