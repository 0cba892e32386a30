// The form of a feed shows what the chosen protocol reads. What is hidden is sent all the same, and says nothing; what is
// wrong is never hidden.
const protocol = document.querySelector("select[data-unread]");

function showFields() {
  const unread = JSON.parse(protocol.dataset.unread)[protocol.value] ?? [];
  for (const line of document.querySelectorAll("#feed_form .field-line")) {
    const isUnread = unread.some((name) => line.classList.contains(`field-${name}`));
    line.hidden = isUnread && !line.classList.contains("errors");
  }
  for (const row of document.querySelectorAll("#feed_form .form-row"))
    row.hidden = [...row.querySelectorAll(".field-line")].every((line) => line.hidden);
}

if (protocol) {
  protocol.addEventListener("change", showFields);
  showFields();
}
