// Live parts only: every page works without this file.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (selector, within = document) => within.querySelector(selector);

// Times: ages grow while a page stays open, counted from the server's clock, and clocks are shown
// in the reader's own zone.
const opened = performance.now();
const serverNow = Date.parse(document.documentElement.dataset.now || "");

function age(seconds) {
  if (seconds <= 0) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86400);
  return days === 1 ? "1 day ago" : `${days} days ago`;
}

function showAges() {
  const now = serverNow + performance.now() - opened;
  for (const time of all("time[data-show=age]")) {
    const text = age(Math.floor((now - Date.parse(time.dateTime)) / 1000));
    if (time.textContent !== text) time.textContent = text;
  }
}

function showClocks() {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of all("time[data-show]")) {
    const utc = time.title;
    const local = format.format(new Date(time.dateTime));
    time.title = `${local} (${utc})`;
    if (time.dataset.show === "clock") time.textContent = local;
  }
}

if (!Number.isNaN(serverNow)) {
  showClocks();
  setInterval(showAges, 1000);
}

// What is being made or started is looked for again, unless nobody is looking.
if (one("[data-reload]")) {
  setInterval(() => { if (!document.hidden) location.reload(); }, 5000);
}

// A form is sent once, however often its button is pressed.
for (const form of all("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    for (const button of all("button", form)) button.setAttribute("aria-disabled", "true");
  });
}
addEventListener("pageshow", () => {
  for (const form of all("form[data-once]")) {
    delete form.dataset.sent;
    for (const button of all("button", form)) button.removeAttribute("aria-disabled");
  }
});

// The calculator: whole cents, never fractions.
for (const form of all("[data-calculator]")) {
  const [slider, number] = all("input", form);
  const output = one("output", form);
  const price = (cents) => {
    const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
    return form.dataset.zero.replace("0.00", () => amount);
  };
  const update = (from, to) => {
    const hours = Math.min(744, Math.max(0, Math.floor(Number(from.value)) || 0));
    to.value = hours;
    output.value = price(Number(form.dataset.base) + hours * Number(form.dataset.hour));
  };
  slider.addEventListener("input", () => update(slider, number));
  number.addEventListener("input", () => update(number, slider));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  all("[data-without-script]", form.parentElement).forEach((table) => { table.hidden = true; });
}

// Whether a name is free, asked once typing pauses; an answer to an older question is dropped.
for (const input of all("input[data-availability]")) {
  const line = document.getElementById(`${input.id}_live`);
  let timer, asked = 0;
  const show = (text, available) => {
    line.textContent = text;
    line.dataset.available = available;
  };
  const ask = async () => {
    const mine = ++asked;
    try {
      const answer = await fetch(`${input.dataset.availability}?subdomain=${encodeURIComponent(input.value)}`);
      if (!answer.ok) throw new Error(answer.statusText);
      const found = await answer.json();
      if (mine === asked) show(found.message, found.available ? "yes" : "no");
    } catch {
      if (mine === asked) show("", "");
    }
  };
  const address = one("[data-address]");
  const placeholder = address?.textContent;
  const showAddress = () => { if (address) address.textContent = input.value.trim().toLowerCase() || placeholder; };
  showAddress();
  input.addEventListener("input", () => {
    showAddress();
    clearTimeout(timer);
    asked++;
    show("", "");
    if (input.value.trim()) timer = setTimeout(ask, 250);
  });
  if (input.value && !input.hasAttribute("aria-invalid")) ask();
}

// Progress of a workflow, as server-sent events.
const words = { waiting: "Waiting", running: "Under way", done: "Done", failed: "Failed" };

function took(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms < 100) return "under 0.1 s";
  if (ms < 10000) return `${Math.floor(ms / 1000)}.${Math.floor((ms % 1000) / 100)} s`;
  if (ms < 60000) return `${Math.floor(ms / 1000)} s`;
  return `${Math.floor(ms / 60000)} min ${Math.floor((ms % 60000) / 1000)} s`;
}

function showStep(root, step) {
  const list = one(".steps", root);
  let item = [...list.children].find((li) => li.dataset.step === step.name);
  if (!item) {
    item = one("[data-step-template]", root).content.firstElementChild.cloneNode(true);
    item.dataset.step = step.name;
    list.append(item);
  }
  const changed = item.dataset.state !== step.state;
  item.dataset.state = step.state;
  one(".step-label", item).textContent = step.label;
  one("[data-tries]", item).textContent = step.attempts > 1 ? `try ${step.attempts}` : "";
  one("[data-took]", item).textContent = took(step.duration_ms);
  one("[data-word]", item).textContent = words[step.state] || step.state;
  one("[data-error]", item).textContent = step.error || "";
  return changed ? `${step.label}: ${words[step.state] || step.state}` : "";
}

function showProgress(root, view) {
  const changes = view.steps.map((step) => showStep(root, step)).filter(Boolean);
  const done = view.steps.filter((step) => step.state === "done").length;
  one("progress", root).max = view.steps.length || 1;
  one("progress", root).value = done;
  one("[data-count]", root).textContent = `${done} of ${view.steps.length} steps`;
  const message = one("[data-message]", root);
  message.textContent = view.message;
  message.hidden = !view.message;
  if (view.url) all("[data-url]", root).forEach((link) => { link.href = view.url; });
  for (const link of all("[data-pay]", root)) {
    link.hidden = !view.pay_url;
    if (view.pay_url) link.href = view.pay_url;
  }
  if (root.dataset.state !== view.state) {
    root.dataset.state = view.state;
    changes.push(one(`h1.when-${view.state}`, root)?.textContent || "");
  }
  if (changes.length) one("[data-announce]", root).textContent = changes.at(-1);
  // An order is watched on where the workspace is made.
  if (view.state === "done" && view.url && "onward" in root.dataset) location.replace(view.url);
}

for (const root of all("[data-progress]")) {
  const over = () => ["done", "failed", "stuck"].includes(root.dataset.state);
  const listen = () => {
    if (over()) return;
    const events = new EventSource(root.dataset.progress);
    events.addEventListener("progress", (event) => {
      showProgress(root, JSON.parse(event.data));
      if (over()) events.close();
    });
    // A server that is starting again answers with an error, after which browsers give up.
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
    });
  };
  listen();
}
