import type { FoundUser } from "../passwords/index.ts";
import type { MailSettings } from "../settings/index.ts";
import { receiveOptionsOf, serveLmtp, serveSmtp, type Receiver } from "../smtp/index.ts";
import type { MailStore } from "../store/index.ts";
import type { Audit } from "./audit.ts";
import type { Office } from "./office.ts";
import type { TrustFiles } from "./trust.ts";

export interface MailReceptionOptions {
  readonly settings: MailSettings;
  readonly trust: TrustFiles;
  readonly office: Office;
  readonly audit: Audit;
  readonly openStore: (user: FoundUser) => Promise<MailStore>;
  readonly clock: () => number;
}

/**
 * What receives mail, as far as the settings have it: bound when this resolves. One process does it for all, so that
 * what it remembers of deliveries holds for each.
 */
export async function openMailReception(options: MailReceptionOptions): Promise<MailReception> {
  const { settings, office, audit, openStore, clock, trust } = options;
  const { smtpPort, lmtpSocket, checksSenders } = settings.receiving;
  const common = receiveOptionsOf(settings, {
    hasMailbox: async (address) => (await office.findUser(address)) !== undefined,
    openStore: async (address) => {
      const user = await office.findUser(address);
      if (user === undefined) throw new Error(`no user ${address}`);
      return openStore(user);
    },
    nowMs: clock,
    onEvent: ({ kind, protocol, remoteAddress, from, recipient, why }) => {
      audit.write({ event: kind, protocol, address: remoteAddress, from, recipient, why });
    },
  });
  const receivers: Receiver[] = [];
  try {
    for (const host of smtpPort === undefined ? [] : settings.listen) {
      const listen = { host, ...(smtpPort !== undefined && { port: smtpPort }), ipv6Only: true };
      const resolver = checksSenders ? {} : { resolver: false as const };
      receivers.push(await serveSmtp({ ...common, ...resolver, listen, tls: tlsOf(trust) }));
    }
    if (lmtpSocket !== undefined) receivers.push(await serveLmtp({ ...common, path: lmtpSocket }));
  } catch (error) {
    for (const receiver of receivers) await receiver[Symbol.asyncDispose]();
    throw error;
  }
  return new MailReception(receivers);
}

export class MailReception {
  readonly #receivers: readonly Receiver[];

  constructor(receivers: readonly Receiver[]) {
    this.#receivers = receivers;
  }

  useTrust(trust: TrustFiles): void {
    for (const receiver of this.#receivers) receiver.setTls(tlsOf(trust));
  }

  /** Resolves once what was being delivered is. */
  async stop(): Promise<void> {
    await Promise.all(this.#receivers.map((receiver) => receiver[Symbol.asyncDispose]()));
  }
}

function tlsOf({ certificate, key }: TrustFiles): { readonly key: string; readonly cert: string } {
  return { key, cert: certificate };
}
