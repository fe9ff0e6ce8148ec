// What is live on a page. Without it every page works: what it shows is on the page when it is loaded again.
"use strict";

// Copies a code without the blanks between its groups.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy).textContent;
    await navigator.clipboard.writeText(text.replace(/\s+/g, ""));
    button.textContent = button.dataset.copied;
  });
}

// Says how an unlock ended.
for (const place of document.querySelectorAll("[data-outcome]")) {
  const source = new EventSource(place.dataset.outcome);
  source.addEventListener("outcome", (event) => {
    source.close();
    const told = JSON.parse(event.data);
    place.className = "notice " + told.class;
    const sentence = document.createElement("b");
    sentence.textContent = told.sentence;
    place.replaceChildren(sentence);
    refresh();
  });
}

// What else the page says of the card, as it is now.
async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = now.getElementById(part.id);
    if (fresh) part.replaceWith(document.adoptNode(fresh));
  }
}

// Shows what is typed into a field, while it is wanted.
for (const box of document.querySelectorAll("[data-shows]")) {
  box.hidden = false;
  box.querySelector("input").addEventListener("change", (event) => {
    for (const field of document.querySelectorAll(box.dataset.shows)) {
      field.type = event.target.checked ? "text" : "password";
    }
  });
}

// Greys what another switch makes void while it is set so, and says why. Without this it is as it was when the page was loaded.
for (const part of document.querySelectorAll("[data-needs], [data-spares]")) {
  const { needs, spares } = part.dataset;
  const other = document.querySelector(`input[name="${needs ?? spares}"]`);
  const look = () => part.classList.toggle("void", other.checked === (needs === undefined));
  other.addEventListener("change", look);
  look();
}
