import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import {
  createAuthority,
  dateOf,
  keyTypes,
  newPassphrase,
  openAuthority,
  serverCertificate,
} from "../../mail/pki/index.ts";
import { exampleOfSettings, type MailPaths } from "../../mail/settings/index.ts";
import { addDomain } from "../../mail/users/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { folderOption, pathsOf } from "./mail-folder.ts";
import { findSecret } from "./secret.ts";

/** `holdfast mail init` */
export const init = defineCommand({
  words: ["mail", "init"],
  summary: "set up mail for a domain: authority, server certificate, settings, a place for users",
  description: `In DIR/pki are made a root, whose key is encrypted with a passphrase, an issuing authority below it, a certificate for the server, and bundle.pem with the authorities and their revocation lists. The key of the root is needed again only to replace the issuing authority: DIR/pki/root.key can be kept elsewhere. The issuing authority's own key stays, so that the server renews the revocation list by itself; whoever may read it can issue certificates.

Without a passphrase given, one is asked for at a terminal; an empty answer has one made, which is shown once. For a further domain only a place for its users is made: the authority is the same.`,
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
    "ca-password-file": {
      kind: "string",
      value: "FILE",
      help: "has the passphrase for the root's key in its first line; HOLDFAST_CA_PASSWORD in the environment is another way",
    },
    folder: folderOption,
    json: jsonOption,
  },
  examples: [
    { line: "sudo holdfast mail init example.org", help: "the server is mail.example.org" },
    {
      line: "sudo holdfast mail init example.org --host mail.example.org --host 192.0.2.7",
      help: "and has an address",
    },
  ],
  async run(context, args) {
    const paths = pathsOf(context, args.folder);
    const { domain } = args;
    const hosts = args.host.length > 0 ? args.host : [`mail.${domain}`];
    const hasAuthority = fs.existsSync(paths.pki);
    if (hasAuthority) openAuthority(paths.pki); // or says what is wrong with it
    const passphrase = hasAuthority ? undefined : await newRootPassphrase(context, args.caPasswordFile);
    if (passphrase !== undefined) {
      await createAuthority(paths.pki, {
        organization: domain,
        passphrase: passphrase.text,
        keyType: args.keyType,
        hosts,
        now: new Date(),
      });
    }
    await writeSettings(paths, hosts[0] ?? domain);
    const isNew = await addDomain(paths.domains, domain);
    if (hasAuthority && !isNew) {
      throw new Failure("exists", `cannot set up "${domain}": it is set up in "${paths.folder}" already`);
    }
    await report(context, {
      paths,
      domain,
      made: passphrase?.isMade === true ? passphrase.text : undefined,
      json: args.json,
    });
  },
});

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

/** Settings that are there stay as they are. */
async function writeSettings({ settings }: MailPaths, host: string): Promise<void> {
  if (fs.existsSync(settings)) return;
  fs.mkdirSync(path.dirname(settings), { recursive: true });
  const text = (await exampleOfSettings()).replace(/^host_name = .*$/m, `host_name = ${JSON.stringify(host)}`);
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
