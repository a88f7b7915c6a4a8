import { lazily } from "../../base/index.ts";
import type { LmtpOptions, Receiver, SmtpOptions } from "./receive.ts";

export type { Resolver } from "./authentication.ts";
export type { ReceiveLimits } from "./limits.ts";
export { receiveOptionsOf } from "./receive-options.ts";
export type { LmtpOptions, ReceiveEvent, ReceiveOptions, Receiver, SmtpOptions } from "./receive.ts";

/** Receives mail by SMTP for the mailboxes of this machine, and for no other. */
export const serveSmtp: (options: SmtpOptions) => Promise<Receiver> = lazily(
  async () => (await import("./receive.ts")).receiveSmtp,
);

/** The same by LMTP at a Unix socket, from a mail server of this machine. */
export const serveLmtp: (options: LmtpOptions) => Promise<Receiver> = lazily(
  async () => (await import("./receive.ts")).receiveLmtp,
);
