import type { TlsSettings } from "../client/index.ts";

/** Where mail goes once it is here. */
export type Destination =
  | { readonly kind: "mbox" | "maildir"; readonly path: string }
  /** A shell command; `%T` is the local user, `%F` the sender, each put in as one word. */
  | { readonly kind: "pipe"; readonly command: string }
  | SmtpDestination;

export interface SmtpDestination {
  readonly kind: "smtp" | "lmtp";
  /** The first that answers. */
  readonly hosts: readonly SmtpHost[];
  /** Behind local names that have none: `joe` becomes `joe@localhost`. */
  readonly domain: string;
  /** Instead of the local user. */
  readonly recipient?: string;
  readonly login?: SmtpLogin;
}

export interface SmtpHost {
  readonly host: string;
  readonly port: number;
  /** A Unix socket instead of host and port. */
  readonly socketPath?: string;
}

export interface SmtpLogin {
  readonly user: string;
  readonly password: string;
}

/** What is done to the header of each message. */
export interface HeaderRules {
  /** Adds no Received line. */
  readonly isInvisible: boolean;
  /** Says in the Received line which account was polled. */
  readonly tracesPolls: boolean;
  readonly dropsStatus: boolean;
  readonly dropsDelivered: boolean;
}

/** One mailbox of a server, and what is to be done with what is in it. */
export interface Account {
  /** `joe@imap.example.org`: how messages call it. */
  readonly name: string;
  /** What the user calls the server: `poll NAME`. */
  readonly pollName: string;
  readonly protocol: "pop3" | "imap";
  readonly host: string;
  readonly port: number;
  readonly tls: TlsSettings;
  readonly user: string;
  readonly password?: string;
  readonly auth: "any" | "password" | "apop" | "cram-md5" | "external";
  readonly timeoutMs: number;
  /** Only every so many rounds of a daemon. */
  readonly interval: number;
  /** IMAP; INBOX where there is none. */
  readonly folders: readonly string[];
  /** Whose mail it becomes here: a name, or an address. */
  readonly localUser: string;
  readonly destination: Destination;
  /** As fetchmail's options of these names. */
  readonly keeps: boolean;
  readonly flushes: boolean;
  readonly fetchesAll: boolean;
  readonly flushesLarge: boolean;
  readonly idles: boolean;
  /** Larger messages stay where they are; 0: none is too large. */
  readonly limitBytes: number;
  /** Messages in one poll; 0: all. */
  readonly fetchLimit: number;
  /** Messages in one connection of SMTP; 0: all. */
  readonly batchLimit: number;
  /** Carriage returns at the ends of lines: as they come, taken away, or put where they are missing. */
  readonly lineEnds: "as-is" | "lf" | "crlf";
  readonly header: HeaderRules;
  readonly preconnect?: string;
  readonly postconnect?: string;
}
