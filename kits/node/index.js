// Simulated smart cards for tests, driven from Node.js; index.d.ts says what each function does.

import { spawn } from "node:child_process";
import fs from "node:fs";
import { request } from "node:http";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const VARIABLES = ["PCSCLITE_CSOCK_NAME", "CARDLAB_CONTROL", "XDG_CACHE_HOME"];

// What `cardlab exec` runs: it says where the readers are, and ends when nobody holds its standard input any more.
const UNTIL_CLOSED = `printf '%s\\n' ${VARIABLES.map((name) => `"$${name}"`).join(" ")}; read _; exit 0`;

export class CardlabError extends Error {
  name = "CardlabError";
}

export function withCard(card, body) {
  return withReaders([card], ([first], ...rest) => body(first, ...rest));
}

export function withReaders(cards, body) {
  return async (...context) => {
    const readers = await Readers.up(cards);
    const hide = readers.visible();
    try {
      return await body(readers, ...context);
    } catch (error) {
      console.error(`What came in at the cards:\n${readers.trace()}`);
      throw error;
    } finally {
      hide();
      await readers.close();
    }
  };
}

export class Readers {
  #process;
  #said;
  #trace;
  #variables;
  #cards;

  static async up(cards = "nist-piv", { seed, trace } = {}) {
    const readers = new Readers();
    readers.#trace = trace;
    const specifications = [cards].flat();
    const options = ["--trace", trace ?? "-", ...specifications.flatMap((card) => ["--card", card])];
    if (seed !== undefined) {
      options.push("--seed", String(seed));
    }
    await readers.#start(["exec", ...options, "--", "sh", "-c", UNTIL_CLOSED]);
    readers.#cards = specifications.map((_, number) => new Card(readers.control, number));
    return readers;
  }

  async #start(command) {
    this.#said = unnamed();
    this.#process = spawn(process.env.CARDLAB || "cardlab", command, { stdio: ["pipe", "pipe", this.#said] });
    const missing = new Promise((_, refuse) => this.#process.once("error", refuse));
    const lines = createInterface({ input: this.#process.stdout });
    try {
      const told = await Promise.race([first(VARIABLES.length, lines), missing]);
      if (told.length < VARIABLES.length) {
        throw new CardlabError(this.#words() || "cardlab did not start");
      }
      this.#variables = Object.fromEntries(VARIABLES.map((name, i) => [name, told[i]]));
      // This process may end while they are up: they end with it.
      for (const held of [this.#process, this.#process.stdin, this.#process.stdout]) {
        held.unref();
      }
    } catch (error) {
      fs.closeSync(this.#said);
      if (error.code === "ENOENT" || error.code === "EACCES") {
        const none = "there is no program 'cardlab' on the path; install it, or name it with the variable CARDLAB";
        throw new CardlabError(none, { cause: error });
      }
      throw error;
    }
  }

  [Symbol.iterator]() {
    return this.#cards[Symbol.iterator]();
  }

  get cards() {
    return this.#cards;
  }

  get socket() {
    return this.#variables.PCSCLITE_CSOCK_NAME;
  }

  get control() {
    return this.#variables.CARDLAB_CONTROL;
  }

  environment() {
    return { ...process.env, ...this.#variables };
  }

  visible() {
    const before = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
    const pointed = stage.point(this.socket);
    Object.assign(process.env, this.#variables, { PCSCLITE_CSOCK_NAME: stage.path });
    return () => {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) {
          delete process.env[name];
        } else {
          process.env[name] = value;
        }
      }
      stage.point(pointed);
    };
  }

  trace() {
    return this.#trace === undefined ? this.#words() : `recorded in ${this.#trace}`;
  }

  #words() {
    const bytes = Buffer.alloc(fs.fstatSync(this.#said).size);
    fs.readSync(this.#said, bytes, 0, bytes.length, 0);
    return bytes.toString().trim();
  }

  async close() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.ref();
      const ended = new Promise((resolve) => this.#process.once("exit", resolve));
      this.#process.stdin.end();
      await ended;
      fs.closeSync(this.#said);
    }
  }
}

export class Card {
  #socket;

  constructor(socket, number) {
    this.#socket = socket;
    this.number = number;
  }

  async #ask(method, what, body = {}) {
    const { status, text } = await exchange(this.#socket, method, `/v1/readers/${this.number}${what}`, JSON.stringify(body));
    let answer = text;
    try {
      answer = JSON.parse(text);
    } catch {
      // A snapshot is text.
    }
    if (status !== 200) {
      throw new CardlabError(answer.message ?? text);
    }
    return answer;
  }

  show() {
    return this.#ask("GET", "");
  }

  async reader() {
    return (await this.show()).name;
  }

  async isIn() {
    return (await this.show()).card_is === "in";
  }

  pinTries() {
    return this.#tries("pin", "PIN");
  }

  pukTries() {
    return this.#tries("puk", "PUK");
  }

  adminTries() {
    return this.#tries("admin_key", "administrator key");
  }

  async #tries(key, what) {
    const { card } = await this.show();
    if (!card) {
      throw new CardlabError("the card works, or waits for a touch: its tries are not told meanwhile");
    }
    if (!card[key]) {
      throw new CardlabError(`this card counts no tries of its ${what}`);
    }
    return card[key].left;
  }

  async insert() {
    await this.#ask("POST", "/insert");
  }

  async remove() {
    await this.#ask("POST", "/remove");
  }

  async unplug() {
    await this.#ask("POST", "/unplug");
  }

  async plug() {
    await this.#ask("POST", "/plug");
  }

  async reset({ cold = false, usb = false } = {}) {
    await this.#ask("POST", "/reset", { cold, usb });
  }

  lock(what = "pin") {
    return this.state(`${what}-blocked`);
  }

  async state(name) {
    await this.#ask("PUT", "/state", { state: name });
  }

  async setTries(what, left) {
    await this.#ask("PUT", "/state", { [`${what}_left`]: left });
  }

  async fault(fault) {
    await this.#ask("POST", "/faults", { fault });
  }

  async clearFaults() {
    await this.#ask("DELETE", "/faults");
  }

  async touch() {
    await this.#ask("POST", "/touch");
  }

  async setTouch(mode) {
    await this.#ask("PUT", "/touch", { touch: mode });
  }

  async pace(pace) {
    await this.#ask("PUT", "/pace", { pace });
  }

  async wait(what, seconds = 10) {
    await this.#ask("GET", `/wait?${new URLSearchParams({ card: what, limit: Math.round(seconds * 1000) })}`);
  }

  log(name) {
    return this.#ask("GET", name ? `/log?${new URLSearchParams({ name })}` : "/log");
  }

  async undo(count = 1) {
    await this.#ask("POST", "/undo", { count });
  }

  snapshot() {
    return this.#ask("POST", "/snapshot", { secrets: "clear" });
  }

  async restore(text) {
    await this.#ask("POST", "/restore", { text });
  }
}

// The one path where this process looks for readers: a link to those of the moment. libpcsclite reads its variable once
// a process.
const stage = {
  path: undefined,

  // Gives what it pointed to before.
  point(socket) {
    this.path ??= path.join(fs.mkdtempSync(path.join(os.tmpdir(), "cardlab-node-")), "s");
    const before = fs.existsSync(this.path) ? fs.readlinkSync(this.path) : undefined;
    if (socket === undefined) {
      fs.rmSync(path.dirname(this.path), { recursive: true });
    } else {
      fs.mkdirSync(path.dirname(this.path), { recursive: true, mode: 0o700 });
      fs.symlinkSync(socket, `${this.path}.new`);
      fs.renameSync(`${this.path}.new`, this.path);
    }
    return before;
  },
};

// A file whose name goes at once: what is written is there at once, and goes with the process.
function unnamed() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "cardlab-node-"));
  const file = fs.openSync(path.join(directory, "said"), "w+", 0o600);
  fs.rmSync(directory, { recursive: true });
  return file;
}

// The first lines; fewer where there are no more.
function first(count, lines) {
  return new Promise((resolve) => {
    const found = [];
    lines.on("line", (line) => found.push(line) === count && resolve(found));
    lines.on("close", () => resolve(found));
  });
}

// HTTP on the control socket.
function exchange(socketPath, method, path, body) {
  return new Promise((resolve, refuse) => {
    const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const unreached = (error) => refuse(new CardlabError(`the readers do not answer: ${error.message}`, { cause: error }));
    const asked = request({ socketPath, method, path, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode, text }));
      response.on("error", unreached);
    });
    asked.on("error", unreached);
    asked.end(body);
  });
}
