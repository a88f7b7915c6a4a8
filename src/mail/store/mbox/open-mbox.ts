import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../../base/index.ts";
import { wireBytes } from "../line-ends.ts";
import type { Appended, MailboxEntry, MailboxStatus, MailStore, NewMessage, Quota } from "../mail-store.ts";
import { changeSpecialUse, readSpecialUse } from "../maildir/index.ts";
import type { OpenMailbox } from "../open-mailbox.ts";
import { fileIo } from "./file-io.ts";
import { spelledFlags } from "./flags.ts";
import { createMailbox, namesIn, renameMailbox, type MboxPlaces } from "./folders.ts";
import { changeMailbox, type MboxRoot } from "./mbox-root.ts";
import { MboxView, newMboxMode, type MboxAccess } from "./mbox-view.ts";
import { hasControlSign, spelledMailbox } from "./names.ts";
import { borrowMboxRoot } from "./roots.ts";
import { readSubscriptions, trySubscribe } from "./subscriptions.ts";

export interface MboxLocation extends MboxPlaces {
  /** Another folder for the index. */
  readonly index?: string;
}

export interface MboxOptions {
  readonly now: () => number;
  /** Runs what touches files, as the user whose mail it is; what it is given does not wait. */
  readonly actAs?: <T>(work: () => T) => T;
  readonly limitBytes?: number;
  readonly limitMessages?: number;
}

/** One user's mail in mboxes: INBOX is a file in the spool, others are files in a folder. Others may change them too. */
export function openMbox(location: MboxLocation, options: MboxOptions): MailStore {
  const actAs = options.actAs ?? (<T>(work: () => T): T => work());
  const borrowed = actAs(() => borrowMboxRoot(location, options));
  return new MboxStore(borrowed.root, { ...options, actAs }, () => borrowed[Symbol.dispose]());
}

class MboxStore implements MailStore {
  readonly #root: MboxRoot;
  readonly #options: MboxOptions & { readonly actAs: <T>(work: () => T) => T };
  readonly #close: () => void;

  constructor(root: MboxRoot, options: MboxOptions & { actAs: <T>(work: () => T) => T }, close: () => void) {
    this.#root = root;
    this.#options = options;
    this.#close = close;
  }

  #act<T>(work: () => T): T {
    return this.#options.actAs(work);
  }

  get #access(): MboxAccess {
    return { root: this.#root, actAs: this.#options.actAs, mustHaveRoom: (sizes) => this.#mustHaveRoom(sizes) };
  }

  get #subscriptions(): string {
    return path.join(this.#root.places.folder, ".subscriptions");
  }

  list(): readonly MailboxEntry[] {
    return this.#act(() => {
      const { mailboxes, levels } = namesIn(this.#root.places);
      const subscribed = new Set(readSubscriptions(this.#subscriptions));
      const uses = readSpecialUse(this.#root.stateFolder);
      const below = [...mailboxes, ...levels, ...subscribed].flatMap(parentsOf);
      const all = new Set([...mailboxes, ...levels, ...subscribed, ...below]);
      const parents = new Set([...mailboxes, ...levels].flatMap(parentsOf));
      return [...all].sort(compareNames).map((name) => ({
        name,
        isSubscribed: subscribed.has(name),
        exists: mailboxes.has(name) || levels.has(name),
        isSelectable: mailboxes.has(name),
        hasChildren: parents.has(name),
        specialUse: mailboxes.has(name) ? (uses.get(name) ?? []) : [],
      }));
    });
  }

  status(name: string): MailboxStatus {
    const { index } = this.#act(() => this.#root.look(name));
    const { messages, uidNext, uidValidity, highestModSeq } = index;
    return {
      messages: messages.length,
      unseen: messages.filter(({ flags }) => !flags.includes("\\Seen")).length,
      deleted: messages.filter(({ flags }) => flags.includes("\\Deleted")).length,
      sizeBytes: messages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      uidNext,
      uidValidity,
      highestModSeq,
      mailboxId: `${uidValidity}`,
    };
  }

  async create(name: string, specialUse: readonly string[] = []): Promise<void> {
    const spelled = spelledMailbox(name);
    this.#act(() => {
      createMailbox(this.#root.places, spelled);
      const uses = specialUse.map((use) => [use, spelled] as const);
      const { stateFolder } = this.#root;
      changeSpecialUse(stateFolder, (kept) => [...kept.filter(([use]) => !specialUse.includes(use)), ...uses]);
      fileIo.syncFolder(path.dirname(this.#root.fileOf(spelled)));
      this.#root.look(spelled);
    });
  }

  async delete(name: string): Promise<void> {
    const spelled = spelledMailbox(name);
    if (spelled === "INBOX") throw new Failure("refused", 'cannot delete mailbox "INBOX": it always exists');
    const file = this.#root.fileOf(spelled);
    if (this.#act(() => fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)) {
      return this.#act(() => deleteLevel(file, spelled));
    }
    // Under its locks: nobody is in the midst of a delivery into what goes.
    await changeMailbox(this.#root, spelled, () => fs.rmSync(file), { actAs: this.#options.actAs });
    this.#act(() => {
      fileIo.syncFolder(path.dirname(file));
      changeSpecialUse(this.#root.stateFolder, (kept) => kept.filter(([, of]) => of !== spelled));
      this.#root.forget(spelled);
    });
  }

  async rename(from: string, to: string): Promise<void> {
    const [old, name] = [spelledMailbox(from), spelledMailbox(to)];
    if (old === "INBOX") return this.#giveAway(name);
    this.#act(() => {
      const renamed = new Map(renameMailbox(this.#root.places, old, name));
      for (const [before, after] of renamed) this.#root.renamed(before, after);
      const { stateFolder } = this.#root;
      changeSpecialUse(stateFolder, (kept) => kept.map(([use, of]) => [use, renamed.get(of) ?? of] as const));
      for (const changed of [old, name]) fileIo.syncFolder(path.dirname(this.#root.fileOf(changed)));
    });
  }

  async #giveAway(name: string): Promise<void> {
    await this.create(name);
    using inbox = this.open("INBOX", { isReadOnly: false });
    const uids = inbox.messages.map(({ uid }) => uid);
    if (uids.length > 0) await inbox.move(uids, name);
  }

  async subscribe(name: string, isSubscribed: boolean): Promise<void> {
    const nowMs = this.#options.now();
    if (hasControlSign(name)) {
      throw new Failure("refused", `cannot subscribe to "${name}": it has a control sign`);
    }
    const change = { name: spelledMailbox(name), isSubscribed, nowMs };
    if (this.#act(() => trySubscribe(this.#subscriptions, change))) return;
    throw new Failure("failed", `cannot change "${this.#subscriptions}": another program has it locked`);
  }

  async append(name: string, messages: readonly NewMessage[]): Promise<Appended> {
    this.#act(() => this.#root.mailbox(name));
    this.#mustHaveRoom(messages.map(({ content }) => wireBytes(content)));
    const spelled = messages.map((message) => ({ ...message, flags: spelledFlags(message.flags) }));
    return changeMailbox(
      this.#root,
      name,
      (session, mailbox) => ({ uids: mailbox.add(session, spelled), uidValidity: mailbox.index.uidValidity }),
      { actAs: this.#options.actAs, createMode: newMboxMode },
    );
  }

  open(name: string, { isReadOnly }: { readonly isReadOnly: boolean }): OpenMailbox {
    return new MboxView(this.#access, name, isReadOnly);
  }

  quota(): Quota {
    const { limitBytes, limitMessages } = this.#options;
    const { mailboxes } = this.#act(() => namesIn(this.#root.places));
    const all = [...mailboxes].map((name) => this.status(name));
    return {
      usedBytes: all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      messages: all.reduce((sum, { messages }) => sum + messages, 0),
      ...(limitBytes !== undefined && { limitBytes }),
      ...(limitMessages !== undefined && { limitMessages }),
    };
  }

  #mustHaveRoom(sizes: readonly number[]): void {
    const { limitBytes = Infinity, limitMessages = Infinity } = this.#options;
    if (limitBytes === Infinity && limitMessages === Infinity) return;
    const { usedBytes, messages } = this.quota();
    const addedBytes = sizes.reduce((sum, size) => sum + size, 0);
    if (usedBytes + addedBytes <= limitBytes && messages + sizes.length <= limitMessages) return;
    throw new Failure("no-space", "cannot add messages: the quota is used up", { hint: "delete some messages first" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#act(() => this.#close());
  }
}

function deleteLevel(folder: string, name: string): void {
  const left = fs.readdirSync(folder).filter((entry) => entry !== ".imap");
  if (left.length > 0) {
    throw new Failure("refused", `cannot delete mailbox "${name}": there are others below it, delete them first`);
  }
  fs.rmSync(folder, { recursive: true });
}

function parentsOf(name: string): readonly string[] {
  const levels = name.split("/");
  return levels.slice(1).map((_, index) => levels.slice(0, index + 1).join("/"));
}

/** INBOX first; what is below a mailbox follows it. */
function compareNames(a: string, b: string): number {
  if (a === "INBOX" || b === "INBOX") return Number(b === "INBOX") - Number(a === "INBOX");
  const [left, right] = [a.split("/"), b.split("/")];
  for (let level = 0; level < left.length && level < right.length; level++) {
    const [one = "", other = ""] = [left[level], right[level]];
    if (one !== other) return one < other ? -1 : 1;
  }
  return left.length - right.length;
}
