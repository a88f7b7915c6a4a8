export type { DeliveryTarget, IncomingMessage } from "./delivery.ts";
export type { Appended, MailboxEntry, MailboxStatus, MailStore, NewMessage, Quota } from "./mail-store.ts";
export type {
  Copied,
  FlagChange,
  Flagged,
  MailboxChanges,
  MessageContent,
  OpenMailbox,
  TextQuery,
} from "./open-mailbox.ts";
