import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createDeflateRaw, createInflateRaw, constants } from "node:zlib";
import { memoryMail, Talk } from "./talk.ts";

test("a command that makes no sense is answered with its tag, and the session goes on", async () => {
  await using talk = await Talk.open();
  await talk.follow(`C: a1 FROB
    S: a1 BAD there is no command FROB
    C: a2 NOOP x
    S: a2 BAD …
    C: a3
    S: * BAD there is no tag
    C:${" "}
    S: * BAD there is no tag
    C: a4 UID NOOP
    S: a4 BAD there is no command UID NOOP
    C: a5 LIST "" "unfinished
    S: a5 BAD …
    C: a+6 NOOP
    S: * BAD …
    C: a7 LIST (((((((((((((((((((((((((((((((((((((((( "" *
    S: a7 BAD …
    C: \0\u0001 ÿ
    S: * BAD …
    C: a8 STATUS "\xff" (MESSAGES)
    S: a8 …
    C: a9 NOOP
    S: a9 OK …`);
});

test("after too many of them the connection ends", async () => {
  await using talk = await Talk.open({ limits: { badCommands: 3 } });
  talk.send("a1 X\r\na2 X\r\na3 NOOP\r\na4 X\r\na5 X\r\na6 X\r\na7 NOOP\r\n");
  const text = await talk.rest();
  assert.deepEqual(
    text.split("\r\n").map((line) => line.slice(0, 6)),
    ["a1 BAD", "a2 BAD", "a3 OK ", "a4 BAD", "a5 BAD", "a6 BAD", "* BYE ", ""],
  );
});

test("a line without an end is thrown away as it comes, and in the end so is the connection", async () => {
  const limits = { commandBytes: 1000, discardedBytes: 5000 };
  await using talk = await Talk.open({ limits });
  await talk.says(`a1 ${"x".repeat(3000)}`, "* BAD the line is too long");
  await talk.says("a2 NOOP", "a2 OK …");
  talk.send("x".repeat(7000));
  assert.equal(await talk.rest(), "");
});

test("a literal that is too large is read over, up to a limit; one that must be asked for is not asked for", async () => {
  const limits = { commandBytes: 1000, discardedBytes: 5000 };
  await using talk = await Talk.open({ limits });
  await talk.says("a1 SUBSCRIBE {4000000000}", "a1 BAD the command is too long");
  await talk.says(`a2 SUBSCRIBE {2000+}\r\n${"x".repeat(2000)} more {500+}\r\n${"y".repeat(500)}`, "a2 BAD …");
  await talk.says("a3 NOOP", "a3 OK …");
  await talk.says("a4 SUBSCRIBE {999999999999999999+}", "a4 BAD …");
  talk.send("a5 SUBSCRIBE {4000000000+}\r\nxxx");
  assert.equal(await talk.rest(), "");
});

test("many small literals count together", async () => {
  await using talk = await Talk.open({ limits: { commandBytes: 1000 } });
  const names = Array.from({ length: 30 }, () => `{50+}\r\n${"x".repeat(50)}`);
  await talk.says(`a1 LIST "" (${names.join(" ")})`, "a1 BAD the command is too long");
});

test("whoever does not read what was asked for is not answered further, and keeps no memory", async () => {
  const mail = memoryMail();
  for (let index = 0; index < 40; index++) mail.add("INBOX", `Subject: large\n\n${"x".repeat(1_000_000)}`);
  await using talk = await Talk.open({ mail, limits: { waitingOutputBytes: 100_000, stalledMs: 50 } });
  await talk.answerTo("a1 SELECT INBOX");
  talk.socket.pause();
  talk.send("a2 FETCH 1:* BODY.PEEK[]\r\n".repeat(50));
  await talk.served; // the connection is ended although all these commands are still to be run
  assert.ok(talk.socket.readableLength < 2_000_000);
});

test("everything through DEFLATE after COMPRESS, once (RFC 4978)", async () => {
  await using talk = await Talk.open();
  await talk.says("a1 COMPRESS LZ", "a1 NO [CANNOT] …");
  await talk.says("a2 COMPRESS DEFLATE", "a2 OK Compressed from here on.");
  const [deflate, inflate] = [createDeflateRaw({ flush: constants.Z_SYNC_FLUSH }), createInflateRaw()];
  talk.socket.removeAllListeners("data");
  deflate.pipe(talk.socket);
  talk.socket.pipe(inflate);
  let text = "";
  const { promise, resolve } = Promise.withResolvers<void>();
  inflate.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (text.includes("a5 OK")) resolve();
  });
  deflate.write('a3 COMPRESS DEFLATE\r\na4 LIST "" *\r\n');
  deflate.write("a5 LOGOUT\r\n");
  await promise;
  assert.match(text, /^a3 NO \[COMPRESSIONACTIVE\] .*\r\n\* LIST .*\r\na4 OK .*\r\n\* BYE .*\r\na5 OK .*\r\n$/);
});

/** Tags, names and arguments as they may come, and what never should. */
const pieces = fc.oneof(
  fc.constantFrom("a1 ", "a2 UID ", "FETCH ", "STORE ", "LIST ", "APPEND INBOX ", "SELECT INBOX", "LOGIN joe secret"),
  fc.constantFrom("1:* ", "(FLAGS ", "BODY[", "]<0.1>", "{3}", "{3+}", "~{2+}", "\r\n", "\r\n", '"', ") ", "(", "IDLE"),
  fc.constantFrom("AUTHENTICATE PLAIN ", "DONE", "STATUS INBOX ", "ENABLE QRESYNC ", "RENAME ", "COPY ", "MOVE ", "*"),
  fc.string({ unit: "binary-ascii", maxLength: 5 }),
);

test("whatever comes, in whatever pieces, no session fails", async () => {
  const property = fc.asyncProperty(fc.array(pieces, { maxLength: 40 }), fc.nat(), async (texts, cut) => {
    const mail = memoryMail();
    mail.add("INBOX", "Subject: 1\n\n1\n");
    // Its end throws what was thrown in the server.
    await using talk = await Talk.open({ mail });
    const bytes = Buffer.from(texts.join(""), "latin1");
    const half = cut % (bytes.length + 1);
    talk.send(bytes.subarray(0, half));
    talk.send(bytes.subarray(half));
  });
  await fc.assert(property, { numRuns: 300 });
});

test("commands are the same in whatever pieces they come", async () => {
  const commands = 'a1 CREATE {3+}\r\nfoo\r\na2 APPEND foo (\\Seen) {5+}\r\nA: b\n\r\na3 LIST "" *\r\na4 NOOP\r\n';
  const answers = async (parts: readonly string[]): Promise<string> => {
    await using talk = await Talk.open();
    for (const part of parts) {
      talk.send(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    talk.send("a5 LOGOUT\r\n");
    return await talk.rest();
  };
  const whole = await answers([commands]);
  assert.match(whole, /^a1 OK .*\r\na2 OK \[APPENDUID 1002 1\] .*\r\n\* LIST [^]*a5 OK/);
  assert.equal(await answers(Array.from(commands)), whole);
});
