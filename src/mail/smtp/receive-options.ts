import { mailPaths, type MailSettings } from "../settings/index.ts";
import type { ReceiveOptions } from "./receive.ts";

/** What the settings say of receiving, with what finds users and opens their mail. */
export function receiveOptionsOf(
  settings: MailSettings,
  services: Pick<ReceiveOptions, "hasMailbox" | "openStore" | "nowMs" | "onEvent">,
): ReceiveOptions {
  const { hostName, domains, receiving } = settings;
  const { messageBytes, recipients, connections, connectionsPerAddress, messagesPerAddress, windowMs } = receiving;
  return {
    hostName,
    domains,
    aliases: mailPaths(settings.folder).aliases,
    separator: receiving.separator,
    limits: { messageBytes, recipients, connections, connectionsPerAddress, messagesPerAddress, windowMs },
    ...services,
  };
}
