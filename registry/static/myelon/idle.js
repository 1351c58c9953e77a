// Before an idle sign-out (body data-idle-seconds) the dialog asks; staying, and typing
// now and then, call data-keepalive-url. What was typed is kept as a draft (drafts.js).

const WARN_SECONDS = 120;

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

const idleSeconds = Number(document.body.dataset.idleSeconds);
if (idleSeconds > WARN_SECONDS) watchIdle(idleSeconds);
