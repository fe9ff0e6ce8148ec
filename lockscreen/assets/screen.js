// What needs a script: the clock, what changes by itself, the fields of a code, Esc. All else works without.

// The page follows what happens to the card. What is being typed stays.
const follow = async () => {
  for (;;) {
    try {
      const answer = await fetch(`/changed/${document.body.dataset.version}`);
      if (!answer.ok) throw new Error(answer.status);
      const version = await answer.text();
      if (version !== document.body.dataset.version) await load();
    } catch {
      await new Promise((again) => setTimeout(again, 1000)); // the lock screen is being stopped, or has too many pages
    }
  }
};

let drawn = document.querySelector("main").innerHTML;
const load = async () => {
  const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
  const same = page.body.dataset.step === document.body.dataset.step;
  const typed = new Map([...document.querySelectorAll("main input:not([type=hidden])")].map((input) => [input.id, input.value]));
  const focused = document.activeElement?.id;
  document.title = page.title;
  Object.assign(document.body.dataset, page.body.dataset);
  document.querySelector("nav.cards")?.remove();
  const others = page.querySelector("nav.cards");
  if (others) document.querySelector("main").after(others);
  // Where nothing has changed nobody is interrupted.
  if (page.querySelector("main").innerHTML === drawn) return;
  drawn = page.querySelector("main").innerHTML;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  if (same) {
    for (const [id, value] of typed) {
      const input = document.getElementById(id);
      if (input) input.value = value;
    }
  }
  focus((same && focused && document.getElementById(focused)) || document.querySelector("main [data-focus]"));
  fields();
};

// Where one types first. The page stays at its headline: on a narrow one the field is far below what is to be read first.
const focus = (field) => field?.focus({ preventScroll: true });

// A code in fields of four: what is pasted or typed into one goes on in the next.
const CYRILLIC = { "А": "A", "В": "B", "С": "C", "Е": "E" };
const fields = () => {
  const group = document.querySelector("[data-check]");
  if (!group || group.dataset.ready) return;
  group.dataset.ready = "1";
  const inputs = [...group.querySelectorAll("input")];
  const said = document.querySelector(".check");
  const judge = () => {
    const code = inputs.map((input) => input.value).join("");
    said.hidden = code === "";
    const wrong = code.match(/[^0-9A-F]/);
    const wanted = inputs.length * 4;
    const { digit, soFar, tooMany, compare } = said.dataset;
    const sentence = wrong ? digit : code.length < wanted ? soFar : code.length > wanted ? tooMany : compare;
    const values = { digit: wrong?.[0], count: code.length, all: wanted, code: sentence === compare ? check(code) : "" };
    said.textContent = sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
    said.dataset.whole = String(!wrong && code.length === wanted);
  };
  group.addEventListener("input", (event) => {
    const at = inputs.indexOf(event.target);
    if (at < 0) return;
    if (/[АВСЕавсе]/.test(event.target.value)) document.querySelector(".lookalikes").hidden = false;
    const clean = event.target.value.normalize("NFKC").toUpperCase().replace(/^0X(?=[0-9A-F])/, "").replace(/[\s.:-]/g, "")
      .replace(/[АВСЕ]/g, (letter) => CYRILLIC[letter]);
    if (clean.length > 4) {
      // What is pasted replaces what stood in the fields that it reaches.
      inputs.slice(at, at + Math.ceil(clean.length / 4)).forEach((input, n, all) => {
        input.value = n === all.length - 1 ? clean.slice(4 * n) : clean.slice(4 * n, 4 * n + 4);
      });
      inputs[Math.min(inputs.length - 1, at + Math.floor(clean.length / 4))].select();
    } else {
      event.target.value = clean;
      if (clean.length === 4 && event.target.selectionStart === 4) inputs[at + 1]?.select();
    }
    judge();
  });
  group.addEventListener("keydown", (event) => {
    const at = inputs.indexOf(event.target);
    if (event.key === "Backspace" && at > 0 && event.target.value === "") inputs[at - 1].focus();
  });
  judge();
};

// CRC-8, polynomial 07: two digits that people compare.
const check = (code) => {
  let crc = 0;
  for (const byte of code.match(/../g)) {
    crc ^= parseInt(byte, 16);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
  }
  return crc.toString(16).toUpperCase().padStart(2, "0");
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelector("main .cancel")?.click();
});

const clock = () => {
  const [time, day] = document.querySelectorAll(".clock b, .clock span");
  if (!time) return;
  const now = new Date();
  // As the reader's country writes days, where that speaks the page's language.
  const { lang } = document.documentElement;
  const locale = navigator.language.split("-")[0] === lang ? navigator.language : lang;
  time.textContent = now.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", hour12: false });
  day.textContent = now.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long" });
};

clock();
setInterval(clock, 1000);
focus(document.querySelector("main [data-focus]"));
fields();
follow();
