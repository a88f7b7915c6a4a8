import * as os from "node:os";
import { Failure } from "../../../base/index.ts";
import { wireBytes } from "../line-ends.ts";
import type { Appended, MailboxEntry, MailboxStatus, MailStore, NewMessage, Quota } from "../mail-store.ts";
import type { OpenMailbox } from "../open-mailbox.ts";
import { appendMessages } from "./append.ts";
import { folderOfMailbox, hasControlSign, spelledMailbox } from "./folder-name.ts";
import { createFolder, deleteFolder, listMailboxes, mailboxNames, renameFolders } from "./folders.ts";
import { MaildirAccess } from "./maildir-access.ts";
import { whenUnlocked, type MaildirRoot } from "./maildir-root.ts";
import { MaildirView } from "./maildir-view.ts";
import { borrowRoot, makeMaildir } from "./roots.ts";
import { trySubscribe } from "./subscriptions.ts";
import { ToSync } from "./synced.ts";

export interface MaildirOptions {
  readonly now: () => number;
  /** Runs what touches files, as the user whose mail it is; what it is given does not wait. */
  readonly actAs?: <T>(work: () => T) => T;
  readonly limitBytes?: number;
  readonly limitMessages?: number;
}

/** One user's mail in a Maildir, which is made where there is none. Others may change it at the same time. */
export function openMaildir(folder: string, options: MaildirOptions): MailStore {
  const actAs = options.actAs ?? (<T>(work: () => T): T => work());
  const owner = { pid: process.pid, host: os.hostname(), now: options.now };
  const borrowed = actAs(() => {
    makeMaildir(folder);
    return borrowRoot(folder, owner);
  });
  return new MaildirStore(borrowed.root, { ...options, actAs }, () => borrowed[Symbol.dispose]());
}

class MaildirStore implements MailStore {
  readonly #root: MaildirRoot;
  readonly #options: MaildirOptions;
  readonly #access: MaildirAccess;
  readonly #close: () => void;

  constructor(root: MaildirRoot, options: MaildirOptions & { actAs: <T>(work: () => T) => T }, close: () => void) {
    this.#root = root;
    this.#options = options;
    this.#access = new MaildirAccess(root, { ...options, quota: () => this.quota() });
    this.#close = close;
  }

  list(): readonly MailboxEntry[] {
    return this.#access.act(() => listMailboxes(this.#root.path));
  }

  status(name: string): MailboxStatus {
    const { index } = this.#access.look(name, false);
    let [unseen, deleted, sizeBytes] = [0, 0, 0];
    for (const record of index.messages) {
      if (!record.flags.includes("\\Seen")) unseen++;
      if (record.flags.includes("\\Deleted")) deleted++;
      sizeBytes += record.sizeBytes;
    }
    const { uidNext, uidValidity, highestModSeq, mailboxId } = index;
    const messages = index.messages.length;
    return { messages, unseen, deleted, sizeBytes, uidNext, uidValidity, highestModSeq, mailboxId };
  }

  async create(name: string, specialUse: readonly string[] = []): Promise<void> {
    using toSync = new ToSync();
    this.#access.act(() => {
      createFolder(this.#root.path, spelledMailbox(name), specialUse);
      toSync.folder(this.#root.path);
    });
    this.#access.look(name, false);
    await toSync.done();
  }

  async delete(name: string): Promise<void> {
    using toSync = new ToSync();
    this.#access.act(() => {
      const { index } = this.#root.mailbox(name);
      deleteFolder(this.#root.path, spelledMailbox(name));
      index.forget();
      this.#root.dropMailbox(folderOfMailbox(name));
      toSync.folder(this.#root.path);
    });
    await toSync.done();
  }

  async rename(from: string, to: string): Promise<void> {
    const [old, name] = [spelledMailbox(from), spelledMailbox(to)];
    if (old === "INBOX") return this.#giveAway(name);
    using toSync = new ToSync();
    this.#access.act(() => {
      for (const [before, after] of renameFolders(this.#root.path, old, name)) {
        this.#root.renamed(folderOfMailbox(before), folderOfMailbox(after));
      }
      toSync.folder(this.#root.path);
    });
    await toSync.done();
  }

  async #giveAway(name: string): Promise<void> {
    await this.create(name);
    using inbox = this.open("INBOX", { isReadOnly: false });
    await inbox.move(
      inbox.messages.map(({ uid }) => uid),
      name,
    );
  }

  async subscribe(name: string, isSubscribed: boolean): Promise<void> {
    using toSync = new ToSync();
    const change = { name: spelledMailbox(name), isSubscribed };
    if (hasControlSign(name)) throw new Failure("refused", `cannot subscribe to "${name}": it has a control sign`);
    const attempt = (): { readonly fd: number | undefined } | undefined => {
      return this.#access.act(() => trySubscribe(this.#root.path, change, this.#root.owner));
    };
    const { fd } = await whenUnlocked(attempt, `${this.#root.path}/subscriptions`);
    if (fd !== undefined) toSync.file(fd);
    await toSync.done();
  }

  async append(name: string, messages: readonly NewMessage[]): Promise<Appended> {
    const mailbox = this.#access.look(name, false);
    this.#access.mustHaveRoom(messages.map(({ content }) => wireBytes(content)));
    return appendMessages(this.#access, mailbox, messages);
  }

  open(name: string, { isReadOnly }: { readonly isReadOnly: boolean }): OpenMailbox {
    return new MaildirView(this.#access, spelledMailbox(name), isReadOnly);
  }

  quota(): Quota {
    const names = this.#access.act(() => mailboxNames(this.#root.path));
    let [usedBytes, messages] = [0, 0];
    for (const name of names) {
      const { index } = this.#access.look(name, false);
      messages += index.messages.length;
      for (const record of index.messages) usedBytes += record.sizeBytes;
    }
    const { limitBytes, limitMessages } = this.#options;
    return {
      usedBytes,
      messages,
      ...(limitBytes === undefined ? {} : { limitBytes }),
      ...(limitMessages === undefined ? {} : { limitMessages }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#access.act(() => this.#close());
  }
}
