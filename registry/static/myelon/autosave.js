// Drafts on this device: <form data-autosave="case-new"> is kept while it is typed.
//   Key: user and form. Controls with data-private, passwords, files and hidden ones are left out.
//   Restored by itself if it was never sent; offered if it was sent and no answer came.
//   Dropped when a message carries "saved:<key>", when the event myelon:saved names it
//   (detail {form: key}), on signing out, and after two days.
//   data-autosave-rev: the row's version; a draft of another version is offered, not restored.
// Before an idle sign-out (body data-idle-seconds) the dialog asks; staying, and typing
// now and then, call data-keepalive-url.

const keeping = new WeakSet();
const PREFIX = "myelon:draft:";
const DRAFT_MILLISECONDS = 2 * 24 * 3600 * 1000;
const PAUSE_MILLISECONDS = 600;
const WARN_SECONDS = 120;
const user = document.body.dataset.user;
const words = document.getElementById("words").dataset;
const keyOf = (form) => `${PREFIX}${user}:${form.dataset.autosave}`;
const clock = (when) => new Date(when).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
const say = (text, draft) => text.replace("{time}", clock(draft.at));

function kept(control) {
  return control.name && control.name !== "csrfmiddlewaretoken" && !control.dataset.private
    && !["password", "file", "hidden", "submit", "button"].includes(control.type) && control.tagName !== "FIELDSET";
}

function readForm(form) {
  const values = {};
  for (const control of [...form.elements].filter(kept)) {
    values[control.name] ??= [];
    if (["radio", "checkbox"].includes(control.type)) { if (control.checked) values[control.name].push(control.value); }
    else if (control.multiple) values[control.name].push(...[...control.selectedOptions].map((each) => each.value));
    else values[control.name].push(control.value);
  }
  return values;
}

function writeForm(form, values) {
  const queues = structuredClone(values);
  for (const control of [...form.elements].filter((each) => kept(each) && each.name in queues)) {
    if (["radio", "checkbox"].includes(control.type)) control.checked = values[control.name].includes(control.value);
    else if (control.multiple) [...control.options].forEach((each) => { each.selected = values[control.name].includes(each.value); });
    else control.value = queues[control.name].shift() ?? "";
  }
  form.querySelectorAll("input, select, textarea").forEach((each) => each.dispatchEvent(new Event("input", { bubbles: true })));
  form.querySelectorAll("[data-missing-menu] select").forEach((each) => each.closest(".field").classList.toggle("is-missing", each.value !== ""));
}

function readDraft(key) {
  try {
    const draft = JSON.parse(window.localStorage.getItem(key));
    if (draft && Date.now() - draft.at < DRAFT_MILLISECONDS) return draft;
    window.localStorage.removeItem(key);
  } catch { /* storage is closed or holds something else: there is no draft */ }
  return null;
}

function note(form, text) {
  const place = form.querySelector("[data-saved-note]");
  if (place) place.textContent = text;
}

function saveDraft(form, sent = false) {
  const draft = { at: Date.now(), sent, rev: form.dataset.autosaveRev ?? "", values: readForm(form) };
  try {
    window.localStorage.setItem(keyOf(form), JSON.stringify(draft));
    note(form, say(words.saved, draft));
  } catch {
    note(form, words.notKept);
  }
}

function dropDraft(name) {
  try { window.localStorage.removeItem(`${PREFIX}${user}:${name}`); } catch { /* nothing was kept */ }
}

function allDrafts() {
  try { return Object.keys(window.localStorage).filter((key) => key.startsWith(`${PREFIX}${user}:`)); } catch { return []; }
}

function button(label, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "btn btn-sm";
  element.textContent = label;
  element.addEventListener("click", act);
  return element;
}

function tellOfDraft(form, text, choices) {
  const line = document.createElement("div");
  line.className = "draft-note";
  line.setAttribute("role", "status");
  const sentence = document.createElement("span");
  sentence.textContent = text;
  line.append(sentence, ...choices.map(([label, act]) => button(label, () => { act(); line.remove(); })));
  form.prepend(line);
}

function offerDraft(form, draft) {
  const blank = readForm(form);
  if (JSON.stringify(blank) === JSON.stringify(draft.values)) return;
  const discard = [words.discard, () => { writeForm(form, blank); dropDraft(form.dataset.autosave); note(form, ""); }];
  const samePaper = draft.rev === (form.dataset.autosaveRev ?? "");
  if (!draft.sent && samePaper) {
    writeForm(form, draft.values);
    tellOfDraft(form, say(words.restored, draft), [[words.keep, () => {}], discard]);
    return;
  }
  const why = say(samePaper ? words.unanswered : words.outdated, draft);
  tellOfDraft(form, why, [[words.restore, () => writeForm(form, draft.values)], discard]);
}

// A refused form comes back with what was sent, which is newer than the draft.
function wasRefused(form) {
  const summary = document.querySelector("[data-error-summary]");
  const links = [...(summary?.querySelectorAll("a") ?? [])];
  return Boolean(form.querySelector(".field--error")) || (summary !== null && links.length === 0)
    || links.some((link) => form.contains(document.getElementById(link.hash.slice(1))));
}

function keepForm(form) {
  if (keeping.has(form)) return;
  keeping.add(form);
  let timer;
  const draft = readDraft(keyOf(form));
  if (draft && !wasRefused(form)) offerDraft(form, draft);
  const later = () => { window.clearTimeout(timer); timer = window.setTimeout(() => saveDraft(form), PAUSE_MILLISECONDS); };
  form.addEventListener("input", (event) => { if (event.isTrusted) later(); });
  form.addEventListener("change", (event) => { if (event.isTrusted) later(); });
  form.addEventListener("submit", () => { window.clearTimeout(timer); saveDraft(form, true); });
}

function dropConfirmed() {
  for (const message of document.querySelectorAll("[data-message-tags*='saved:']")) {
    for (const tag of message.dataset.messageTags.split(" ")) {
      if (tag.startsWith("saved:")) dropDraft(tag.slice("saved:".length));
    }
  }
}

function askBeforeSigningOut(event) {
  const form = event.target.closest("form[data-sign-out]");
  if (!form || !allDrafts().length) return;
  if (!window.confirm(form.dataset.draftWarning)) { event.preventDefault(); return; }
  allDrafts().forEach((key) => window.localStorage.removeItem(key));
}

// Idle sign-out ---------------------------------------------------------------------

function watchIdle(seconds) {
  const dialog = document.getElementById("idle-dialog");
  let ends = Date.now() + seconds * 1000;
  const renew = () => { ends = Date.now() + seconds * 1000; };
  const keepAlive = () => {
    const url = document.body.dataset.keepaliveUrl;
    if (url) fetch(url, { credentials: "same-origin" }).then((answer) => { if (answer.ok) renew(); });
  };
  const stay = () => { keepAlive(); dialog.close(); };
  // Somebody who types without sending is there: renew after a third of the time is gone.
  const typing = () => { if (ends - Date.now() < (seconds * 2000) / 3) keepAlive(); };
  const look = () => {
    const left = Math.round((ends - Date.now()) / 1000);
    if (left <= 0) { window.location.reload(); return; }
    if (left > WARN_SECONDS) return;
    dialog.querySelector("[data-idle-left]").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (!dialog.open) dialog.showModal();
  };
  dialog.querySelector("[data-idle-stay]").addEventListener("click", stay);
  dialog.addEventListener("cancel", stay);
  document.addEventListener("input", typing);
  document.addEventListener("htmx:afterRequest", (event) => { if (!event.detail.elt.matches(".job, [data-background]")) renew(); });
  window.setInterval(look, 1000);
}

dropConfirmed();
if (user) {
  document.querySelectorAll("form[data-autosave]").forEach(keepForm);
  document.addEventListener("htmx:load", (event) => {
    (event.target.parentElement ?? document).querySelectorAll("form[data-autosave]").forEach(keepForm);
  });
}
document.addEventListener("myelon:saved", (event) => dropDraft(event.detail.form));
document.addEventListener("submit", askBeforeSigningOut, true);
const idleSeconds = Number(document.body.dataset.idleSeconds);
if (idleSeconds > WARN_SECONDS) watchIdle(idleSeconds);
