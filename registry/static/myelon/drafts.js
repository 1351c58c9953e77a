// Drafts on the server: <form data-draft> is kept while it is typed, nothing on the device.
//   Sent to the form's own address half a second after the last key, and on leaving the
//   page. The note beside "Save" says what was kept; while it was not, it says so.
//   Each sending names the version of the draft it knows. A 409 means that another
//   window kept the same form: this one stops and asks.
//   data-draft="own": a patient not entered yet; the address then names the draft.

const PAUSE_MILLISECONDS = 500;
const AGAIN_MILLISECONDS = 3000;
const PATIENCE_MILLISECONDS = 8000;
const KEEPALIVE_CHARACTERS = 60_000; // browsers let no larger request outlive its page
const words = document.getElementById("words").dataset;
const keepers = [];

/** Drafts of earlier versions lay on the device. */
function clearDevice() {
  try {
    for (const key of Object.keys(window.localStorage)) {
      if (key.startsWith("myelon:draft:")) window.localStorage.removeItem(key);
    }
  } catch { /* the storage is closed: nothing lies there */ }
}

/** A page that comes back keeps the token of its form: saved twice is saved once. */
function keepToken(form) {
  const token = form.elements.namedItem("form_token");
  if (!token) return;
  const known = window.history.state?.formToken;
  if (known && form.elements.namedItem("draft_version").value === "0") token.value = known;
  window.history.replaceState({ ...window.history.state, formToken: token.value }, "");
}

class Keeper {
  constructor(form) {
    this.form = form;
    this.version = form.elements.namedItem("draft_version");
    this.discardUrl = form.dataset.discardUrl ?? "";
    this.note = form.querySelector("[data-saved-note]");
    this.typed = false; // something is on the page that is not kept
    this.away = false; // the server did not answer
    this.stopped = false; // another window has the draft, or the page is being left
    this.sending = null;
    for (const kind of ["input", "change"]) form.addEventListener(kind, () => this.later());
    form.addEventListener("submit", (event) => this.beforeSending(event));
  }

  later() {
    this.typed = true;
    if (this.stopped) return;
    if (!this.away) this.say(words.saving);
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.keep(), PAUSE_MILLISECONDS);
  }

  say(text) {
    if (this.note) this.note.textContent = text;
  }

  content(version) {
    const body = new URLSearchParams(new FormData(this.form));
    body.set("draft_version", version);
    body.set("keep_draft", "1");
    return body;
  }

  post(version) {
    const body = this.content(version);
    return fetch(this.form.action, {
      method: "POST",
      body,
      credentials: "same-origin",
      redirect: "manual",
      keepalive: body.toString().length < KEEPALIVE_CHARACTERS,
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    });
  }

  /** Send what is on the page until nothing is left to send. */
  keep() {
    window.clearTimeout(this.timer);
    this.sending ??= this.send().finally(() => { this.sending = null; });
    return this.sending;
  }

  async send() {
    while (this.typed && !this.stopped) {
      this.typed = false;
      try {
        await this.hear(await this.post(this.version.value));
      } catch {
        this.typed = true;
        this.failed(words.notKept);
        return;
      }
    }
  }

  async hear(answer) {
    if (answer.status === 409) { this.askWhich(await answer.json()); return; }
    if (answer.status !== 200) throw new Error(`not kept: ${answer.status}`);
    this.away = false;
    this.learn(await answer.json());
    if (!this.typed) this.say(words.saved.replace("{time}", this.time));
  }

  learn(draft) {
    this.version.value = draft.version;
    this.discardUrl = draft.discard_url;
    this.time = draft.time;
    if (this.form.dataset.draft === "own") window.history.replaceState(window.history.state, "", draft.open_url);
  }

  failed(text) {
    this.away = true;
    this.say(text);
    this.timer = window.setTimeout(() => this.keep(), AGAIN_MILLISECONDS);
  }

  /** On leaving: the page cannot wait for an answer any more. */
  flush() {
    if (!this.typed || this.stopped) return;
    this.typed = false;
    const version = Number(this.version.value) + (this.sending ? 1 : 0);
    this.post(version).then((answer) => this.hear(answer)).catch(() => { this.typed = true; this.failed(words.notKept); });
  }

  // --- the other window

  askWhich(theirs) {
    this.typed = true;
    this.stopped = true;
    this.say(words.elsewhere);
    const text = theirs.version ? words.otherWindow.replace("{time}", theirs.time) : words.otherWindowDone;
    this.tell(text, [
      [words.keepThis, () => { this.version.value = theirs.version; this.stopped = false; this.keep(); }],
      [words.takeThat, () => { window.location.reload(); }],
    ]);
  }

  tell(text, choices) {
    const line = document.createElement("div");
    line.className = "draft-note";
    line.setAttribute("role", "alert");
    const sentence = document.createElement("span");
    sentence.textContent = text;
    line.append(sentence, ...choices.map(([label, act]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm";
      button.textContent = label;
      button.addEventListener("click", () => { line.remove(); act(); });
      return button;
    }));
    this.form.prepend(line);
    line.scrollIntoView({ block: "center" });
  }

  // --- leaving

  /** Save sends nothing that is not kept: a server that is away then costs no typing. */
  beforeSending(event) {
    if (event.defaultPrevented) return;
    if (!this.sending && (!this.typed || this.stopped)) { this.typed = false; return; }
    event.preventDefault();
    const { submitter } = event;
    this.keep().then(() => { if (!this.away) this.form.requestSubmit(submitter); });
  }

  get holdsSomething() {
    return this.typed || this.version.value !== "0";
  }

  async throwAway() {
    this.stopped = true;
    await this.sending;
    if (!this.discardUrl) return;
    const body = new URLSearchParams({ csrfmiddlewaretoken: this.form.elements.namedItem("csrfmiddlewaretoken").value });
    await fetch(this.discardUrl, { method: "POST", body, credentials: "same-origin", redirect: "manual" });
  }
}

function askBeforeLeaving(event) {
  const link = event.target.closest?.("[data-cancel]");
  const keeper = keepers.find((each) => each.form === link?.closest("form"));
  const dialog = document.getElementById("leave-dialog");
  if (!keeper?.holdsSomething || !dialog) return;
  event.preventDefault();
  const leave = () => window.location.assign(link.href);
  const ways = {
    stay: () => {},
    keep: () => keeper.keep().then(() => { if (!keeper.away) leave(); }),
    drop: () => keeper.throwAway().then(() => { keeper.typed = false; leave(); }),
  };
  for (const button of dialog.querySelectorAll("[data-leave]")) {
    button.onclick = () => { dialog.close(); ways[button.dataset.leave](); };
  }
  dialog.showModal();
}

/** Signing out ends the right to keep anything, so what was typed goes first. */
function keepBeforeSigningOut(event) {
  const open = keepers.filter((each) => each.typed && !each.stopped);
  if (event.defaultPrevented || !event.target.matches("[data-sign-out]") || !open.length) return;
  event.preventDefault();
  Promise.all(open.map((each) => each.keep())).then(() => {
    if (open.every((each) => !each.typed)) event.target.requestSubmit();
  });
}

clearDevice();
for (const form of document.querySelectorAll("form[data-draft]")) {
  keepToken(form);
  keepers.push(new Keeper(form));
}
document.addEventListener("click", askBeforeLeaving);
document.addEventListener("submit", keepBeforeSigningOut, true);
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-discard-draft]")) keepers.forEach((each) => { each.stopped = true; each.typed = false; });
});
window.addEventListener("beforeunload", (event) => {
  if (keepers.some((each) => each.away && each.typed)) event.preventDefault();
  keepers.forEach((each) => each.flush());
});
window.addEventListener("pagehide", () => keepers.forEach((each) => each.flush()));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") keepers.forEach((each) => each.flush());
});
