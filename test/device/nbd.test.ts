/** The NBD server against a client that says what it should not; real ones are among the peers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice, serveNbd, type BlockReader } from "../../src/device/index.ts";
import * as records from "../../src/device/nbd/records.ts";
import { temporaryFolder } from "../temp.ts";

const { greeting, magics, optionReply, optionRequest, request, simpleReply } = records;

test("every field is where proto.md has it", () => {
  const places = (struct: { fields: Readonly<Record<string, readonly [number, { sizeBytes: number }]>> }) =>
    Object.fromEntries(Object.entries(struct.fields).map(([name, [at, { sizeBytes }]]) => [name, [at, sizeBytes]]));
  assert.deepEqual(places(greeting), { magic: [0, 8], optionMagic: [8, 8], flags: [16, 2] });
  assert.deepEqual(places(optionRequest), { magic: [0, 8], option: [8, 4], lengthBytes: [12, 4] });
  assert.deepEqual(places(optionReply), { magic: [0, 8], option: [8, 4], type: [12, 4], lengthBytes: [16, 4] });
  assert.deepEqual(places(records.exportInfo), { type: [0, 2], sizeBytes: [2, 8], flags: [10, 2] });
  const sizes = { type: [0, 2], minimumBytes: [2, 4], preferredBytes: [6, 4], maximumBytes: [10, 4] };
  assert.deepEqual(places(records.blockSizeInfo), sizes);
  assert.deepEqual(places(records.oldExport), { sizeBytes: [0, 8], flags: [8, 2] });
  const asked = { magic: [0, 4], flags: [4, 2], type: [6, 2], cookie: [8, 8], at: [16, 8], lengthBytes: [24, 4] };
  assert.deepEqual(places(request), asked);
  assert.deepEqual(places(simpleReply), { magic: [0, 4], error: [4, 4], cookie: [8, 8] });
});

const content = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 7) % 251));

/** Fails where the last thousand bytes are touched. */
const source: BlockReader = {
  sizeBytes: content.length,
  async read(at, into) {
    if (at + into.length > content.length - 1000) throw new Failure("damaged", "cannot read the end");
    into.set(content.subarray(at, at + into.length));
  },
  async [Symbol.asyncDispose]() {},
};

/** A connection whose answers are taken byte by byte; `left` gives all until the server ends it. */
async function connect(socketPath: string) {
  const socket = net.connect(socketPath);
  const take = async (count: number): Promise<Buffer> => {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = socket.read(count) as Buffer | null;
      if (bytes !== null) return bytes;
      if (socket.readableEnded) throw new Error("it ended");
      using waiting = new DisposableStack();
      const done = new AbortController();
      waiting.defer(() => done.abort());
      const { signal } = done;
      const any = ["readable", "end"].map((event) => once(socket, event, { signal }).catch(() => undefined));
      await Promise.race(any);
    }
  };
  const hello = greeting.decode(await take(greeting.sizeBytes));
  assert.deepEqual([hello.magic, hello.optionMagic], [magics.greeting, magics.option]);
  return {
    socket,
    take,
    say: (...pieces: readonly Uint8Array[]) => socket.write(Buffer.concat(pieces)),
    async isOver(): Promise<boolean> {
      socket.resume();
      if (!socket.readableEnded && !socket.destroyed) await once(socket, "close");
      return true;
    },
  };
}

const flags = Buffer.from([0, 0, 0, 3]);

function option(number: number, data = Buffer.alloc(0)): Uint8Array {
  return Buffer.concat([
    optionRequest.encode({ magic: magics.option, option: number, lengthBytes: data.length }),
    data,
  ]);
}

function ask(type: number, at: number | bigint, lengthBytes: number, cookie = 1n): Uint8Array {
  return request.encode({ magic: magics.request, type, cookie, at: BigInt(at), lengthBytes });
}

async function served(work: (socketPath: string, errors: string[]) => Promise<void>): Promise<void> {
  await using folder = temporaryFolder();
  const errors: string[] = [];
  const onError = (error: unknown): void => void errors.push(String(error));
  const socket = folder.join("socket");
  await using server = await serveNbd(source, { socket, exportName: "disk", onError });
  assert.ok(server.address.startsWith("nbd+unix:///disk?socket=/"));
  assert.equal(fs.statSync(socket).mode & 0o077, 0, "nobody else reaches it");
  await work(socket, errors);
}

test("what is outside, is too much or would change something is refused, and the rest goes on", async () => {
  await served(async (path, errors) => {
    const client = await connect(path);
    client.say(flags, option(records.options.exportName, Buffer.from("disk")));
    assert.equal(records.oldExport.decode(await client.take(10)).sizeBytes, content.length);
    const wrong: readonly (readonly [Uint8Array, number])[] = [
      [ask(0, content.length - 1500, 1501), 22],
      [ask(0, 2n ** 64n - 1n, 2), 22],
      [ask(0, 0, 32 * 2 ** 20 + 1), 22],
      [ask(0, content.length - 10, 10), 5],
      [Buffer.concat([ask(1, 0, 512), Buffer.alloc(512)]), 1],
      [ask(4, 0, 512), 1],
      [ask(6, 0, 512), 1],
      [ask(77, 0, 0), 22],
      [ask(3, 0, 0), 0],
    ];
    for (const [words, error] of wrong) {
      client.say(words);
      const reply = simpleReply.decode(await client.take(16));
      assert.deepEqual([reply.magic, reply.error, reply.cookie], [magics.simpleReply, error, 1n]);
    }
    assert.deepEqual(errors, ["Failure: cannot read the end"]);
    // Many at once, each answered with its own.
    const places = Array.from({ length: 50 }, (_, n) => n * 1000);
    client.say(...places.map((at, n) => ask(0, at, 500, BigInt(n))));
    for (let left = places.length; left > 0; left--) {
      const { error, cookie } = simpleReply.decode(await client.take(16));
      assert.equal(error, 0);
      const at = places[Number(cookie)]!;
      assert.ok((await client.take(500)).equals(content.subarray(at, at + 500)));
    }
    client.say(ask(2, 0, 0));
    assert.ok(await client.isOver());
  });
});

test("before that, unknown words are told to be so, and nonsense ends it", async () => {
  await served(async (path) => {
    const client = await connect(path);
    client.say(flags);
    const replyTo = async (words: Uint8Array): Promise<number> => {
      client.say(words);
      const reply = optionReply.decode(await client.take(20));
      await client.take(reply.lengthBytes);
      return reply.type;
    };
    assert.equal(await replyTo(option(8)), 2 ** 31 + 1);
    assert.equal(await replyTo(option(6, Buffer.from([0, 0, 0, 200, 0, 0]))), 2 ** 31 + 3);
    assert.equal(await replyTo(option(7, Buffer.from([0, 0, 0, 1, 0x78, 0, 0]))), 2 ** 31 + 6);
    assert.equal(await replyTo(option(2)), 1);
    assert.ok(await client.isOver());
    for (const nonsense of [
      Buffer.alloc(16, 7),
      Buffer.from(optionRequest.encode({ magic: magics.option, option: 7, lengthBytes: 8193 })),
      Buffer.from(option(records.options.exportName, Buffer.from("other"))),
    ]) {
      const other = await connect(path);
      other.say(flags, nonsense);
      assert.ok(await other.isOver());
    }
    const talking = await connect(path);
    talking.say(flags, option(records.options.exportName));
    await talking.take(10);
    talking.say(Buffer.alloc(28, 7));
    assert.ok(await talking.isOver());
  });
});

test("it ends with clients that are in the middle of something", async () => {
  await using folder = temporaryFolder();
  const server = await serveNbd(new MemoryDevice(content), { socket: folder.join("socket") });
  const client = await connect(folder.join("socket"));
  client.say(flags, option(records.options.exportName), ask(0, 0, 50_000));
  await client.take(10);
  await server[Symbol.asyncDispose]();
  assert.ok(await client.isOver());
  await assert.rejects(serveNbd(source, { socket: folder.join("no", "socket") }), /cannot listen on ".*socket"/);
});
