import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import {
  dateOf,
  encodePem,
  issueServer,
  keyTypes,
  openAuthority,
  chainPem,
  readRegister,
  renewIssuer,
  revocationReasons,
  revokeCertificates,
  rootPem,
  serverCertificate,
  type IssuedCertificate,
  type RevocationReason,
} from "../../mail/pki/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { layOutTable } from "../table.ts";
import { folderOption, pathsOf } from "./mail-folder.ts";
import { ownNamesOf } from "./own-names.ts";
import { rootPassphrase } from "./secret.ts";

const deviceOption = { kind: "string", short: "d", value: "NAME", help: "only of this device" } as const;
const whichOperand = { arity: "one", help: "a mailbox, or the serial number of a certificate" } as const;

/** `holdfast mail cert list` */
export const certList = defineCommand({
  words: ["mail", "cert", "list"],
  summary: "list certificates that were issued, and what became of them",
  operands: { mailbox: { arity: "optional", help: "only of this user" } },
  options: {
    all: { kind: "flag", short: "a", help: "those too that were revoked or have ended, and the server's" },
    folder: folderOption,
    json: jsonOption,
  },
  examples: [
    { line: "holdfast mail cert list", help: "what opens mailboxes today" },
    { line: "holdfast mail cert list joe@example.org --all", help: "all that joe ever had" },
  ],
  async run(context, args) {
    const { pki } = pathsOf(context, args.folder);
    openAuthority(pki);
    const now = new Date();
    const mailbox = args.mailbox?.toLowerCase();
    const found = readRegister(pki).filter((one) => {
      return (
        (mailbox === undefined || one.mailbox === mailbox) &&
        (args.all || (one.mailbox !== undefined && isGood(one, now)))
      );
    });
    if (args.json) return printJson(context, { certificates: found.map((one) => certificateDocument(one, now)) });
    await printLines(
      context,
      layOutTable(
        [
          { heading: "mailbox", text: (one) => one.mailbox ?? "(server)" },
          { heading: "device", text: ({ name }) => name },
          { heading: "until", text: ({ certificate }) => dateOf(certificate.notAfter) },
          { heading: "state", text: (one) => stateOf(one, now) },
          { heading: "serial", text: ({ serial }) => serial },
        ],
        found,
      ),
    );
  },
});

function isGood({ certificate, revoked }: IssuedCertificate, now: Date): boolean {
  return revoked === undefined && certificate.notAfter > now;
}

function stateOf({ certificate, revoked }: IssuedCertificate, now: Date): string {
  if (revoked !== undefined) return `revoked ${dateOf(revoked.at)} (${revoked.reason})`;
  return certificate.notAfter > now ? "good" : "ended";
}

function certificateDocument(one: IssuedCertificate, now: Date) {
  const { mailbox, name, serial, certificate, revoked } = one;
  return {
    ...(mailbox === undefined ? { server: name } : { mailbox, device: name }),
    serial,
    beginsAt: certificate.notBefore.toISOString(),
    endsAt: certificate.notAfter.toISOString(),
    isGood: isGood(one, now),
    ...(revoked === undefined ? {} : { revokedAt: revoked.at.toISOString(), reason: revoked.reason }),
  };
}

/** What a mailbox or serial number, and the name of a device, mean. */
function chosenFrom(pki: string, which: string, device: string | undefined): readonly IssuedCertificate[] {
  const isMailbox = which.includes("@");
  const wanted = isMailbox ? which.toLowerCase() : which.replaceAll(":", "").toUpperCase();
  const found = readRegister(pki).filter((one) => {
    return wanted === (isMailbox ? one.mailbox : one.serial) && (device === undefined || one.name === device);
  });
  if (found.length > 0) return found;
  throw new Failure(
    "not-found",
    `cannot find a certificate of "${which}"${device === undefined ? "" : ` for "${device}"`}`,
    {
      hint: '"holdfast mail cert list --all" shows those that were issued',
    },
  );
}

const reasons = Object.keys(revocationReasons) as [RevocationReason, ...RevocationReason[]];

/** `holdfast mail cert revoke` */
export const certRevoke = defineCommand({
  words: ["mail", "cert", "revoke"],
  summary: "have a certificate open nothing any more: the server refuses it, and ends its connections, at once",
  description: `The revocation is noted in DIR/pki/certificates and told by the list in DIR/pki/bundle.pem. It cannot be taken back: the device gets a new certificate instead.`,
  operands: { which: whichOperand },
  options: {
    device: deviceOption,
    all: { kind: "flag", help: "every device of the user" },
    reason: {
      kind: "choice",
      value: "WHY",
      choices: reasons,
      default: "unspecified",
      help: "what the list tells; keyCompromise for a device that was lost or stolen",
    },
    folder: folderOption,
    json: jsonOption,
  },
  examples: [
    {
      line: "holdfast mail cert revoke joe@example.org -d phone --reason keyCompromise",
      help: "the phone was stolen",
    },
    { line: "sudo holdfast mail cert revoke joe@example.org --all", help: "all of joe's devices" },
  ],
  async run(context, args) {
    const { pki } = pathsOf(context, args.folder);
    const authority = openAuthority(pki);
    const open = chosenFrom(pki, args.which, args.device).filter(({ revoked }) => revoked === undefined);
    const devices = new Set(open.map(({ name }) => name));
    if (open.length === 0) {
      throw new Failure("exists", `cannot revoke the certificate of "${args.which}": it is revoked already`);
    }
    if (devices.size > 1 && !args.all) {
      throw new Failure("refused", `cannot choose a device of "${args.which}": it has ${[...devices].join(", ")}`, {
        hint: "give --device NAME, or --all",
      });
    }
    const serials = open.map(({ serial }) => serial);
    const revoked = await revokeCertificates(authority, serials, { reason: args.reason, now: new Date() });
    if (args.json) {
      return printJson(context, { revoked: revoked.map((one) => certificateDocument(one, new Date())) });
    }
    await printLines(
      context,
      revoked.map(({ mailbox, name, serial }) => `${mailbox ?? "(server)"} ${name}: ${serial} revoked`),
    );
  },
});

/** `holdfast mail cert export` */
export const certExport = defineCommand({
  words: ["mail", "cert", "export"],
  summary: "print a certificate with its chain, or the root, in PEM; keys are nowhere but on their devices",
  operands: { which: { ...whichOperand, arity: "optional", help: "a mailbox or a serial number; else the root" } },
  options: { device: deviceOption, folder: folderOption },
  examples: [
    { line: "holdfast mail cert export > root.pem", help: "by what clients check the server" },
    { line: "holdfast mail cert export joe@example.org --device laptop", help: "the newest of that device" },
  ],
  async run(context, args) {
    const { pki } = pathsOf(context, args.folder);
    const authority = openAuthority(pki);
    if (args.which === undefined) return context.stdout.write(rootPem(authority));
    const newest = chosenFrom(pki, args.which, args.device).at(-1);
    if (newest !== undefined) {
      await context.stdout.write(
        encodePem("CERTIFICATE", newest.certificate.der) + chainPem(authority, newest.certificate),
      );
    }
  },
});

/** `holdfast mail cert server` */
export const certServer = defineCommand({
  words: ["mail", "cert", "server"],
  summary: "give the server a new certificate of the own authority, for these names and addresses",
  description: `The certificate is in DIR/pki/server.pem with its key and chain; the server takes it without dropping a connection. It is renewed by the server itself, so this is only for other names, or a new key.`,
  operands: {},
  options: {
    host: { kind: "string", value: "NAME", repeatable: true, help: "a name or an address; else those that it has" },
    "key-type": { kind: "choice", value: "TYPE", choices: keyTypes, default: "ec-p256", help: "of the new key" },
    folder: folderOption,
  },
  examples: [
    { line: "sudo holdfast mail cert server --host mail.example.org --host 2001:db8::7", help: "another address" },
  ],
  async run(context, args) {
    const { pki } = pathsOf(context, args.folder);
    const authority = openAuthority(pki);
    const names = serverCertificate(pki)?.altNames;
    const hosts = args.host.length > 0 ? args.host : [...(names?.hosts ?? []), ...(names?.addresses ?? [])];
    const issued = await issueServer(authority, { hosts, key: args.keyType, now: new Date() });
    const until = dateOf(issued.certificate.notAfter);
    await printLines(context, [`${hosts.join(", ")}: ${issued.serial}, until ${until}`, path.join(pki, "server.pem")]);
  },
});

/** `holdfast mail cert renew-issuer` */
export const certRenewIssuer = defineCommand({
  words: ["mail", "cert", "renew-issuer"],
  summary: "have the root make a new issuing authority, before the old one ends or after its key was stolen",
  description: `Needs the key of the root and its passphrase. Certificates of the issuing authority before stay good until they end, unless --revoke-old is given: then every device needs a new one. The root stays, so that clients go on to trust the server. It may issue for the domains and hosts of this machine, as the one before.`,
  operands: {},
  options: {
    "root-key": { kind: "string", value: "FILE", help: "where the key of the root is, if it was moved out of DIR/pki" },
    "ca-password-file": {
      kind: "string",
      value: "FILE",
      help: "has its passphrase in the first line; HOLDFAST_CA_PASSWORD in the environment is another way",
    },
    host: {
      kind: "string",
      value: "NAME",
      repeatable: true,
      help: "a further name or address of the server for which it may issue",
    },
    "revoke-old": { kind: "flag", help: "have everything that was issued so far open nothing any more" },
    "key-type": { kind: "choice", value: "TYPE", choices: keyTypes, default: "ec-p256", help: "of the new key" },
    folder: folderOption,
  },
  examples: [
    { line: "sudo holdfast mail cert renew-issuer --root-key /media/stick/root.key", help: "the key is on a stick" },
  ],
  async run(context, args) {
    const paths = pathsOf(context, args.folder);
    const { pki } = paths;
    const { constraints } = openAuthority(pki).current.certificate;
    const authority = await renewIssuer(pki, {
      passphrase: await rootPassphrase(context, args.caPasswordFile),
      ...(args.rootKey === undefined ? {} : { rootKeyFile: args.rootKey }),
      keyType: args.keyType,
      ...(constraints === undefined ? {} : { ownNames: await ownNamesOf(paths, { domains: [], hosts: args.host }) }),
      revokeOld: args.revokeOld,
      now: new Date(),
    });
    const { number, certificate } = authority.current;
    await printLines(context, [`issuing authority ${number}: until ${dateOf(certificate.notAfter)}`]);
    if (serverCertificate(pki) !== undefined) {
      const names = serverCertificate(pki)?.altNames;
      await issueServer(authority, {
        hosts: [...new Set([...(names?.hosts ?? []), ...(names?.addresses ?? []), ...args.host])],
        key: args.keyType,
        now: new Date(),
      });
      await printLines(context, ["the server has a new certificate"]);
    }
  },
});
