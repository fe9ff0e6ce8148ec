// What is live on a page. Without it every page works: what it shows is on the page when it is loaded again.
"use strict";

// Times as the reader's clock has them. Without this they are those of UTC, and say so.
const two = (number) => String(number).padStart(2, "0");
const day = (time) => `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
const clock = (time) => `${two(time.getHours())}:${two(time.getMinutes())}`;
const shapes = {
  whole: (time) => `${day(time)} ${clock(time)}:${two(time.getSeconds())}`,
  clock,
  short: (time) => (day(time) === day(new Date()) ? clock(time) : day(time)),
};
function put_into_zone(part) {
  for (const place of part.querySelectorAll("time[data-time]")) {
    place.title = place.dateTime;
    place.textContent = shapes[place.dataset.time](new Date(place.dateTime));
  }
}
put_into_zone(document);
for (const place of document.querySelectorAll("[data-zone]")) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  place.textContent = place.dataset.zone.replace("{zone}", zone);
}

// The days of a filter begin and end as the reader's do.
for (const field of document.querySelectorAll("form[method=get] input[type=date]")) {
  field.form.addEventListener("submit", () => {
    const name = field.name + "_ahead";
    const ahead = field.form.elements[name] ?? field.form.appendChild(document.createElement("input"));
    const begins = new Date(`${field.value}T00:00`);
    // The last day has ended when the next begins.
    if (field.name === "to") begins.setDate(begins.getDate() + 1);
    Object.assign(ahead, { type: "hidden", name, value: -begins.getTimezoneOffset(), disabled: field.value === "" });
  });
}

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
    if (!fresh) continue;
    part.replaceWith(document.adoptNode(fresh));
    put_into_zone(fresh);
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
