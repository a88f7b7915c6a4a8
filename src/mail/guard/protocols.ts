import type { ServeConnection } from "../connection.ts";
import { serveImap } from "../imap/index.ts";
import { servePop3 } from "../pop3/index.ts";
import type { MailSettings } from "../settings/index.ts";
import type { ProtocolName } from "./guard.ts";

export function protocolsOf(settings: MailSettings): Readonly<Record<ProtocolName, ServeConnection>> {
  return { imaps: serveImap, pop3s: servePop3(settings) };
}
