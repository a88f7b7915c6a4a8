import { once } from "node:events";
import { lazily } from "../../base/index.ts";
import type { MailSettings } from "../../mail/settings/index.ts";
import { defineCommand, type CommandContext } from "../command.ts";
import { printLines, printWarnings } from "../print.ts";
import { folderOption, pathsOf } from "./mail-folder.ts";

const serveMail = lazily(async () => (await import("../../mail/guard/index.ts")).serveMail);

const port = { kind: "number", value: "N", minimum: 0, maximum: 65_535 } as const;

/** `holdfast mail serve` */
export const serve = defineCommand({
  words: ["mail", "serve"],
  summary: "let users read their mail by IMAP and POP3, over TLS and with a certificate of theirs only",
  description: `Runs until it is interrupted or ended (SIGTERM); connections may finish what they do. Whoever has no certificate, or one that is not from here, has expired or is revoked, is refused in the handshake, before a word of IMAP or POP3. Then the password counts, and certificate and mailbox must fit each other.

Users and certificates are read again when they change, and whoever's certificate is revoked meanwhile is cut off. The revocation list is renewed long before its end. SIGHUP reads mail.toml again, all but addresses, ports, domains and processes, and opens the audit anew.

Where it is reached is printed once it is; each login and each refusal is a line on standard error, or in the file that mail.toml names.`,
  operands: {},
  options: {
    folder: folderOption,
    listen: { kind: "string", value: "ADDRESS", repeatable: true, help: "instead of those in mail.toml" },
    "imaps-port": { ...port, help: "instead of the one in mail.toml; 0 for one that is free" },
    "pop3s-port": { ...port, help: "the same for POP3" },
  },
  examples: [
    { line: "sudo holdfast mail serve", help: "as /etc/holdfast/mail/mail.toml says" },
    {
      line: "holdfast mail serve --folder mail --listen 127.0.0.1 --imaps-port 9993 --pop3s-port 9995",
      help: "without root",
    },
  ],
  async run(context, args) {
    const changes: Partial<MailSettings> = {
      ...(args.listen.length > 0 ? { listen: args.listen } : {}),
      ...(args.imapsPort === undefined ? {} : { imapsPort: args.imapsPort }),
      ...(args.pop3sPort === undefined ? {} : { pop3sPort: args.pop3sPort }),
    };
    const onNotice = (text: string): void => void warn(context, text);
    const { folder } = pathsOf(context, args.folder);
    const server = await serveMail({ folder, changes, clock: Date.now, onNotice });
    const onHangUp = (): void => void reload(context, () => server.reload());
    process.on("SIGHUP", onHangUp);
    try {
      const lines = server.served.map(({ protocol, address, port: at }) => {
        if (at === undefined) return `${protocol} ${address}`;
        return `${protocol} ${address.includes(":") ? `[${address}]` : address}:${at}`;
      });
      await printLines(context, lines);
      await context.stdout.flush();
      const { signal } = context;
      if (!signal.aborted) await Promise.race([once(signal, "abort"), server.failed]);
    } finally {
      await server.stop();
      process.off("SIGHUP", onHangUp);
    }
  },
});

/** Settings that are wrong leave those before in force. */
async function reload(context: CommandContext, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await warn(context, error instanceof Error ? error.message : String(error));
  }
}

/** At once, since the command goes on. */
async function warn(context: CommandContext, text: string): Promise<void> {
  await printWarnings(context, [text]);
  await context.stderr.flush();
}
