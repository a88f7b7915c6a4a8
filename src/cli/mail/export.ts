import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { configurationFor, configuredPrograms, openAuthority, readRegister } from "../../mail/pki/index.ts";
import { readMailSettings } from "../../mail/settings/index.ts";
import { defineCommand } from "../command.ts";
import { folderOption, pathsOf } from "./mail-folder.ts";

/** `holdfast mail export` */
export const exportConfiguration = defineCommand({
  words: ["mail", "export"],
  summary: "print a ready configuration for Dovecot, nginx or fetchmail with these certificates",
  description: `The configuration goes to standard output. That of fetchmail has every user given, or all that have a certificate, with the files that "holdfast mail cert issue --format pem" writes.`,
  operands: {},
  options: {
    for: { kind: "choice", value: "PROGRAM", choices: configuredPrograms, required: true, help: "which program" },
    user: {
      kind: "string",
      value: "MAILBOX[:DEVICE]",
      repeatable: true,
      help: "fetchmail: whose mail, by which certificate",
    },
    certificates: {
      kind: "string",
      value: "DIR",
      default: ".",
      help: "fetchmail: where the users' certificates and keys are",
    },
    folder: folderOption,
  },
  examples: [
    { line: "holdfast mail export --for dovecot > /etc/dovecot/conf.d/99-holdfast.conf", help: "Dovecot 2.3" },
    {
      line: "holdfast mail export --for fetchmail --user joe@example.org:laptop",
      help: "for joe's .fetchmailrc",
    },
  ],
  async run(context, args) {
    const paths = pathsOf(context, args.folder);
    openAuthority(paths.pki);
    const settings = await readMailSettings(paths.folder);
    const { hostName, imapsPort = 993, pop3sPort = 995, location, home, allowsExternal } = settings;
    const text = configurationFor(args.for, {
      folder: path.resolve(paths.pki),
      domains: path.resolve(paths.domains),
      users: args.for === "fetchmail" ? usersOf(paths.pki, args.user) : [],
      certificates: path.resolve(args.certificates),
      host: hostName,
      imapsPort,
      pop3sPort,
      location,
      home,
      isCertificateAlone: allowsExternal,
    });
    await context.stdout.write(text);
  },
});

/** Of each mailbox one certificate: that of the device named, else the newest. */
function usersOf(pki: string, wanted: readonly string[]) {
  const now = new Date();
  const good = readRegister(pki).filter(
    ({ revoked, certificate }) => revoked === undefined && certificate.notAfter > now,
  );
  const newest = new Map(
    good.flatMap(({ mailbox, name }) => (mailbox === undefined ? [] : [[mailbox, name] as const])),
  );
  if (wanted.length === 0) return [...newest].map(([mailbox, device]) => ({ mailbox, device }));
  return wanted.map((text) => {
    const [mailbox = "", device = newest.get(mailbox.toLowerCase())] = text.split(":");
    const name = mailbox.toLowerCase();
    if (device !== undefined && good.some((one) => one.mailbox === name && one.name === device)) {
      return { mailbox: name, device };
    }
    throw new Failure("not-found", `cannot find a certificate of "${text}": none is good`, {
      hint: '"holdfast mail cert list" shows those that there are',
    });
  });
}
