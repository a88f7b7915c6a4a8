import { createHash } from "node:crypto";
import { Failure } from "../../src/base/index.ts";
import { headerEndOf, parseMessage, textMatches, type MessageStructure } from "../../src/mail/message/index.ts";
import type { MessageRecord } from "../../src/mail/message-record.ts";
import type {
  Appended,
  Copied,
  FlagChange,
  Flagged,
  MailboxChanges,
  MailboxEntry,
  MailboxStatus,
  MailStore,
  MessageContent,
  NewMessage,
  OpenMailbox,
  Quota,
  TextQuery,
} from "../../src/mail/store/index.ts";
import { systemFlags } from "../../src/mail/message-record.ts";

/** A message as the store keeps it: the record and the bytes on the wire. */
interface Kept {
  record: MessageRecord;
  readonly content: Buffer;
  structure?: MessageStructure;
}

interface Box {
  readonly id: string;
  uidValidity: number;
  uidNext: number;
  modSeq: number;
  specialUse: readonly string[];
  /** By ascending UID, as a Map keeps its order. */
  messages: Map<number, Kept>;
  expunged: { readonly uid: number; readonly modSeq: number }[];
  /** By their lower case, as first written. */
  readonly keywords: Map<string, string>;
  readonly watchers: Set<() => void>;
}

export interface MemoryMailOptions {
  /** `parseMessage`; without it every message is one part of text. */
  readonly parse?: (content: Uint8Array) => MessageStructure;
  readonly now?: () => number;
  readonly limitBytes?: number;
  readonly limitMessages?: number;
}

/**
 * The mail of one user in memory, for tests of protocols: `new MemoryMail().store()`. Several stores of one are several
 * connections of that user.
 */
export class MemoryMail {
  readonly #options: MemoryMailOptions;
  readonly #boxes = new Map<string, Box>();
  readonly #subscribed = new Set<string>();
  #made = 0;

  constructor(options: MemoryMailOptions = {}) {
    this.#options = options;
    this.#boxes.set("INBOX", this.#newBox([]));
  }

  store(): MailStore {
    return {
      list: () => this.#list(),
      status: (name) => this.#status(name),
      create: async (name, specialUse = []) => this.#create(spelled(name), specialUse),
      delete: async (name) => this.#delete(spelled(name)),
      rename: async (from, to) => this.#rename(spelled(from), spelled(to)),
      subscribe: async (name, isSubscribed) => {
        if (isSubscribed) this.#subscribed.add(spelled(name));
        else this.#subscribed.delete(spelled(name));
      },
      append: async (name, messages) => this.append(name, messages),
      open: (name, { isReadOnly }) => new MemoryMailbox(this, spelled(name), isReadOnly),
      quota: () => this.#quota(),
      async [Symbol.asyncDispose]() {},
    };
  }

  /** Adds messages as another program would; text is taken as UTF-8. */
  add(name: string, ...texts: readonly (string | Partial<NewMessage>)[]): Appended {
    const messages = texts.map((text) => {
      const given = typeof text === "string" ? { content: Buffer.from(text) } : text;
      return { flags: [], receivedMs: this.now(), content: Buffer.alloc(0), ...given };
    });
    return this.append(name, messages);
  }

  append(name: string, messages: readonly NewMessage[]): Appended {
    const box = this.box(name);
    const wires = messages.map((message) => onTheWire(message.content));
    this.#mustHaveRoom(wires);
    const uids = messages.map((message, index) => {
      const content = wires[index] ?? Buffer.alloc(0);
      return this.#put(box, { content, flags: message.flags, receivedMs: message.receivedMs });
    });
    announce(box);
    return { uidValidity: box.uidValidity, uids };
  }

  now(): number {
    return (this.#options.now ?? Date.now)();
  }

  box(name: string): Box {
    const box = this.#boxes.get(spelled(name));
    if (box === undefined) throw new Failure("not-found", `cannot open mailbox "${name}": there is none`);
    return box;
  }

  structureOf(kept: Kept): MessageStructure {
    kept.structure ??= (this.#options.parse ?? parseMessage)(kept.content);
    return kept.structure;
  }

  copy(from: Box, uids: readonly number[], target: string): Copied {
    const box = this.box(target);
    const found = uids.flatMap((uid) => from.messages.get(uid) ?? []);
    this.#mustHaveRoom(found.map((kept) => kept.content));
    const made = found.map(({ content, record }) => this.#put(box, { ...record, content }));
    announce(box);
    return { uidValidity: box.uidValidity, uids: made, sourceUids: found.map((kept) => kept.record.uid) };
  }

  #put(box: Box, message: { content: Buffer; flags: readonly string[]; receivedMs: number }): number {
    const uid = box.uidNext++;
    const record: MessageRecord = {
      uid,
      flags: sortedFlags(box, message.flags),
      modSeq: ++box.modSeq,
      receivedMs: message.receivedMs,
      savedMs: this.now(),
      sizeBytes: message.content.length,
      emailId: `M${createHash("sha256").update(message.content).digest("hex").slice(0, 24)}`,
    };
    box.messages.set(uid, { record, content: message.content });
    return uid;
  }

  #mustHaveRoom(wires: readonly Buffer[]): void {
    const { usedBytes, messages, limitBytes, limitMessages } = this.#quota();
    const addedBytes = wires.reduce((sum, wire) => sum + wire.length, 0);
    if (usedBytes + addedBytes <= (limitBytes ?? Infinity) && messages + wires.length <= (limitMessages ?? Infinity))
      return;
    throw new Failure("no-space", "cannot add messages: the quota is used up");
  }

  #quota(): Quota {
    const kept = [...this.#boxes.values()].flatMap((box) => [...box.messages.values()]);
    const { limitBytes, limitMessages } = this.#options;
    return {
      usedBytes: kept.reduce((sum, { content }) => sum + content.length, 0),
      messages: kept.length,
      ...(limitBytes === undefined ? {} : { limitBytes }),
      ...(limitMessages === undefined ? {} : { limitMessages }),
    };
  }

  #newBox(specialUse: readonly string[]): Box {
    this.#made += 1;
    return {
      id: `F${this.#made}`,
      uidValidity: 1000 + this.#made,
      uidNext: 1,
      modSeq: 1,
      specialUse,
      messages: new Map(),
      expunged: [],
      keywords: new Map(),
      watchers: new Set(),
    };
  }

  #list(): readonly MailboxEntry[] {
    const names = new Set([...this.#boxes.keys(), ...this.#subscribed]);
    for (const name of Array.from(names)) {
      const levels = name.split("/");
      for (let depth = 1; depth < levels.length; depth++) names.add(levels.slice(0, depth).join("/"));
    }
    const sorted = [...names].sort((a, b) => Number(b === "INBOX") - Number(a === "INBOX") || (a < b ? -1 : 1));
    return sorted.map((name) => ({
      name,
      isSubscribed: this.#subscribed.has(name),
      exists: this.#boxes.has(name),
      isSelectable: this.#boxes.has(name),
      hasChildren: [...this.#boxes.keys()].some((other) => other.startsWith(`${name}/`)),
      specialUse: this.#boxes.get(name)?.specialUse ?? [],
    }));
  }

  #status(name: string): MailboxStatus {
    const box = this.box(name);
    const records = [...box.messages.values()].map((kept) => kept.record);
    return {
      messages: records.length,
      unseen: records.filter(({ flags }) => !flags.includes("\\Seen")).length,
      deleted: records.filter(({ flags }) => flags.includes("\\Deleted")).length,
      uidNext: box.uidNext,
      uidValidity: box.uidValidity,
      highestModSeq: box.modSeq,
      sizeBytes: records.reduce((sum, record) => sum + record.sizeBytes, 0),
      mailboxId: box.id,
    };
  }

  #create(name: string, specialUse: readonly string[]): void {
    if (this.#boxes.has(name)) throw new Failure("exists", `cannot create mailbox "${name}": there is one already`);
    const levels = name.split("/");
    if (levels.includes("")) throw new Failure("refused", `cannot create mailbox "${name}": a level of it is empty`);
    for (let depth = 1; depth <= levels.length; depth++) {
      const made = levels.slice(0, depth).join("/");
      if (!this.#boxes.has(made)) this.#boxes.set(made, this.#newBox(depth === levels.length ? specialUse : []));
    }
  }

  #delete(name: string): void {
    const box = this.box(name);
    if (name === "INBOX") throw new Failure("refused", 'cannot delete mailbox "INBOX": it always exists');
    this.#boxes.delete(name);
    box.expunged.push(...[...box.messages.keys()].map((uid) => ({ uid, modSeq: ++box.modSeq })));
    box.messages.clear();
    announce(box);
  }

  #rename(from: string, to: string): void {
    const box = this.box(from);
    if (this.#boxes.has(to)) throw new Failure("exists", `cannot rename to mailbox "${to}": there is one already`);
    if (from === "INBOX") {
      this.#create(to, []);
      this.copy(box, [...box.messages.keys()], to);
      this.expunge(box, [...box.messages.keys()]);
      return;
    }
    const moved = [...this.#boxes].filter(([name]) => name === from || name.startsWith(`${from}/`));
    for (const [name] of moved) this.#boxes.delete(name);
    const parent = to.slice(0, Math.max(0, to.lastIndexOf("/")));
    if (parent !== "" && !this.#boxes.has(parent)) this.#create(parent, []);
    for (const [name, renamed] of moved) this.#boxes.set(`${to}${name.slice(from.length)}`, renamed);
  }

  expunge(box: Box, uids: readonly number[]): void {
    for (const uid of uids) {
      if (box.messages.delete(uid)) box.expunged.push({ uid, modSeq: ++box.modSeq });
    }
    announce(box);
  }
}

class MemoryMailbox implements OpenMailbox {
  readonly name: string;
  readonly isReadOnly: boolean;
  readonly canAddKeywords = true;
  readonly #mail: MemoryMail;
  readonly #box: Box;
  #records: MessageRecord[];
  #seenModSeq: number;

  constructor(mail: MemoryMail, name: string, isReadOnly: boolean) {
    this.#mail = mail;
    this.#box = mail.box(name);
    this.name = name;
    this.isReadOnly = isReadOnly;
    this.#records = [...this.#box.messages.values()].map((kept) => kept.record);
    this.#seenModSeq = this.#box.modSeq;
  }

  get mailboxId(): string {
    return this.#box.id;
  }
  get uidValidity(): number {
    return this.#box.uidValidity;
  }
  get uidNext(): number {
    return this.#box.uidNext;
  }
  get highestModSeq(): number {
    return this.#seenModSeq;
  }
  get keywords(): readonly string[] {
    return [...this.#box.keywords.values()];
  }
  get messages(): readonly MessageRecord[] {
    return this.#records;
  }

  sync(): MailboxChanges {
    if (this.#seenModSeq === this.#box.modSeq) return { appeared: [], changed: [], vanished: [] };
    this.#seenModSeq = this.#box.modSeq;
    const before = new Map(this.#records.map((record) => [record.uid, record]));
    this.#records = [...this.#box.messages.values()].map((kept) => kept.record);
    const appeared = this.#records.filter((record) => !before.has(record.uid));
    const changed = this.#records.filter(({ uid, modSeq }) => before.has(uid) && before.get(uid)?.modSeq !== modSeq);
    const vanished = [...before.keys()].filter((uid) => !this.#box.messages.has(uid));
    return { appeared, changed, vanished };
  }

  watch(onChange: () => void): Disposable {
    const call = (): void => onChange();
    this.#box.watchers.add(call);
    return { [Symbol.dispose]: () => void this.#box.watchers.delete(call) };
  }

  content(uid: number): MessageContent {
    const { content } = this.#kept(uid);
    return {
      sizeBytes: content.length,
      read: (from = 0, to = content.length) => content.subarray(from, to),
      readHeader: () => content.subarray(0, headerEndOf(content)),
      [Symbol.dispose]() {},
    };
  }

  summaries(uids: readonly number[]): Iterable<readonly [uid: number, structure: MessageStructure]> {
    return this.structures(uids);
  }

  *structures(uids: readonly number[]): Iterable<readonly [uid: number, structure: MessageStructure]> {
    for (const uid of uids) {
      const kept = this.#box.messages.get(uid);
      if (kept !== undefined) yield [uid, this.#mail.structureOf(kept)];
    }
  }

  async matching(query: TextQuery, uids: readonly number[]): Promise<ReadonlySet<number>> {
    const isMatch = (uid: number): boolean => {
      const kept = this.#box.messages.get(uid);
      return kept !== undefined && textMatches(kept.content, this.#mail.structureOf(kept).root, query);
    };
    return new Set(uids.filter(isMatch));
  }

  async setFlags(uids: readonly number[], change: FlagChange): Promise<Flagged> {
    this.#mustWrite();
    const changed: MessageRecord[] = [];
    const modified: number[] = [];
    for (const uid of uids) {
      const kept = this.#box.messages.get(uid);
      if (kept === undefined) continue;
      if (change.unchangedSince !== undefined && kept.record.modSeq > change.unchangedSince) {
        modified.push(uid);
        continue;
      }
      const flags = changedFlags(this.#box, kept.record.flags, change);
      if (flags.join(" ") !== kept.record.flags.join(" "))
        kept.record = { ...kept.record, flags, modSeq: ++this.#box.modSeq };
      changed.push(kept.record);
    }
    const now = new Map(changed.map((record) => [record.uid, record]));
    this.#records = this.#records.map((record) => now.get(record.uid) ?? record);
    announce(this.#box);
    return { changed, modified };
  }

  async copy(uids: readonly number[], target: string): Promise<Copied> {
    return this.#mail.copy(this.#box, uids, target);
  }

  async move(uids: readonly number[], target: string): Promise<Copied> {
    this.#mustWrite();
    const copied = this.#mail.copy(this.#box, uids, target);
    this.#remove(copied.sourceUids);
    return copied;
  }

  async expunge(uids?: readonly number[]): Promise<readonly number[]> {
    this.#mustWrite();
    const among = uids === undefined ? undefined : new Set(uids);
    const gone = this.#records
      .filter(({ uid }) => among?.has(uid) ?? true)
      .filter(({ uid }) => this.#box.messages.get(uid)?.record.flags.includes("\\Deleted"))
      .map(({ uid }) => uid);
    this.#remove(gone);
    return gone;
  }

  vanishedSince(modSeq: number): readonly number[] {
    const uids = this.#box.expunged.filter((entry) => entry.modSeq > modSeq).map((entry) => entry.uid);
    return uids.sort((a, b) => a - b);
  }

  [Symbol.dispose](): void {}

  #mustWrite(): void {
    if (this.isReadOnly)
      throw new Failure("refused", `cannot change mailbox "${this.name}": it is open for reading only`);
  }

  #kept(uid: number): Kept {
    const kept = this.#box.messages.get(uid);
    if (kept === undefined) throw new Failure("not-found", `cannot read message ${uid}: it was removed`);
    return kept;
  }

  #remove(uids: readonly number[]): void {
    const gone = new Set(uids);
    this.#mail.expunge(this.#box, uids);
    this.#records = this.#records.filter((record) => !gone.has(record.uid));
  }
}

function announce(box: Box): void {
  for (const call of box.watchers) queueMicrotask(call);
}

function spelled(name: string): string {
  return name.toUpperCase() === "INBOX" ? "INBOX" : name;
}

function changedFlags(box: Box, before: readonly string[], { mode, flags }: FlagChange): readonly string[] {
  if (mode === "set") return sortedFlags(box, flags);
  const named = new Set(flags.map((flag) => flag.toLowerCase()));
  if (mode === "add") return sortedFlags(box, [...before, ...flags]);
  return before.filter((flag) => !named.has(flag.toLowerCase()));
}

function sortedFlags(box: Box, flags: readonly string[]): readonly string[] {
  const spelledFlags = flags.map((flag) => {
    const lower = flag.toLowerCase();
    const system = systemFlags.find((known) => known.toLowerCase() === lower);
    if (system !== undefined) return system;
    if (!box.keywords.has(lower)) box.keywords.set(lower, flag);
    return box.keywords.get(lower) ?? flag;
  });
  return [...new Set(spelledFlags)].sort();
}

function onTheWire(content: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(content).toString("latin1").replaceAll(/\r?\n/g, "\r\n"), "latin1");
}
