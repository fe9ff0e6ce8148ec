// What needs a script: the page follows what happens, without being loaded anew. All else works without.

const MOST_ROWS = 500;
const rows = document.getElementById("rows");

// HTML of the server's own templates, as an element.
const element = (html) => {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
};

// While something is pressed nothing on the page moves: what has changed is drawn when it is let go. A click is lost when what was
// pressed is another element by then, and meets another button when it has moved.
const LONGEST_PRESS = 5000; // milliseconds; who holds longer wants to see what happens
const later = new Map();
let pressed = 0;
const press = () => {
  clearTimeout(pressed);
  pressed = setTimeout(release, LONGEST_PRESS);
};
const release = () => {
  clearTimeout(pressed);
  pressed = 0;
  const changes = [...later.values()];
  later.clear();
  for (const change of changes) change();
};
const settled = (what, change) => {
  if (pressed) later.set(what, change);
  else change();
};
document.addEventListener("pointerdown", press);
document.addEventListener("keydown", (event) => { if (event.key === " ") press(); });
// The click itself comes before what is put off so.
for (const name of ["pointerup", "pointercancel", "keyup"]) document.addEventListener(name, () => setTimeout(release));
addEventListener("blur", release);
// Whoever lets go outside the window, or on a scroll bar, is not heard.
document.addEventListener("pointermove", (event) => { if (pressed && event.buttons === 0) release(); });

// A part that has changed, put in the place of the old one. What is open stays open, what is typed stays, and so does the focus.
const drawn = new Map();
let quiet = false; // the focus comes back by itself, not from a person
const part = (html) => {
  const fresh = element(html).firstElementChild;
  settled(fresh.id, () => draw(fresh, html));
};
// A list that one chooses from closes when its element goes: what it stands in is drawn when it is closed.
const LOOK_AT_LIST = 100; // milliseconds
const listed = new Map();
const isListOpen = (old) => CSS.supports("selector(:open)") && old.querySelector("select:open") !== null;
const afterList = (old, html) => {
  const waits = listed.has(old.id);
  listed.set(old.id, html);
  if (waits) return;
  const look = setInterval(() => {
    if (isListOpen(old)) return;
    clearInterval(look);
    const newest = listed.get(old.id);
    listed.delete(old.id);
    part(newest);
  }, LOOK_AT_LIST);
};
const draw = (fresh, html) => {
  const old = document.getElementById(fresh.id);
  if (!old) return;
  // Also the same as is drawn: it takes the place of what waits, and so does what comes before the closed list is looked at.
  if (listed.has(fresh.id) || isListOpen(old)) return afterList(old, html);
  if (drawn.get(fresh.id) === html) return;
  drawn.set(fresh.id, html);
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const [from, to] = focused?.matches("input:not([type]), input[type=password], textarea") ? [focused.selectionStart, focused.selectionEnd] : [];
  for (const open of old.querySelectorAll("details[open][id]")) {
    const again = fresh.querySelector(`#${CSS.escape(open.id)}`);
    if (again) again.open = true;
  }
  for (const input of old.querySelectorAll("input[id], select[id], textarea[id]")) {
    const again = fresh.querySelector(`#${CSS.escape(input.id)}`);
    if (!again) continue;
    if (input.type === "file") again.files = input.files;
    else again.value = input.value;
  }
  old.replaceWith(fresh);
  files();
  const again = focused?.id && document.getElementById(focused.id);
  if (!again) return;
  quiet = true;
  again.focus({ preventScroll: true });
  if (to !== undefined) again.setSelectionRange(from, to);
  quiet = false;
};

// Times: since when, and when.
const age = (seconds) => {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
};
const YEAR = 31536000000;
const two = (number, digits = 2) => String(number).padStart(digits, "0");
const clock = (row) => time(row, row.cells[0]);
const time = (told, where) => {
  const at = Number(told.dataset.at);
  if (!(at > YEAR)) return; // counted times of a session under a seed
  const when = new Date(at);
  where.textContent = `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}.${two(when.getMilliseconds(), 3)}`;
};
setInterval(() => {
  const now = Math.floor(Date.now() / 1000);
  for (const since of document.querySelectorAll("[data-since]")) since.textContent = age(Math.max(0, now - Number(since.dataset.since)));
}, 1000);

// The wire: what the filter takes, the newest below.
const filter = document.querySelector("form.filter");
const isTaken = (row) => {
  const { reader, command, status, program } = filter.elements;
  const name = row.cells[2].textContent.toUpperCase();
  const wanted = status.value.trim().toUpperCase();
  const fits = wanted === "" || (row.dataset.status.length === wanted.length && [...wanted].every((c, n) => c === "X" || c === row.dataset.status[n]));
  const by = (row.querySelector(".by")?.textContent ?? "").toLowerCase();
  if (!by.includes(program.value.trim().toLowerCase())) return false;
  return (reader.value === "" || reader.value === row.dataset.reader) && name.includes(command.value.trim().toUpperCase()) && fits;
};
const pause = document.getElementById("pause");
const held = document.getElementById("held");
let waiting = null; // rows that came during a pause
let passed = 0; // of these so many were let go
let newest = BigInt(rows?.dataset.newest ?? 0); // up to where the page knows what came in
const mark = (row) => {
  const own = BigInt(row.dataset.mark ?? 0);
  if (own > newest) newest = own;
};

// A program that asks the same again and again - whether the card is still as it was - would fill the wire: what it sends without a
// pause is a burst, and a burst that is as the one before of this program at this card is counted there.
const PAUSE = 250; // milliseconds between two bursts
const bursts = new Map();
const fold = document.getElementById("fold");
const isSame = (one, other) => one.length === other.length && one.every((row, n) => row.dataset.same === other[n].dataset.same);
const folded = (row) => {
  if (!fold.checked || row.cells.length < 4) return;
  const whose = `${row.dataset.reader} ${row.querySelector(".by")?.textContent ?? ""}`;
  row.dataset.same = `${row.cells[2].textContent} ${row.dataset.status}`;
  const known = bursts.get(whose) ?? { before: [], now: [], at: 0, times: 1 };
  bursts.set(whose, known);
  const at = Number(row.dataset.at);
  if (at - known.at > PAUSE && known.now.length > 0) Object.assign(known, { before: known.now, now: [], times: 1 });
  known.at = at;
  known.now.push(row);
  if (known.now.length > MOST_ROWS) known.now.shift(); // a stream without a pause is a burst without an end
  if (!isSame(known.before, known.now) || !known.before.every((old) => old.isConnected)) return;
  for (const again of known.now) again.remove();
  known.now = [];
  known.times += 1;
  const last = known.before.at(-1).cells[2];
  const note = last.querySelector(".times") ?? last.appendChild(Object.assign(document.createElement("span"), { className: "times" }));
  const what = known.before.length > 1 ? `these ${known.before.length},` : "this";
  note.textContent = `${what} ${known.times} times, last ${row.cells[0].textContent}`;
};
const show = (fresh) => {
  const box = rows.closest(".rows");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  document.querySelector(".nothing").hidden = true;
  for (const row of [...fresh]) {
    clock(row);
    if (row.dataset.at) row.hidden = !isTaken(row);
    rows.append(row);
    folded(row);
  }
  while (rows.rows.length > MOST_ROWS) rows.rows[0].remove();
  if (atEnd) box.scrollTop = box.scrollHeight;
};
const parsed = (html) => [...element(`<table><tbody>${html}</tbody></table>`).querySelectorAll("tr")];
const others = (count) => `<tr class="missed" data-count="${count}"><td colspan="4">${count} more, too many to show one by one: saved files have them</td></tr>`;
const amount = (told) => told.reduce((sum, row) => sum + Number(row.dataset.count ?? 1), 0);
const wire = (html) => {
  const fresh = parsed(html);
  fresh.forEach(mark);
  settled(Symbol("rows"), () => {
    if (!waiting) return show(fresh);
    waiting.push(...fresh);
    // One row is left for the number of those that are let go.
    passed += amount(waiting.splice(0, Math.max(0, waiting.length - MOST_ROWS + 1)));
    held.textContent = `Paused; ${amount(waiting) + passed} new`;
  });
};
const missed = (count) => wire(others(Number(count)));

// The connection: what is lost is said, and comes back by itself as long as the bench is there. A page that nobody sees follows
// nothing: a browser has few connections to one place, and another page of the bench would wait for one for ever.
const AGAIN = { lost: 1000, refused: 3000 }; // milliseconds
const lost = document.querySelector(".lost");
const follow = (address, more = () => {}) => {
  let live = null;
  let over = false;
  const open = () => {
    if (over || document.hidden || (live && live.readyState !== EventSource.CLOSED)) return;
    live = new EventSource(address());
    live.addEventListener("open", () => settled("lost", () => { lost.hidden = true; }));
    live.addEventListener("part", (event) => part(event.data));
    live.addEventListener("over", () => {
      over = true;
      live.close();
    });
    live.addEventListener("error", () => {
      const refused = live.readyState === EventSource.CLOSED;
      // Not by itself: where it goes on from is another place than where it began.
      live.close();
      const text = refused
        ? "This page is not followed any more: the bench has ended, or was started anew. Open the address that it printed."
        : "The connection is lost; what you see may be old. Trying again.";
      settled("lost", () => Object.assign(lost, { textContent: text, hidden: false }));
      setTimeout(open, refused ? AGAIN.refused : AGAIN.lost);
    });
    more(live);
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) live?.close();
    else open();
  });
  open();
};

// What people do: forms are sent without leaving the page, and what was done is told beside the reader.
const told = (number, fresh) => settled(`told-${number}`, () => document.getElementById(`told-${number}`).replaceChildren(...fresh));
const said = (kind, ...lines) => {
  const box = document.createElement("div");
  box.className = `notice ${kind}`;
  for (const [name, text] of lines) {
    const line = document.createElement(name);
    line.textContent = text;
    if (name === "pre") line.className = "cmd";
    box.append(line);
  }
  return box;
};
const base64 = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.split(",")[1] ?? "");
  reader.onerror = failed;
  reader.readAsDataURL(file);
});
const PATIENCE = 1000; // milliseconds until it is said that a card keeps one waiting
const send = async (form) => {
  const number = form.action.match(/\/do\/(\d+)\//)[1];
  const fields = Object.fromEntries(new FormData(form));
  const input = form.querySelector("input[type=file]");
  const file = input?.files[0];
  if (file && file.size > Number(input.dataset.most)) {
    const mebi = (bytes) => Number((bytes / 1048576).toFixed(1)).toString();
    told(number, [said("bad", ["p", `${file.name} has ${(file.size / 1048576).toFixed(1)} MiB; a file here has at most ${mebi(input.dataset.most)}. Nothing was done.`])]);
    return;
  }
  try {
    if (file) fields[input.dataset.field] = input.dataset.name ? await base64(file) : await file.text();
    if (file && input.dataset.name) fields[input.dataset.name] = file.name;
  } catch {
    told(number, [said("bad", ["p", `${file.name} cannot be read: is it a file, and still there? Nothing was done.`])]);
    return;
  }
  const label = form.querySelector("button").textContent;
  const slow = setTimeout(() => told(number, [said("", ["p", `${label}: waits until the card has answered.`])]), PATIENCE);
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(fields) });
    const said_of = await answer.json();
    if (!answer.ok) return told(number, [said("bad", ["p", said_of.message])]);
    told(number, [said("", ["p", `${label}: done.`], ["pre", said_of.command])]);
    // What asked has its answer: what comes into its place is not to be pressed by the same hand.
    settled(`asked-${number}`, () => document.querySelectorAll(`#do-${number} details.ask[open]`).forEach((ask) => { ask.open = false; }));
    hand(label, said_of.command, said_of.curl);
    if (said_of.file) keep(said_of.file);
    for (const secret of form.querySelectorAll("input[type=password], input[type=file]")) secret.value = "";
  } catch {
    told(number, [said("bad", ["p", "The bench gave no answer. Look at the card before you press again."])]);
  } finally {
    clearTimeout(slow);
  }
};
const keep = ({ name, text }) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".do form")) return;
  event.preventDefault();
  send(event.target);
});
// The second click of two quick ones is not meant for what has come under the pointer meanwhile.
document.addEventListener("click", (event) => {
  if (event.detail > 1 && event.target.closest?.(".do .risk")) event.preventDefault();
}, true);
// With a script a snapshot is a file, chosen or dropped; without one it is pasted.
const files = () => {
  for (const form of document.querySelectorAll(".drop")) {
    for (const label of form.querySelectorAll(".file")) label.hidden = false;
    for (const label of form.querySelectorAll(".text")) label.hidden = true;
  }
};
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    // What is dropped beside the fields of a reader is a snapshot by its name, or else a key.
    const reader = event.target.closest?.(".reader");
    const kind = [...event.dataTransfer?.files ?? []].some((file) => file.name.endsWith(".toml")) ? ".of-snapshot" : ".of-key";
    const form = event.target.closest?.(".drop") ?? (name === "drop" ? reader?.querySelector(kind) : reader);
    if (!form) return;
    event.preventDefault();
    form.classList.toggle("over", name === "dragover");
    if (name !== "drop") return;
    reader?.classList.remove("over");
    if (event.dataTransfer.files.length === 0) return;
    const input = form.querySelector("input[type=file]");
    input.files = event.dataTransfer.files;
    form.closest("details").open = true;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// An exchange that is picked is taken apart beside the wire; compared, two of them.
const record = (address) => {
  const { pathname, searchParams } = new URL(address, location.href);
  return `${pathname} ${searchParams.get("card")}`;
};
const pick = async (address) => {
  const box = document.getElementById("picked");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    box.replaceChildren(page.querySelector("#main .box"));
    for (const told of box.querySelectorAll(".when")) time(told, told);
  } catch {
    box.replaceChildren(said("bad", ["p", "The bench gave no answer."]));
  }
  for (const row of rows.rows) {
    const link = row.querySelector("a");
    row.setAttribute("aria-selected", String(link !== null && record(link.href) === record(address)));
  }
};
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("#rows a, a.beside");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  pick(link.getAttribute("href"));
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("#picked form")) return;
  event.preventDefault();
  pick(`${event.target.getAttribute("action")}?${new URLSearchParams(new FormData(event.target))}`);
});

// The same in a shell, of the button that one is at.
const hand = (label, command, curl) => {
  const box = document.getElementById("hand");
  if (!box || !command) return;
  box.hidden = false;
  box.querySelector("h3").textContent = label;
  box.querySelector(".command").textContent = command;
  box.querySelector(".curl").textContent = curl;
};
const tell = (one) => hand((one.matches("button") ? one : one.querySelector("button")).textContent, one.dataset.command, one.dataset.curl);
for (const name of ["focusin", "pointerover"]) {
  document.addEventListener(name, (event) => {
    const one = quiet ? null : event.target.closest?.("[data-command]");
    if (one) tell(one);
  });
}
// What is filled in is told as it would be sent; what is secret, or a file, is not sent for that.
document.addEventListener("input", async (event) => {
  const form = event.target.closest("form[data-said]");
  if (!form || event.target.matches("textarea")) return;
  const fields = new URLSearchParams(new FormData(form));
  for (const input of form.querySelectorAll("[type=password]")) if (input.value) fields.set(input.name, "…");
  for (const text of form.querySelectorAll("textarea")) fields.delete(text.name);
  for (const input of form.querySelectorAll("[type=file][data-name]")) if (input.files[0]) fields.set(input.dataset.name, input.files[0].name);
  try {
    const answer = await fetch(form.dataset.said, { method: "POST", headers: { Accept: "application/json" }, body: fields });
    if (!answer.ok) return;
    Object.assign(form.dataset, await answer.json());
    tell(form);
  } catch {
    // The page says that the connection is lost.
  }
});

if (rows) {
  files();
  document.querySelector("label.fold").hidden = false;
  [...rows.rows].forEach(mark);
  show([...rows.rows]);
  rows.closest(".rows").scrollTop = rows.closest(".rows").scrollHeight;
  pause.hidden = false;
  pause.addEventListener("click", () => {
    const ended = waiting && [...(passed > 0 ? parsed(others(passed)) : []), ...waiting];
    waiting = waiting ? null : [];
    passed = 0;
    pause.textContent = waiting ? "Go on" : "Pause";
    held.textContent = waiting ? "Paused" : "";
    if (ended) show(ended);
  });
  filter.addEventListener("input", () => {
    for (const row of rows.rows) if (row.dataset.at) row.hidden = !isTaken(row);
    // What is saved is what is seen.
    for (const link of document.querySelectorAll(".foot a")) link.search = new URLSearchParams(new FormData(filter));
  });

  // What a page that has just come shows of the readers need not be told again; later that is another matter.
  const seen = () => drawn.size === 0 ? document.getElementById("readers").dataset.seen : "";
  follow(() => `/live?after=${newest}&seen=${seen()}`, (live) => {
    live.addEventListener("wire", (event) => wire(event.data));
    live.addEventListener("missed", (event) => missed(event.data));
  });
}

// Rooms: what goes on is followed, and its buttons leave one where one is. A file of one's own is read into its field.
for (const box of document.querySelectorAll("[data-live]")) follow(() => box.dataset.live);
document.addEventListener("submit", async (event) => {
  const box = event.target.closest("[data-live]");
  if (!box) return;
  event.preventDefault();
  const refusal = document.getElementById("refusal");
  try {
    const answer = await fetch(event.target.action, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(event.target)) });
    refusal.replaceChildren(...(answer.ok ? [] : [said("bad", ["p", (await answer.json()).message])]));
  } catch {
    refusal.replaceChildren(said("bad", ["p", "The bench gave no answer."]));
  }
});
document.addEventListener("change", async (event) => {
  const field = event.target.matches("input[type=file][data-into]") && document.getElementById(event.target.dataset.into);
  if (field && event.target.files[0]) field.value = await event.target.files[0].text();
});
for (const label of document.querySelectorAll(".by-file")) label.hidden = false;
