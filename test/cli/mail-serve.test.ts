/** A household of one user, from nothing to a server that is reached, by the commands alone. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { once } from "node:events";
import * as tls from "node:tls";
import { createInterface } from "node:readline";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { temporaryFolder } from "../temp.ts";
import { Talk } from "../mail/guard/mail-machine.ts";

const main = path.resolve(import.meta.dirname, "../../src/cli/main.ts");

test("mail init, user add, cert issue, serve; SIGHUP reads the settings, SIGTERM ends it in peace", async () => {
  await using folder = temporaryFolder();
  const mail = folder.join("mail");
  const env = { ...process.env, HOLDFAST_MAIL: mail, HOLDFAST_CA_PASSWORD: "of the root", HOLDFAST_PASSWORD: "secret" };
  const start = (...words: readonly string[]) =>
    spawn(process.execPath, [main, "mail", ...words], { env, stdio: "pipe" });
  const run = async (...words: readonly string[]): Promise<void> => {
    const child = start(...words);
    const said: Buffer[] = [];
    child.stderr.on("data", (bytes: Buffer) => said.push(bytes));
    child.stdout.resume();
    const [status] = (await once(child, "close")) as [number];
    assert.equal(status, 0, Buffer.concat(said).toString());
  };
  await run("init", "example.org", "--host", "localhost");
  await run("user", "add", "joe@example.org");
  await run("cert", "issue", "joe@example.org", "--device", "laptop", "--format", "pem", "--out", folder.join("joe"));
  const account = process.getuid?.() === 0 ? 'account = "root"\n' : "";
  const settings = `[server]\n${account}processes = 1\n[mailboxes]\nhome = "${folder.path}/%n"\n`;
  fs.writeFileSync(path.join(mail, "mail.toml"), settings);

  await using stack = new AsyncDisposableStack();
  const server = start("serve", "--listen", "127.0.0.1", "--imaps-port", "0", "--pop3s-port", "0");
  stack.defer(() => void server.kill("SIGKILL"));
  const said: string[] = [];
  const messages = createInterface({ input: server.stderr }).on("line", (line) => said.push(line));
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const places = [String((await lines.next()).value), String((await lines.next()).value)];
  assert.match(places.join("\n"), /^imaps 127\.0\.0\.1:\d+\npop3s 127\.0\.0\.1:\d+$/, said.join("\n"));
  const files = {
    ca: fs.readFileSync(folder.join("joe/root.pem")),
    cert: fs.readFileSync(folder.join("joe/joe-laptop.pem")),
    key: fs.readFileSync(folder.join("joe/joe-laptop.key")),
  };
  const port = Number(places[1]?.split(":").at(-1));
  const connected = (): Talk => new Talk(tls.connect({ port, host: "127.0.0.1", servername: "localhost", ...files }));
  const talk = connected();
  await talk.until("\r\n");
  await talk.ask("USER joe");
  assert.match(await talk.ask("PASS secret"), /^\+OK/, said.join("\n"));
  assert.match(said.join("\n"), /event=login protocol=pop3s .*certificate=joe@example\.org/);

  fs.writeFileSync(path.join(mail, "mail.toml"), `${settings}[limits]\nconnections = 1\n`);
  server.kill("SIGHUP");
  const isLetIn = async (): Promise<boolean> => {
    const another = connected();
    try {
      await another.until("\r\n");
      return true;
    } catch {
      return false;
    } finally {
      another.socket.destroy();
    }
  };
  while (await isLetIn()) continue; // the signal takes its time
  fs.writeFileSync(path.join(mail, "mail.toml"), `${settings}[limits]\nconections = 1\n`);
  server.kill("SIGHUP");
  while (!said.some((line) => /line \d+: limits\.conections: there is no such key/.test(line))) {
    await once(messages, "line");
  }
  assert.match(await talk.ask("NOOP"), /^\+OK/);
  server.kill("SIGTERM");
  assert.deepEqual(await once(server, "exit"), [0, null]);
  await talk.rest();
});
