import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import { createTransport } from "nodemailer";
import { Failure, findProgram, systemReason } from "../../base/index.ts";
import type { MailNotice, MailServer } from "./plan.ts";
import { readSecret } from "./read-secret.ts";

export interface Letter {
  readonly subject: string;
  readonly text: string;
}

const hintLength = 200;
const connectionLimitMs = 60_000;
const loopback = /^(?:localhost|127(?:\.\d+){3}|::1)$/;

/** Sends a letter to all whom a plan names. Throws `failed` where it was not taken. */
export async function sendMail(notice: MailNotice, letter: Letter, env: NodeJS.ProcessEnv): Promise<void> {
  const from = notice.from ?? `${os.userInfo().username}@${os.hostname()}`;
  const message = { from, to: [...notice.to], subject: letter.subject, text: letter.text };
  const { server, to } = notice;
  try {
    if (server === undefined) await sendByProgram({ message, from, to }, env);
    else await sendByServer(server, message, env);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("failed", `cannot send mail to ${to.join(", ")}: ${systemReason(error)}`, { cause: error });
  }
}

interface Message extends Letter {
  readonly from: string;
  readonly to: string[];
}

async function sendByServer(server: MailServer, message: Message, env: NodeJS.ProcessEnv): Promise<void> {
  const { host, port, isTls, user, password, authorities } = server;
  const pass = password === undefined ? undefined : readSecret(password, env);
  const transport = createTransport({
    host,
    port,
    secure: isTls,
    requireTLS: user !== undefined && !loopback.test(host),
    ...(user === undefined || pass === undefined ? {} : { auth: { user, pass } }),
    ...(authorities === undefined ? {} : { tls: { ca: fs.readFileSync(authorities) } }),
    connectionTimeout: connectionLimitMs,
    greetingTimeout: connectionLimitMs,
    socketTimeout: connectionLimitMs,
  });
  try {
    await transport.sendMail(message);
  } finally {
    transport.close();
  }
}

/** The message is made as for a server; the system's program finds out where it goes. */
async function sendByProgram(
  { message, from, to }: { readonly message: Message; readonly from: string; readonly to: readonly string[] },
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const program = findProgram("sendmail", env);
  if (program === undefined) {
    throw new Failure("failed", "cannot send mail: there is no sendmail on this machine", {
      hint: 'name a server: smtp = "smtps://mail.example.org"',
    });
  }
  const composed = await createTransport({ streamTransport: true, buffer: true, newline: "unix" }).sendMail(message);
  const child = spawn(program, ["-i", "-f", from, "--", ...to], { stdio: ["pipe", "ignore", "pipe"], env });
  let said = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => (said += text));
  child.stdin.on("error", () => undefined); // its status tells
  child.stdin.end(composed.message);
  const [status] = (await once(child, "close")) as [number | null];
  if (status === 0) return;
  const hint = said === "" ? {} : { hint: said.trim().slice(0, hintLength) };
  throw new Failure(
    "failed",
    `cannot send mail to ${to.join(", ")}: ${program} ended with ${status ?? "a signal"}`,
    hint,
  );
}
