/** What is about to be written, so that after a crash one can look whether it was. */
export type Intent = MboxIntent | MaildirIntent;

export interface MboxIntent {
  readonly kind: "mbox";
  readonly path: string;
  /** Where the first of them begins. */
  readonly at: number;
  readonly messages: readonly MboxPlan[];
}

export interface MaildirIntent {
  readonly kind: "maildir";
  readonly path: string;
  readonly messages: readonly MaildirPlan[];
}

export interface MboxPlan {
  readonly uid: string;
  /** As it is in the mbox, from its first line on. */
  readonly bytes: number;
  /** How it begins behind its first line, and how it ends. */
  readonly head: string;
  readonly tail: string;
}

export interface MaildirPlan {
  readonly uid: string;
  /** Of its file, without flags. */
  readonly name: string;
}

/** `due`: safe here, and to be deleted there. `kept`: safe here, and stays there. */
export type Fate = "due" | "kept";

/** Takes down what happens to messages, each time before the next step. */
export interface Ledger {
  /** Resolved once it is on the disk that this is going to be written. */
  begin(intent: Intent): Promise<void>;
  /** These are safe; the others of the intent are not there. Resolved once that is on the disk. */
  end(uids: readonly string[]): Promise<void>;
}
