import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { connect, type TLSSocket } from "node:tls";
import type { CommandContext } from "./command.ts";
import { dispatch } from "./dispatch.ts";
import type { Output } from "./output.ts";
import { say, silenced, step, temporaryFolder } from "./tour-steps.ts";

const [imapsPort, pop3sPort, smtpPort] = [9993, 9995, 9925];
const [domain, joe, patrick] = ["example.org", "joe@example.org", "patrick@example.org"];

/** Of the tour alone, and gone with its folder. */
const secrets = { HOLDFAST_CA_PASSWORD: "kept in a drawer", HOLDFAST_PASSWORD: "phished already" };

/** `holdfast tour --mail`: the steps of the guide to mail, on high ports. Nothing is left of it. */
export async function tourOfMail(context: CommandContext): Promise<void> {
  await using temporary = await temporaryFolder();
  const { path: folder } = temporary;
  await fs.chmod(folder, 0o711); // as root the server works as another
  process.chdir(folder);
  const within = { ...context, env: { ...context.env, ...secrets, HOLDFAST_MAIL: path.join(folder, "mail") } };
  await step(within, "A household gets its own authority for certificates:", init);
  await writeSettings(folder);
  const quiet = { ...within, stdout: silenced(context.stdout) };
  await step(within, "Two users:", ["mail", "user", "add", joe], quiet);
  await dispatch(["mail", "user", "add", patrick], quiet);
  const issue = ["mail", "cert", "issue", joe, "--device", "laptop", "--format", "pem", "--out", "joe"];
  await step(within, "A certificate for Joe's laptop:", issue, quiet);
  await using stack = new AsyncDisposableStack();
  stack.use(await serve(within));
  await writeAccounts(within);
  await send(within);
  await step(within, "Fetched home, with certificate and password:", fetchWords);
  await showMail(within);
  await knock(within, "A phisher has the password, and no certificate:");
  await step(within, "The laptop is stolen:", ["mail", "cert", "revoke", joe, "--device", "laptop"]);
  const [cert, key] = [await fs.readFile("joe/joe-laptop.pem"), await fs.readFile("joe/joe-laptop.key")];
  await knock(within, "From now on its certificate opens nothing:", { cert, key });
  await step(within, "What ends when:", ["mail", "status"]);
}

const isRoot = process.getuid?.() === 0;
const init = ["mail", "init", domain, "--host", "localhost", ...(isRoot ? ["--account", "nobody"] : [])];
const serveWords = ["mail", "serve"];
const fetchWords = ["mail", "fetch", "--file", "fetchmailrc", "--deliver", "maildir:home/%T"];
const nobody = 65534;

async function writeSettings(folder: string): Promise<void> {
  const mailboxes = path.join(folder, "mailboxes");
  await fs.mkdir(mailboxes);
  if (isRoot) await fs.chown(mailboxes, nobody, nobody);
  const settings = [
    'host_name = "localhost"',
    "[server]",
    'listen = ["127.0.0.1"]',
    `imaps_port = ${imapsPort}`,
    `pop3s_port = ${pop3sPort}`,
    'audit = "audit"',
    ...(isRoot ? ['account = "nobody"'] : []),
    "[mailboxes]",
    `home = "${mailboxes}/%n"`,
    "[receiving]",
    "smtp = true",
    `smtp_port = ${smtpPort}`,
    "check_senders = false",
    "",
  ];
  await fs.writeFile(path.join(folder, "mail", "mail.toml"), settings.join("\n"));
}

/** The server, until it is disposed of. */
async function serve(context: CommandContext): Promise<AsyncDisposable> {
  const end = new AbortController();
  const signal = AbortSignal.any([context.signal, end.signal]);
  await say(context, "The server, beside this tour:", serveWords);
  const said = Promise.withResolvers<void>();
  const stdout: Output = {
    ...silenced(context.stdout),
    write: (data) => context.stdout.write(data),
    flush: async () => said.resolve(),
  };
  const ended = dispatch(serveWords, { ...context, signal, stdout });
  ended.catch((error: unknown) => said.reject(error));
  await said.promise;
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await ended;
    },
  };
}

async function writeAccounts({ env }: CommandContext): Promise<void> {
  const lines = [
    `poll localhost protocol imap port ${imapsPort}`,
    `  user "${joe}" password "${env["HOLDFAST_PASSWORD"]}" is "joe" here`,
    '    ssl sslcertck sslcertfile "joe/root.pem" sslcert "joe/joe-laptop.pem" sslkey "joe/joe-laptop.key"',
    "",
  ];
  await fs.writeFile("fetchmailrc", lines.join("\n"), { mode: 0o600 });
}

async function send(context: CommandContext): Promise<void> {
  await say(context, "A message for Joe comes in by SMTP, from whoever writes to him.");
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({ host: "127.0.0.1", port: smtpPort, ignoreTLS: true });
  await transport.sendMail({
    from: "Anna <anna@example.net>",
    to: joe,
    subject: "The key is under the flowerpot",
    text: "As always.",
  });
}

/** The header that a reader looks at, of what was fetched. */
async function showMail({ stdout }: CommandContext): Promise<void> {
  for (const name of await fs.readdir("home/joe/new")) {
    const text = await fs.readFile(path.join("home/joe/new", name), "utf8");
    const lines = text.split("\n").filter((line) => /^(From|To|Subject): /.test(line));
    await stdout.write(`${lines.join("\n")}\n`);
  }
}

/** What becomes of a connection that shows this certificate, or none. */
async function knock(context: CommandContext, heading: string, identity: Identity = {}): Promise<void> {
  await say(context, heading);
  const ca = await fs.readFile("joe/root.pem");
  const socket = connect({ port: imapsPort, host: "127.0.0.1", servername: "localhost", ca, ...identity });
  await context.stdout.write(`${await answerOf(socket)}\n`);
}

interface Identity {
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

async function answerOf(socket: TLSSocket): Promise<string> {
  try {
    const [greeting] = (await once(socket, "data")) as [Buffer];
    return greeting.toString("latin1").trim();
  } catch (error) {
    const { reason } = error as { readonly reason?: string };
    return `the server hangs up in the handshake: ${reason ?? String(error)}`;
  } finally {
    socket.destroy();
  }
}
