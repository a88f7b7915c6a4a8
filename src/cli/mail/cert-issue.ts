import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import {
  clientDays,
  dateOf,
  deviceFormats,
  issueClient,
  issueForKey,
  keyTypes,
  newPassphrase,
  openAuthority,
  parseMailbox,
  prepareDeviceFolder,
  readSigningRequest,
  writeDeviceFiles,
  type DeviceFormat,
  type MailAccount,
} from "../../mail/pki/index.ts";
import { readMailSettings, type MailSettings } from "../../mail/settings/index.ts";
import { listUsers } from "../../mail/users/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { folderOption, pathsOf } from "./mail-folder.ts";
import { findSecret } from "./secret.ts";

const usualFormats: readonly DeviceFormat[] = ["p12", "mobileconfig"];
const minimumPassphrase = 8;

/** `holdfast mail cert issue` */
export const certIssue = defineCommand({
  words: ["mail", "cert", "issue"],
  summary: "make a key and certificate for a device of a user, in the form that the device takes",
  description: `The certificate opens this mailbox and no other, and each device has one of its own, so that a lost one is revoked by itself. The key is in the files written and nowhere else.

p12 is one encrypted file for Thunderbird, Android, Windows and macOS. mobileconfig is one file that sets up iPhone, iPad and Mac: root, certificate and account; the device asks for the passphrase when it is opened. pem is the pair that fetchmail, mbsync, curl and "holdfast mail fetch" read; its key is not encrypted. autoconfig is the file that Thunderbird looks for at https://autoconfig.DOMAIN/mail/config-v1.1.xml. root.pem is always there: whoever connects checks the server by it.`,
  operands: { mailbox: { arity: "one", parse: parseMailbox, help: "such as joe@example.org" } },
  options: {
    device: { kind: "string", short: "d", value: "NAME", required: true, help: "what to call the device: laptop" },
    out: { kind: "string", short: "o", value: "DIR", help: "where the files go; else a new folder MAILBOX-NAME" },
    format: {
      kind: "choice",
      value: "FORMAT",
      choices: deviceFormats,
      repeatable: true,
      help: "what to write; else p12 and mobileconfig",
    },
    legacy: { kind: "flag", help: "a p12 file that old Windows, Android and macOS read: Triple DES and SHA-1" },
    "key-type": {
      kind: "choice",
      value: "TYPE",
      choices: keyTypes,
      default: "ec-p256",
      help: "RSA for clients that know nothing newer",
    },
    csr: {
      kind: "string",
      value: "FILE",
      help: "a signing request for a key that the device has made itself: the certificate alone is written, as PEM",
    },
    days: {
      kind: "number",
      value: "N",
      minimum: 1,
      maximum: 3650,
      default: clientDays,
      help: "how long it is good for",
    },
    replace: { kind: "flag", help: "revoke the certificate that the device has now" },
    "passphrase-file": {
      kind: "string",
      value: "FILE",
      help: "has the passphrase for p12 and mobileconfig in its first line; HOLDFAST_P12_PASSWORD is another way; else one is made and shown",
    },
    smtp: {
      kind: "string",
      value: "HOST[:PORT]",
      help: "where the device sends mail through; else the server, port 587",
    },
    folder: folderOption,
    json: jsonOption,
  },
  examples: [
    { line: "sudo holdfast mail cert issue joe@example.org --device phone", help: "p12 and mobileconfig" },
    {
      line: "holdfast mail cert issue joe@example.org -d pc --format pem -o ~joe/.mail",
      help: "for fetchmail",
    },
  ],
  async run(context, args) {
    const { mailbox, device } = args;
    const paths = pathsOf(context, args.folder);
    const authority = openAuthority(paths.pki);
    const domain = mailbox.slice(mailbox.lastIndexOf("@") + 1);
    if (!listUsers(paths.domains, domain).some((user) => user.mailbox === mailbox)) {
      throw new Failure("not-found", `cannot issue a certificate for "${mailbox}": there is no such user`, {
        hint: `"holdfast mail user add ${mailbox}" adds one`,
      });
    }
    const formats = formatsOf(args.format, args.csr);
    const account = accountOf(mailbox, await readMailSettings(paths.folder), args.smtp);
    const isEncrypted = formats.some((format) => format === "p12" || format === "mobileconfig");
    const passphrase = isEncrypted ? await devicePassphrase(context, args.passphraseFile) : { text: "", isMade: false };
    const folder = path.resolve(args.out ?? `${mailbox}-${device}`);
    prepareDeviceFolder(folder, { mailbox, device, formats });
    const { days, replace } = args;
    const request = { mailbox, device, days, replace, now: new Date() };
    const { issued, privateKey } =
      args.csr === undefined
        ? await issueClient(authority, { ...request, keyType: args.keyType })
        : { issued: await issueForKey(authority, readSigningRequest(args.csr), request) };
    const files = await writeDeviceFiles(folder, authority, {
      issued,
      ...(privateKey === undefined ? {} : { privateKey }),
      account,
      formats,
      passphrase: passphrase.text,
      mode: args.legacy ? "legacy" : "modern",
    });
    const { serial, certificate } = issued;
    const shown = passphrase.isMade ? { passphrase: passphrase.text } : {};
    if (args.json) {
      return printJson(context, {
        mailbox,
        device,
        serial,
        endsAt: certificate.notAfter.toISOString(),
        files,
        ...shown,
      });
    }
    await printLines(context, [
      `${mailbox} ${device}: ${serial}, until ${dateOf(certificate.notAfter)}`,
      ...files,
      ...(passphrase.isMade ? [`passphrase: ${passphrase.text}  (shown only now)`] : []),
    ]);
  },
});

function formatsOf(given: readonly DeviceFormat[], csr: string | undefined): readonly DeviceFormat[] {
  if (csr === undefined) return given.length === 0 ? usualFormats : given;
  if (!given.some((format) => format === "p12" || format === "mobileconfig"))
    return [...new Set(["pem" as const, ...given])];
  throw new Failure("usage", "cannot write p12 or mobileconfig with --csr: the key is on the device only");
}

async function devicePassphrase(context: CommandContext, file: string | undefined) {
  const told = file === undefined ? context.env["HOLDFAST_P12_PASSWORD"] : "";
  if (told === undefined || (file === undefined && told === "")) return { text: newPassphrase(), isMade: true };
  const given = await findSecret(context, { file, variable: "HOLDFAST_P12_PASSWORD", question: "passphrase" });
  if (given !== undefined && given.length >= minimumPassphrase) return { text: given, isMade: false };
  throw new Failure("usage", `cannot use this passphrase: it has less than ${minimumPassphrase} characters`);
}

function accountOf(mailbox: string, settings: MailSettings, smtp: string | undefined): MailAccount {
  const { hostName, imapsPort = 993, pop3sPort = 995, allowsExternal } = settings;
  const [, smtpHost = hostName, smtpPort = "587"] = /^(.+?)(?::(\d{1,5}))?$/.exec(smtp ?? hostName) ?? [];
  return {
    mailbox,
    host: hostName,
    imapsPort,
    pop3sPort,
    smtpHost,
    smtpPort: Number(smtpPort),
    isCertificateAlone: allowsExternal,
  };
}
