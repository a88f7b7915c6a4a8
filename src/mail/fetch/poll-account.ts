import { stopIfAborted } from "../../base/index.ts";
import type { Account } from "./account.ts";
import { choose, type Choice } from "./choose.ts";
import { FetchState } from "./fetch-state.ts";
import { runHook } from "./hooks.ts";
import { Making } from "./make-message.ts";
import { openSource } from "./open-source.ts";
import type { Fetched, MailSource, RemoteMessage } from "./source.ts";
import { openTarget, recover, type FetchTarget } from "./targets/index.ts";

/** What happened to one message. */
export interface MessageEvent {
  readonly account: string;
  readonly uid: string;
  readonly sizeBytes: number;
  /** Of those that are being fetched, counted from 1. */
  readonly number: number;
  readonly total: number;
}

export interface PollReport {
  readonly account: string;
  readonly folder: string;
  readonly fetched: number;
  readonly fetchedBytes: number;
  /** Deleted on the server, those of an earlier run among them. */
  readonly deleted: number;
  /** Fetched or read before, and still there. */
  readonly old: number;
  readonly tooLarge: number;
  /** Left for the next time by `fetchlimit`. */
  readonly later: number;
  /** Messages that were not taken; they are still on the server. */
  readonly problems: readonly string[];
}

export interface PollOptions {
  readonly signal?: AbortSignal;
  readonly onMessage?: (event: MessageEvent) => void;
  readonly env: NodeJS.ProcessEnv;
  /** Where it is kept in mind what was fetched. */
  readonly stateFolder: string;
  readonly clock: () => number;
  readonly version: string;
}

const groupMessages = 100;
const groupBytes = 4 * 1024 * 1024;
/** So long may a message that has come wait for others to be made safe with. */
const groupMs = 1000;

/**
 * Fetches what is new in one folder of an account, and deletes it there once it is safe here. What came of it goes to
 * `onPolled`, also where it then throws.
 */
export async function pollFolder(
  account: Account,
  folder: string,
  options: PollOptions & { readonly onPolled: (report: PollReport) => void },
): Promise<void> {
  await connected(account, folder, options, async (parts) => {
    const poll = new Poll(parts);
    let isDone = false;
    try {
      await poll.run();
      await parts.source.finish();
      isDone = true;
    } finally {
      if (isDone || poll.report.fetched > 0) options.onPolled(poll.report);
    }
  });
}

/**
 * The same, and then again whenever the server says that there is more (IMAP IDLE), until the signal is given. Each
 * report goes to `onPolled`.
 */
export async function pollAndWait(
  account: Account,
  folder: string,
  options: PollOptions & { readonly signal: AbortSignal; readonly onPolled: (report: PollReport) => Promise<void> },
): Promise<void> {
  await connected(account, folder, options, async (parts) => {
    while (!options.signal.aborted) {
      const poll = new Poll(parts);
      try {
        await poll.run();
      } finally {
        await options.onPolled(poll.report);
      }
      await parts.source.wait(options.signal);
    }
    await parts.source.finish();
  });
}

/** What was cut off is put right before anything else; then there is a connection. */
async function connected<Result>(
  account: Account,
  folder: string,
  options: PollOptions,
  work: (parts: PollParts) => Promise<Result>,
): Promise<Result> {
  const { preconnect, postconnect } = account;
  if (preconnect !== undefined) await runHook({ name: "preconnect", command: preconnect }, options);
  try {
    using state = FetchState.open(options.stateFolder, stateName(account, folder));
    if (state.unfinished !== undefined) await state.end(await recover(state.unfinished, options));
    await using source = await openSource(account, folder, options.signal);
    await using target = openTarget(account, options);
    return await work({ account, folder, options, state, source, target });
  } finally {
    if (postconnect !== undefined) await runHook({ name: "postconnect", command: postconnect }, options);
  }
}

/** One mailbox, however often its server is given another name or port. */
function stateName({ protocol, user, pollName }: Account, folder: string): string {
  return `${protocol}-${user}@${pollName}${protocol === "imap" ? `-${folder}` : ""}`;
}

interface PollParts {
  readonly account: Account;
  readonly folder: string;
  readonly options: PollOptions;
  readonly state: FetchState;
  readonly source: MailSource;
  readonly target: FetchTarget;
}

class Poll {
  readonly #parts: PollParts;
  readonly #problems: string[] = [];
  #choice: Choice | undefined;
  #fetched = 0;
  #fetchedBytes = 0;
  readonly #removed: string[] = [];
  /** Asked of the server, answers still to come. */
  readonly #asked: Promise<void>[] = [];

  constructor(parts: PollParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { account, options, state, source } = this.#parts;
    state.fate = account.keeps ? "kept" : "due";
    const { validity, messages } = await source.list();
    state.align(validity, new Set(messages.map(({ uid }) => uid)));
    const choice = choose(account, messages, (uid) => state.fateOf(uid));
    this.#choice = choice;
    this.#remove(choice.unwanted);
    this.#mark(choice.unmarked);
    try {
      await this.#fetchAll(choice, validity);
    } finally {
      // What was asked of the server is heard even where fetching ended early.
      await Promise.allSettled(this.#asked);
    }
    await Promise.all(this.#asked);
    // POP3 deletes when the session ends: until its next list, it is not known whether it did.
    if (source.deletesAtOnce) state.gone(this.#removed);
    stopIfAborted(options.signal);
  }

  /** What has come of it so far. */
  get report(): PollReport {
    const { account, folder } = this.#parts;
    const counts = { fetched: this.#fetched, fetchedBytes: this.#fetchedBytes, deleted: this.#removed.length };
    const left = {
      old: this.#choice?.old ?? 0,
      tooLarge: this.#choice?.large.length ?? 0,
      later: this.#choice?.later ?? 0,
    };
    return { account: account.name, folder, ...counts, ...left, problems: this.#problems };
  }

  async #fetchAll(choice: Choice, validity: string): Promise<void> {
    const { account, options, source, target } = this.#parts;
    const making = new Making({ account, options, source, target, validity });
    const spool = { folder: options.stateFolder, stripsReturns: target.wantsLf };
    for await (const group of groupsOf(source.fetch(choice.wanted, spool), options)) {
      await this.#deliver(group, making, choice.wanted.length);
      if (options.signal?.aborted === true) return;
    }
  }

  async #deliver(group: readonly Fetched[], making: Making, total: number): Promise<void> {
    const { account, options, state, target } = this.#parts;
    using spooled = new DisposableStack();
    const taken: { readonly message: RemoteMessage; readonly fetched: ReturnType<Making["make"]> }[] = [];
    for (const one of group) {
      if ("failure" in one) this.#problems.push(one.failure.message);
      else {
        spooled.use(one.spooled);
        taken.push({ message: one.message, fetched: making.make(one.message, one.spooled) });
      }
    }
    const undelivered = await target.deliver(
      taken.map(({ fetched }) => fetched),
      state,
    );
    this.#problems.push(...undelivered.map(({ failure }) => failure.message));
    const left = new Set(undelivered.map(({ uid }) => uid));
    const safe = taken.filter(({ message }) => !left.has(message.uid));
    for (const { message } of safe) {
      this.#fetched += 1;
      this.#fetchedBytes += message.sizeBytes;
      const { uid, sizeBytes } = message;
      options.onMessage?.({ account: account.name, uid, sizeBytes, number: this.#fetched, total });
    }
    const messages = safe.map(({ message }) => message);
    if (account.keeps) this.#mark(messages);
    else this.#remove(messages);
  }

  #remove(messages: readonly RemoteMessage[]): void {
    if (messages.length > 0) this.#ask(this.#removeNow(messages));
  }

  async #removeNow(messages: readonly RemoteMessage[]): Promise<void> {
    const removed = await this.#parts.source.remove(messages);
    this.#removed.push(...removed.map(({ uid }) => uid));
  }

  #mark(messages: readonly RemoteMessage[]): void {
    if (messages.length > 0) this.#ask(this.#markNow(messages));
  }

  /** A server that keeps in mind what was read need not have it kept in mind here. */
  async #markNow(messages: readonly RemoteMessage[]): Promise<void> {
    const marked = await this.#parts.source.markSeen(messages);
    this.#parts.state.gone(marked.map(({ uid }) => uid));
  }

  #ask(asked: Promise<void>): void {
    asked.catch(() => undefined); // heard of at the end
    this.#asked.push(asked);
  }
}

/** Puts together what comes, so that one flush serves many; what came before a failure is given first. */
async function* groupsOf(fetched: AsyncGenerator<Fetched>, { clock }: PollOptions): AsyncGenerator<readonly Fetched[]> {
  let group: Fetched[] = [];
  let bytes = 0;
  let sinceMs = 0;
  try {
    for await (const one of fetched) {
      if (group.length === 0) sinceMs = clock();
      group.push(one);
      bytes += one.message.sizeBytes;
      if (group.length < groupMessages && bytes < groupBytes && clock() - sinceMs < groupMs) continue;
      yield group;
      group = [];
      bytes = 0;
    }
  } catch (error) {
    if (group.length > 0) yield group;
    throw error;
  }
  if (group.length > 0) yield group;
}
