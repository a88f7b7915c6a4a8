import { Failure } from "../../../base/index.ts";
import type { IndexDatabase } from "../index-db/index.ts";
import type { Quota } from "../mail-store.ts";
import type { MaildirMailbox } from "./maildir-mailbox.ts";
import { whenUnlocked, type MaildirRoot } from "./maildir-root.ts";
import { FolderWatchers } from "./watch-folders.ts";

export interface MaildirAccessOptions {
  readonly actAs: <T>(work: () => T) => T;
  readonly limitBytes?: number;
  readonly limitMessages?: number;
  /** Of all mailboxes; only asked for where there is a limit. */
  readonly quota: () => Quota;
}

const watchers = new FolderWatchers();

/** How one connection reaches a Maildir: everything that touches files goes through here, as their owner. */
export class MaildirAccess {
  readonly #root: MaildirRoot;
  readonly #options: MaildirAccessOptions;

  constructor(root: MaildirRoot, options: MaildirAccessOptions) {
    this.#root = root;
    this.#options = options;
  }

  get database(): IndexDatabase {
    return this.#root.database;
  }

  act<T>(work: () => T): T {
    return this.#options.actAs(work);
  }

  /** For changes, which are not made twice where the index turns out to be damaged. */
  change<T>(work: () => T): T {
    return this.act(() => this.#root.changing(work));
  }

  nextName(): string {
    return this.#root.nextName();
  }

  mailbox(name: string): MaildirMailbox {
    return this.act(() => this.#root.mailbox(name));
  }

  /** The same, brought up to date. */
  look(name: string, isMoving: boolean): MaildirMailbox {
    return this.act(() => {
      this.#root.checkIndex();
      return this.#root.guarded(() => {
        const mailbox = this.#root.mailbox(name);
        mailbox.refresh(isMoving);
        return mailbox;
      });
    });
  }

  watch(name: string, onChange: () => void): Disposable {
    const mailbox = this.mailbox(name);
    return this.act(() => watchers.watch(mailbox.path, onChange, () => mailbox.lookAgainInMs));
  }

  /** Runs with the lock of the list of UIDs, in which all that others added has its UID. */
  locked<T>(mailbox: MaildirMailbox, work: () => T): Promise<T> {
    const attempt = (): { readonly result: T } | undefined => {
      return this.change(() => {
        using lock = mailbox.tryLock();
        if (lock === undefined) return undefined;
        mailbox.settle();
        return { result: work() };
      });
    };
    return whenUnlocked(attempt, mailbox.uidList.path).then(({ result }) => result);
  }

  /** Gives letters to keywords that have none. */
  async addKeywords(mailbox: MaildirMailbox, flags: readonly string[]): Promise<void> {
    const missing = (): readonly string[] => mailbox.keywords.missing(flags);
    if (missing().length > 0) await this.locked(mailbox, () => mailbox.keywords.add(missing()));
    const left = missing();
    if (left.length === 0) return;
    throw new Failure(
      "refused",
      `cannot set keyword "${left[0]}": this mailbox has 26 others, which is all it can have`,
    );
  }

  /** Throws `no-space` where these would be more than the quota allows. */
  mustHaveRoom(sizes: readonly number[]): void {
    const { limitBytes, limitMessages } = this.#options;
    if (limitBytes === undefined && limitMessages === undefined) return;
    const { usedBytes, messages } = this.#options.quota();
    const addedBytes = sizes.reduce((sum, size) => sum + size, 0);
    if (usedBytes + addedBytes <= (limitBytes ?? Infinity) && messages + sizes.length <= (limitMessages ?? Infinity))
      return;
    throw new Failure("no-space", "cannot add messages: the quota is used up", { hint: "delete some messages first" });
  }
}
