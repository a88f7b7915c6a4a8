import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import {
  createAuthority,
  dateOf,
  keyTypes,
  newPassphrase,
  openAuthority,
  renewIssuer,
  serverCertificate,
  type KeyType,
} from "../../mail/pki/index.ts";
import { exampleOfSettings, type MailPaths } from "../../mail/settings/index.ts";
import { addDomain, domainsIn } from "../../mail/users/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { folderOption, pathsOf } from "./mail-folder.ts";
import { ownNamesOf } from "./own-names.ts";
import { findSecret, rootPassphrase } from "./secret.ts";

/** `holdfast mail init` */
export const init = defineCommand({
  words: ["mail", "init"],
  summary: "set up mail for a domain: authority, server certificate, settings, a place for users",
  description: `In DIR/pki are made a root, whose key is encrypted with a passphrase, an issuing authority below it, a certificate for the server, and bundle.pem with the authorities and their revocation lists. The key of the root is needed again only to replace the issuing authority: DIR/pki/root.key can be kept elsewhere. The issuing authority's own key stays, so that the server renews the revocation list by itself; whoever may read it can issue certificates.

The root allows the issuing authority to issue for mailboxes and hosts of DOMAIN and for the hosts named, and nothing else, so that devices which trust the root trust it in nothing but mail.

Without a passphrase given, one is asked for at a terminal; an empty answer has one made, which is shown once. For a further domain the root, which stays the same, makes a new issuing authority that may issue for it too.`,
  operands: { domain: { arity: "one", parse: parseDomain, help: "what is behind the @ of the mailboxes" } },
  options: {
    host: {
      kind: "string",
      value: "NAME",
      repeatable: true,
      help: "under which names and addresses clients reach the server; else mail.DOMAIN",
    },
    "key-type": {
      kind: "choice",
      value: "TYPE",
      choices: keyTypes,
      default: "ec-p256",
      help: "of the authorities and the server; RSA for clients that know nothing newer",
    },
    account: {
      kind: "string",
      value: "NAME",
      help: "the account that the server works as once it has its ports, which keeps all mail; set in mail.toml",
    },
    "system-users": {
      kind: "flag",
      help: "users are those of the system, and each one's mail is in files of their own; set in mail.toml",
    },
    "any-name": {
      kind: "flag",
      help: "let the issuing authority issue for any name, not only for DOMAIN and the hosts: for clients that cannot check that",
    },
    "root-key": { kind: "string", value: "FILE", help: "for a further domain: where the key of the root was moved to" },
    "ca-password-file": {
      kind: "string",
      value: "FILE",
      help: "has the passphrase for the root's key in its first line; HOLDFAST_CA_PASSWORD in the environment is another way",
    },
    folder: folderOption,
    json: jsonOption,
  },
  examples: [
    { line: "sudo holdfast mail init example.org --account holdfast", help: "the server is mail.example.org" },
    {
      line: "sudo holdfast mail init example.org --host mail.example.org --host 192.0.2.7",
      help: "and has an address",
    },
  ],
  async run(context, args) {
    const paths = pathsOf(context, args.folder);
    const { domain, keyType } = args;
    const now = new Date();
    const hosts = args.host.length > 0 ? args.host : [`mail.${domain}`];
    const hasAuthority = fs.existsSync(paths.pki);
    if (hasAuthority && domainsIn(paths.domains).includes(domain)) {
      throw new Failure("exists", `cannot set up "${domain}": it is set up in "${paths.folder}" already`);
    }
    let made: string | undefined;
    if (hasAuthority) await allowDomain(context, paths, args);
    else {
      const passphrase = await newRootPassphrase(context, args.caPasswordFile);
      if (passphrase.isMade) made = passphrase.text;
      const ownNames = args.anyName ? {} : { ownNames: { domains: [domain], hosts } };
      const request = { organization: domain, passphrase: passphrase.text, keyType, hosts, now };
      await createAuthority(paths.pki, { ...request, ...ownNames });
    }
    await writeSettings(paths, { host: hosts[0] ?? domain, account: args.account, hasSystemUsers: args.systemUsers });
    await addDomain(paths.domains, domain);
    await report(context, { paths, domain, made, json: args.json });
  },
});

interface FurtherDomain {
  readonly domain: string;
  readonly rootKey: string | undefined;
  readonly caPasswordFile: string | undefined;
  readonly keyType: KeyType;
}

/** Has the root make an issuing authority for one domain more, unless that of today may issue for any name. */
async function allowDomain(context: CommandContext, paths: MailPaths, further: FurtherDomain): Promise<void> {
  const authority = openAuthority(paths.pki); // or says what is wrong with it
  if (authority.current.certificate.constraints === undefined) return;
  await renewIssuer(paths.pki, {
    passphrase: await rootPassphrase(context, further.caPasswordFile),
    ...(further.rootKey === undefined ? {} : { rootKeyFile: further.rootKey }),
    keyType: further.keyType,
    ownNames: await ownNamesOf(paths, { domains: [further.domain], hosts: [] }),
    revokeOld: false,
    now: new Date(),
  });
}

function parseDomain(text: string): string {
  const domain = text.toLowerCase();
  if (/^(?=.{1,64}$)[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(domain)) return domain;
  throw new Failure("usage", `cannot understand the domain "${text}"`, {
    hint: "such as example.org; at most 64 letters",
  });
}

async function newRootPassphrase(context: CommandContext, file: string | undefined) {
  const question = "passphrase for the key of the root (empty: one is made)";
  const given = await findSecret(context, { file, variable: "HOLDFAST_CA_PASSWORD", question, isNew: true });
  if (given !== undefined) return { text: given, isMade: false };
  if (context.stderr.isTerminal) return { text: newPassphrase(), isMade: true };
  throw new Failure("usage", "cannot encrypt the key of the root: there is no passphrase, and no terminal to ask at", {
    hint: "give --ca-password-file FILE, or HOLDFAST_CA_PASSWORD in the environment",
  });
}

interface FirstSettings {
  readonly host: string;
  readonly account: string | undefined;
  readonly hasSystemUsers: boolean;
}

/** Settings that are there stay as they are. */
async function writeSettings({ settings }: MailPaths, first: FirstSettings): Promise<void> {
  const { host, account, hasSystemUsers } = first;
  if (fs.existsSync(settings)) return;
  fs.mkdirSync(path.dirname(settings), { recursive: true });
  let text = (await exampleOfSettings()).replace(/^host_name = .*$/m, `host_name = ${JSON.stringify(host)}`);
  if (account !== undefined) text = text.replace(/^# account = .*$/m, `account = ${JSON.stringify(account)}`);
  if (hasSystemUsers) text = text.replace(/^# system_users = .*$/m, "system_users = true");
  fs.writeFileSync(settings, text, { flag: "wx" });
}

interface Made {
  readonly paths: MailPaths;
  readonly domain: string;
  /** A passphrase that was made. */
  readonly made: string | undefined;
  readonly json: boolean;
}

async function report(context: CommandContext, { paths, domain, made, json }: Made): Promise<void> {
  const { root, current } = openAuthority(paths.pki);
  const server = serverCertificate(paths.pki);
  const names = server === undefined ? [] : [...server.altNames.hosts, ...server.altNames.addresses];
  if (json) {
    return printJson(context, {
      domain,
      folder: paths.folder,
      settings: paths.settings,
      bundle: path.join(paths.pki, "bundle.pem"),
      rootEndsAt: root.notAfter.toISOString(),
      issuerEndsAt: current.certificate.notAfter.toISOString(),
      ...(server === undefined ? {} : { server: { names, endsAt: server.notAfter.toISOString() } }),
      ...(made === undefined ? {} : { rootPassphrase: made }),
    });
  }
  await printLines(context, [
    `folder: ${paths.folder}`,
    `authority: until ${dateOf(root.notAfter)}, issuing until ${dateOf(current.certificate.notAfter)}`,
    ...(server === undefined ? [] : [`server: ${names.join(", ")}, until ${dateOf(server.notAfter)}`]),
    ...(made === undefined ? [] : [`passphrase of pki/root.key: ${made}  (shown only now; keep it)`]),
    `next: holdfast mail user add NAME@${domain}`,
  ]);
}
