// The kit, with the packages smartcard and @pokusew/pcsclite as the programs that use the cards.

import pcsclite from "@pokusew/pcsclite";
import { CardlabError, Readers, withCard, withReaders } from "cardlab";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect as dial } from "node:net";
import path from "node:path";
import { test } from "node:test";
import smartcard from "smartcard";

const SELECT = Buffer.from("00A4040005A000000308", "hex");
const { Context, SCARD_PROTOCOL_T1, SCARD_SHARE_SHARED, SCARD_UNPOWER_CARD } = smartcard;

const verify = (pin) => Buffer.concat([Buffer.from([0x00, 0x20, 0x00, 0x80, 0x08]), Buffer.from(pin.padEnd(8, "\xff"), "latin1")]);
const status = (answer) => answer.subarray(-2).toString("hex");

// A context is of the readers that are visible when it is made.
function names() {
  const context = new Context();
  try {
    return context.listReaders().map((reader) => reader.name);
  } finally {
    context.close();
  }
}

async function connect() {
  const [reader] = new Context().listReaders();
  const connection = await reader.connect(SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1);
  assert.equal(status(await connection.transmit(SELECT)), "9000");
  return connection;
}

test(
  "lock, pull and put back",
  withCard("nist-piv", async (card) => {
    const connection = await connect();
    for (const left of [2, 1, 0]) {
      assert.equal(status(await connection.transmit(verify("999999"))), `63c${left}`);
    }
    assert.equal(await card.pinTries(), 0);
    await card.remove();
    await assert.rejects(connection.transmit(SELECT));
    await assert.rejects(connect());
    await card.insert();
    assert(await card.isIn());
    // Still blocked: the right PIN is not even compared.
    assert.equal(status(await (await connect()).transmit(verify("123456"))), "6983");
    await card.undo(2);
    assert.equal(await card.pinTries(), 0, "SELECT and the refused VERIFY changed nothing");
    await card.state("fresh");
    assert.equal(status(await (await connect()).transmit(verify("123456"))), "9000");
  }),
);

test(
  "each test has readers of its own",
  withReaders(["nist-piv,name=One", "gids,name=Two"], async (readers) => {
    const [piv, gids] = readers;
    assert.deepEqual(names(), ["One 00 00", "Two 01 00"]);
    assert.deepEqual([await piv.reader(), await gids.reader()], names());
    await piv.unplug();
    assert.deepEqual(names(), ["Two 01 00"]);
    await withCard("yubikey-5.4,name=Three", async (card, word) => {
      assert.equal(word, "context");
      assert.deepEqual(names(), ["Three 00 00"]);
      const list = (options) => execFileSync("opensc-tool", ["-l"], { encoding: "utf8", ...options });
      assert.match(list(), /Three 00 00/);
      assert.match(list({ env: readers.environment() }), /Two 01 00/);
    })("context");
    assert.deepEqual(names(), ["Two 01 00"]);
    await piv.plug();
    assert.equal(await piv.isIn(), false);
  }),
);

test(
  "events of @pokusew/pcsclite",
  withCard("yubikey-5.4", async (card) => {
    const pcsc = pcsclite();
    // Its wait for changes ends in an error when it is closed.
    pcsc.on("error", () => {});
    const [reader] = await once(pcsc, "reader");
    assert.equal(reader.name, await card.reader());
    const called = (name, ...values) => new Promise((done, refuse) => reader[name](...values, (e, v) => (e ? refuse(e) : done(v))));
    const protocol = await called("connect", { share_mode: reader.SCARD_SHARE_SHARED });
    assert.equal(status(await called("transmit", SELECT, 258, protocol)), "9000");
    const out = new Promise((resolve) =>
      reader.on("status", ({ state }) => {
        if (state & reader.SCARD_STATE_EMPTY) resolve();
      }),
    );
    await card.remove();
    await out;
    await assert.rejects(called("transmit", SELECT, 258, protocol));
    reader.close();
    pcsc.close();
  }),
);

test(
  "faults, snapshots and waiting",
  withCard("gids", async (card) => {
    const before = await card.snapshot();
    await card.setTries("pin", 1);
    assert.equal(await card.pinTries(), 1);
    await card.restore(before);
    assert.equal(await card.pinTries(), 3);
    await card.fault("remove-before,nth=3");
    assert.deepEqual((await card.show()).card.faults, ["remove-before,nth=3"]);
    await card.clearFaults();
    await Promise.all([card.wait("out"), card.remove()]);
    await card.insert();
    await card.reset({ cold: true });
    await card.lock("admin");
    assert.equal(await card.adminTries(), 0);
  }),
);

test(
  "touch, pace and log",
  withCard("yubikey-5.4,9a=new:p256", async (card) => {
    await card.pace("any:1");
    await card.setTouch("auto");
    await assert.rejects(card.touch(), CardlabError);
    const connection = await connect();
    await connection.transmit(verify("123456"));
    assert.equal((await card.log("VERIFY")).length, 1);
    assert.equal((await card.log("SELECT")).length, 1);
    connection.disconnect(SCARD_UNPOWER_CARD);
  }),
);

test("mistakes are said", async () => {
  const said = (words) => (error) => error instanceof CardlabError && error.message.includes(words);
  await assert.rejects(Readers.up("sim"), said("no profile named 'sim'"));
  const readers = await Readers.up("gids");
  const [card] = readers;
  await assert.rejects(card.fault("fire"), said("no fault named 'fire'"));
  await assert.rejects(card.wait("out", 0.001), said("it did not happen"));
  await assert.rejects(card.pukTries(), said("this card counts no tries of its PUK"));
  await assert.rejects(card.lock("door"), said("no state named 'door-blocked'"));
  await readers.close();
  await readers.close();
  await assert.rejects(card.insert(), said("the readers do not answer"));
  assert.throws(names, "readers of another test are left");
  const program = process.env.CARDLAB;
  process.env.CARDLAB = "/nowhere";
  await assert.rejects(Readers.up(), said("there is no program 'cardlab' on the path"));
  process.env.CARDLAB = program;
});

test("a failure has what came in", async (t) => {
  const error = t.mock.method(console, "error", () => {});
  const failing = withCard("nist-piv", async () => {
    await (await connect()).transmit(verify("999999"));
    throw new Error("the test's own words");
  });
  await assert.rejects(failing(), { message: "the test's own words" });
  const [said] = error.mock.calls[0].arguments;
  assert.match(said, /What came in at the cards:[^]*VERIFY, PIN[^]*< 63 C2 .*tries left: 2/);
  assert.doesNotMatch(said, /39 39 39/);
  const trace = path.resolve("trace.jsonl");
  const readers = await Readers.up(["gids"], { seed: 7, trace });
  assert.equal(readers.trace(), `recorded in ${trace}`);
  await readers.close();
  assert(existsSync(trace));
});

test("readers go with the process that made them", async () => {
  const script = "import { Readers } from 'cardlab'; console.log((await Readers.up()).control); process.stdin.resume()";
  const maker = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(maker.stdout, "data");
  const socket = line.toString().trim();
  const control = dial(socket);
  await once(control, "connect");
  // Reset, where nobody had taken the connection yet.
  control.on("error", () => {});
  const closed = new Promise((resolve) => control.on("close", resolve));
  maker.kill("SIGKILL");
  control.resume();
  await closed;
  assert(!existsSync(path.dirname(socket)));
});

test("readers that nobody takes away do not keep their process", () => {
  const script = "import { Readers } from 'cardlab'; console.log((await Readers.up()).socket)";
  const told = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", timeout: 60_000 });
  assert.match(told, /pcscd\.comm/);
});
