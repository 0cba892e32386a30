// A large file takes minutes to go up, and says how far it is. The answer is a page, as without scripts: another one once the
// file is there, or else this one, with what is wrong.
const megabytes = (bytes) => (bytes / 1e6).toLocaleString("en", {maximumFractionDigits: 1});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.enctype !== "multipart/form-data") return;
  event.preventDefault();
  const [going, said, bar] = ["#going", "#going p", "#going progress"].map((each) => form.querySelector(each));
  const buttons = form.querySelectorAll("[type=submit]");
  const wait = (isWaiting) => {
    for (const button of buttons) button.disabled = isWaiting;
    going.hidden = !isWaiting;
    if (!isWaiting) delete document.documentElement.dataset.isSending;
  };
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", ({loaded, total}) => {
    bar.value = loaded / total;
    said.textContent = loaded < total ? `${megabytes(loaded)} of ${megabytes(total)} MB are there. Keep this page open.` : "All of it is there, and is being looked at.";
  });
  request.addEventListener("error", () => {
    wait(false);
    form.querySelector("#lost").hidden = false;
  });
  request.addEventListener("load", () => {
    if (request.responseURL !== new URL(form.action, location).href) return location.assign(request.responseURL);
    wait(false);
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const answer = page.querySelector("form[enctype]") ?? page.querySelector("main");
    form.replaceWith(answer);
    htmx.process(answer);
    answer.querySelector("[aria-invalid=true]")?.focus();
  });
  form.querySelector("#lost").hidden = true;
  wait(true);
  request.open("POST", form.action);
  request.send(new FormData(form));
});
