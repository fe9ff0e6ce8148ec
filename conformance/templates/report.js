"use strict";
const words = document.getElementById("words");
const boxes = [...document.querySelectorAll("input[name=outcome]")];
const tests = [...document.querySelectorAll("details.test")];
const shown = document.getElementById("shown");
function apply() {
  const wanted = words.value.trim().toLowerCase();
  const outcomes = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  let count = 0;
  for (const test of tests) {
    const visible = outcomes.has(test.dataset.outcome) && test.querySelector("summary").textContent.toLowerCase().includes(wanted);
    test.hidden = !visible;
    count += visible ? 1 : 0;
  }
  for (const heading of document.querySelectorAll("main h3")) {
    let next = heading.nextElementSibling;
    let any = false;
    while (next && next.tagName === "DETAILS") {
      any = any || !next.hidden;
      next = next.nextElementSibling;
    }
    heading.hidden = !any;
  }
  shown.textContent = `${count} of ${tests.length} tests shown`;
}
document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
words.addEventListener("input", apply);
boxes.forEach((box) => box.addEventListener("change", apply));
apply();
