import * as path from "node:path";
import { parseTimeLimit } from "../../bytes/index.ts";
import type { TomlTable } from "../../bytes/toml/index.ts";

/** How mail comes in, `[receiving]` of `mail.toml`. */
export interface ReceivingSettings {
  /** Absent where mail servers elsewhere are not listened to. */
  readonly smtpPort?: number;
  /** A Unix socket for a mail server of this machine; absent without. */
  readonly lmtpSocket?: string;
  /** What parts a name from what its owner adds to it: `joe+lists`. Empty where nothing does. */
  readonly separator: string;
  /** Whether SPF, DKIM and DMARC are looked up for what comes by SMTP. */
  readonly checksSenders: boolean;
  readonly messageBytes: number;
  readonly recipients: number;
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Within `windowMs`. */
  readonly messagesPerAddress: number;
  readonly windowMs: number;
}

const counts = { minimum: 1, maximum: 1_000_000 };
const mib = 2 ** 20;

export function readReceiving(table: TomlTable, folder: string): ReceivingSettings {
  const isByPort = table.flag("smtp") ?? false;
  const smtpPort = table.number("smtp_port", { minimum: 0, maximum: 65_535 }) ?? 25;
  const lmtp = table.string("lmtp");
  const separator = table.string("separator") ?? "+";
  if (separator.length > 1 || /[\s@%!:"\\/|<>(),;]/.test(separator)) {
    table.complain("separator", `"${separator}" is not one sign that can be in an address`);
  }
  const count = (key: string, usual: number): number => table.number(key, counts) ?? usual;
  const settings: ReceivingSettings = {
    ...(isByPort ? { smtpPort } : {}),
    ...(lmtp === undefined ? {} : { lmtpSocket: path.resolve(folder, lmtp) }),
    separator,
    checksSenders: table.flag("check_senders") ?? true,
    messageBytes: table.size("message_size") ?? 50 * mib,
    recipients: count("recipients", 100),
    connections: count("connections", 200),
    connectionsPerAddress: count("connections_per_address", 20),
    messagesPerAddress: count("messages_per_address", 500),
    windowMs: table.parsed("window", table.string("window"), parseTimeLimit) ?? parseTimeLimit("10m"),
  };
  table.finish();
  return settings;
}
