import type { MailStore } from "../../../src/mail/store/index.ts";
import {
  serveLmtp,
  serveSmtp,
  type ReceiveEvent,
  type ReceiveOptions,
  type SmtpOptions,
} from "../../../src/mail/smtp/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../../temp.ts";
import { MemoryMail } from "../memory-store.ts";
import { SmtpTalk } from "./smtp-talk.ts";

export interface SampleReceiver extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly events: readonly ReceiveEvent[];
  connect(): Promise<SmtpTalk>;
  /** What is in somebody's INBOX. */
  inbox(address: string): readonly string[];
}

/** Stores that are in memory, but for those that are given. */
export async function sampleReceiver(
  kind: "smtp" | "lmtp",
  more: Partial<SmtpOptions> & { readonly stores?: Readonly<Record<string, () => Promise<MailStore>>> } = {},
): Promise<SampleReceiver> {
  const { stores, ...others } = more;
  const folder = temporaryFolder();
  const mail = new Map(["joe", "patrick", "ann"].map((name) => [`${name}@example.org`, new MemoryMail()]));
  const events: ReceiveEvent[] = [];
  const options: ReceiveOptions = {
    hostName: "mail.example.org",
    domains: ["example.org"],
    aliases: folder.join("aliases"),
    separator: "+",
    hasMailbox: (address) => mail.has(address),
    openStore: async (address) => (await stores?.[address]?.()) ?? mail.get(address)!.store(),
    nowMs: Date.now,
    onEvent: (event) => events.push(event),
    ...others,
  };
  const path = folder.join("lmtp");
  const listen = { port: 0, host: "127.0.0.1" };
  const receiver =
    kind === "lmtp" ? await serveLmtp({ ...options, path }) : await serveSmtp({ resolver: false, ...options, listen });
  return {
    folder,
    events,
    connect: () => SmtpTalk.start(kind === "lmtp" ? { path } : { port: receiver.port!, host: "127.0.0.1" }),
    inbox(address) {
      using box = mail.get(address)!.store().open("INBOX", { isReadOnly: true });
      return box.messages.map(({ uid }) => {
        using content = box.content(uid);
        return Buffer.from(content.read()).toString("latin1");
      });
    },
    async [Symbol.asyncDispose]() {
      await receiver[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
