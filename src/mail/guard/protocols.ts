import type { ServeConnection } from "../connection.ts";
import { servePop3 } from "../pop3/index.ts";
import type { MailSettings } from "../settings/index.ts";
import type { ProtocolName } from "./guard.ts";

export async function protocolsOf(settings: MailSettings): Promise<Readonly<Record<ProtocolName, ServeConnection>>> {
  return { imaps: servePop3(settings), pop3s: servePop3(settings) };
}
