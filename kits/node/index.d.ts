/** Simulated smart cards for tests. Needs the program `cardlab` on the path, or named by the variable `CARDLAB`. */

/** What cardlab refused, in its words. */
export class CardlabError extends Error {}

/** What holds for all readers that are made together. */
export interface Options {
  /** Repeats every key, serial and challenge. */
  seed?: number | bigint;
  /** A file for every exchange: text or, by its ending, JSON lines (.jsonl) or for Wireshark (.pcapng). */
  trace?: string;
}

/** What a reader and its card are at the moment. */
export interface View {
  number: number;
  /** What programs see. */
  name: string;
  card_is: "in" | "out" | "unplugged";
  /** Nothing while it works, or waits for a touch. */
  card: CardView | null;
}

/** What a card is at the moment. */
export interface CardView {
  profile: string;
  serial: number | null;
  powered: boolean;
  selected: string | null;
  pin: Tries | null;
  puk: Tries | null;
  admin_key: Tries | null;
  global_pin: Tries | null;
  touch: string;
  pace: string;
  faults: string[];
  undoable: number;
}

/** Tries of a secret. */
export interface Tries {
  left: number;
  maximum: number;
}

/**
 * A test with a card of its own, for `node:test`, mocha and others that take a function:
 * `test("login", withCard("yubikey-5.4,9a=new:p256", async (card) => { .. }))`.
 * What the runner gives to a test comes after the card. A test that fails prints what came in at its cards.
 */
export function withCard<C extends unknown[], R>(
  card: string,
  body: (card: Card, ...context: C) => R | Promise<R>,
): (...context: C) => Promise<R>;

/** The same with several cards: `withReaders(["nist-piv", "gids"], async ([piv, gids]) => { .. })`. */
export function withReaders<C extends unknown[], R>(
  cards: string[],
  body: (readers: Readers, ...context: C) => R | Promise<R>,
): (...context: C) => Promise<R>;

/** Readers of one's own, each with a card. They go with `close`, and with this process however it ends. */
export class Readers implements Iterable<Card> {
  private constructor();
  /** Makes readers: `await Readers.up(["yubikey-5.4,9a=new:p256", "gids,pin-tries=5"])`. */
  static up(cards?: string | string[], options?: Options): Promise<Readers>;
  [Symbol.iterator](): Iterator<Card>;
  /** All cards, in the order in which they were asked for. */
  readonly cards: readonly Card[];
  /** Where programs find the readers: `PCSCLITE_CSOCK_NAME`. */
  readonly socket: string;
  /** The socket of `cardlab card` and of others: `CARDLAB_CONTROL`. */
  readonly control: string;
  /** An environment for a program that is to see the readers. */
  environment(): NodeJS.ProcessEnv;
  /**
   * Shows the readers to this process, and to programs that it starts, until the function that it gives is called.
   * Nothing in the process may have used PC/SC before the first time.
   */
  visible(): () => void;
  /** What came in at all cards, as text; PINs and keys are masked. With the option `trace`, where that is. */
  trace(): string;
  /** Takes the readers away. */
  close(): Promise<void>;
}

/** A reader with its card. The names of states and faults are those of `cardlab card`. */
export class Card {
  private constructor();
  /** The reader's number. */
  readonly number: number;
  /** Where the card is, its counters, faults that wait. */
  show(): Promise<View>;
  /** The reader's name, as programs see it. */
  reader(): Promise<string>;
  /** Whether the card is in its reader. */
  isIn(): Promise<boolean>;
  /** Tries of the PIN that are left. */
  pinTries(): Promise<number>;
  /** Tries of the PUK that are left. */
  pukTries(): Promise<number>;
  /** Tries of the administrator key that are left. */
  adminTries(): Promise<number>;
  /** Puts the card in. */
  insert(): Promise<void>;
  /** Pulls the card out, also in the middle of a command. */
  remove(): Promise<void>;
  /** Unplugs the reader with its card in it. */
  unplug(): Promise<void>;
  /** Plugs the reader in; the card lies beside it. */
  plug(): Promise<void>;
  /** Resets the card, as another program does, `cold` by its power; with `usb` its reader, as the system does. */
  reset(how?: { cold?: boolean; usb?: boolean }): Promise<void>;
  /** Blocks the PIN, the PUK or the administrator key, as if all its tries had been spent. */
  lock(what?: "pin" | "puk" | "admin"): Promise<void>;
  /** Brings the card to a state: `fresh`, `last-try`, `pin-blocked` and others. */
  state(name: string): Promise<void>;
  /** Leaves so many tries. */
  setTries(what: "pin" | "puk" | "admin", left: number): Promise<void>;
  /** Arms a fault: `fault("remove-after,ins=87")`. */
  fault(fault: string): Promise<void>;
  /** Disarms all faults. */
  clearFaults(): Promise<void>;
  /** Touches the card that waits for it. */
  touch(): Promise<void>;
  /** Says how the card is touched: `auto`, `never`, `wait`, `after=200ms`. */
  setTouch(mode: string): Promise<void>;
  /** Says how long commands take: `off`, `yubikey-5`, or milliseconds: `any:10+sign:475`. */
  pace(pace: string): Promise<void>;
  /** Waits until the card is in, out, unplugged, or waits for a touch; ten seconds at most. */
  wait(what: "in" | "out" | "unplugged" | "touch", seconds?: number): Promise<void>;
  /** What came in, PINs and keys masked; `name` is a part of a command's name. */
  log(name?: string): Promise<Record<string, unknown>[]>;
  /** Takes the last commands back; the card is reset. */
  undo(count?: number): Promise<void>;
  /** The card's whole state as text. */
  snapshot(): Promise<string>;
  /** Brings the card back to a snapshot. */
  restore(text: string): Promise<void>;
}
