import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import * as zlib from "node:zlib";
import type { PackageRequest } from "../../src/debian/index.ts";
import { temporaryFolder } from "../temp.ts";
import { armour, certificate, clearsign, day, detached, makeKey, type MakerKey } from "../openpgp/openpgp-maker.ts";

/** The time of these tests. */
export const nowMs = Date.UTC(2026, 5, 1);

export interface TestPackage {
  readonly Package: string;
  readonly Version?: string;
  readonly Architecture?: string;
  readonly [field: string]: string | undefined;
}

export interface SuiteOptions {
  readonly packages: readonly TestPackage[];
  readonly codename?: string;
  readonly suite?: string;
  readonly component?: string;
  readonly origin?: string;
  readonly key?: MakerKey;
  readonly dateMs?: number;
  readonly validUntilMs?: number;
  readonly byHash?: boolean;
  /** Lists the index only as it is compressed, as small archives do. */
  readonly isOnlyPacked?: boolean;
  /** Further fields of the Release file. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Release and Release.gpg instead of InRelease. */
  readonly isDetached?: boolean;
  /** In a folder of its own for packages of every architecture. */
  readonly indexOfAll?: readonly TestPackage[];
}

export const archiveKey = makeKey("eddsa", nowMs - 1000 * day);
export const strangeKey = makeKey("eddsa", nowMs - 1000 * day);

/** What a test package's .deb holds: not a real one, which nobody looks for here. */
export function contentOf(name: string, version: string): Buffer {
  return Buffer.from(`${name} ${version}\n`.repeat(2000));
}

/** Files of an archive by path. */
export type Files = Map<string, Buffer>;

export function addSuite(files: Files, name: string, options: SuiteOptions): void {
  const { component = "main", dateMs = nowMs - day, key = archiveKey } = options;
  const listed: string[] = [];
  const addIndex = (architecture: string, packages: readonly TestPackage[]): void => {
    const plain = Buffer.from(packages.map((one) => `${stanza(files, one)}\n`).join(""));
    const place = `${component}/binary-${architecture}`;
    const packed = zlib.gzipSync(plain);
    for (const [file, content] of [
      ["Packages", plain],
      ["Packages.gz", packed],
    ] as const) {
      if (options.isOnlyPacked === true && file === "Packages") continue;
      const sha256 = crypto.hash("sha256", content);
      listed.push(` ${sha256} ${content.length} ${place}/${file}`);
      if (options.byHash === true) files.set(`dists/${name}/${place}/by-hash/SHA256/${sha256}`, content);
      else if (file !== "Packages") files.set(`dists/${name}/${place}/${file}`, content);
    }
  };
  addIndex("amd64", options.packages);
  if (options.indexOfAll !== undefined) addIndex("all", options.indexOfAll);
  const until = options.validUntilMs;
  const release = [
    `Origin: ${options.origin ?? "Debian"}`,
    `Suite: ${options.suite ?? "stable"}`,
    `Codename: ${options.codename ?? name}`,
    `Date: ${utc(dateMs)}`,
    ...(until === undefined ? [] : [`Valid-Until: ${utc(until)}`]),
    ...(options.byHash === true ? ["Acquire-By-Hash: yes"] : []),
    "Architectures: all amd64",
    `Components: ${component}`,
    ...(options.indexOfAll === undefined ? ["No-Support-for-Architecture-all: Packages"] : []),
    ...Object.entries(options.fields ?? {}).map(([field, value]) => `${field}: ${value}`),
    "SHA256:",
    ...listed,
    "",
  ].join("\n");
  if (options.isDetached === true) {
    files.set(`dists/${name}/Release`, Buffer.from(release));
    files.set(
      `dists/${name}/Release.gpg`,
      Buffer.from(armour("SIGNATURE", detached(Buffer.from(release), key, { createdMs: dateMs }))),
    );
  } else files.set(`dists/${name}/InRelease`, Buffer.from(clearsign(release, [[key, { createdMs: dateMs }]])));
}

function utc(timeMs: number): string {
  return new Date(timeMs).toUTCString().replace("GMT", "UTC");
}

function stanza(files: Files, { Package, Version = "1.0", Architecture = "all", ...rest }: TestPackage): string {
  const content = contentOf(Package, Version);
  const file = `pool/${Package}_${Version.replace(/^\d+:/, "")}_${Architecture}.deb`;
  files.set(file, content);
  const fields = {
    Package,
    Version,
    Architecture,
    Priority: "optional",
    Section: "misc",
    Filename: file,
    Size: String(content.length),
    SHA256: crypto.hash("sha256", content),
    ...rest,
  };
  return Object.entries(fields)
    .map(([field, value]) => `${field}: ${value}\n`)
    .join("");
}

export type Handler = (request: http.IncomingMessage, response: http.ServerResponse, path: string) => boolean;

export interface TestServer extends AsyncDisposable {
  /** With a slash at its end. */
  readonly url: string;
  readonly files: Files;
  /** What was asked for, with the range where there was one. */
  readonly log: string[];
  /** May answer a request in its own way, and then says so. */
  handler: Handler | undefined;
  stop(): Promise<void>;
}

/** Serves files on the loopback, with ranges and dates as mirrors do. */
export async function serve(files: Files, tls?: { readonly key: string; readonly cert: string }): Promise<TestServer> {
  const log: string[] = [];
  const listener = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const name = decodeURIComponent((request.url ?? "").replace(/^https?:\/\/[^/]*/, "").slice(1));
    log.push([name, request.headers.range ?? ""].join(" ").trim());
    if (served.handler?.(request, response, name) === true) return;
    answer(files, name, request, response);
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  server.keepAliveTimeout = 1;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const served: TestServer = {
    url: `http${tls === undefined ? "" : "s"}://127.0.0.1:${port}/`,
    files,
    log,
    handler: undefined,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return served;
}

const modified = new Date(nowMs - day).toUTCString();

function answer(files: Files, name: string, request: http.IncomingMessage, response: http.ServerResponse): void {
  const content = files.get(name);
  if (content === undefined) {
    response.writeHead(404).end();
    return;
  }
  if (request.headers["if-modified-since"] === modified) {
    response.writeHead(304).end();
    return;
  }
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from >= content.length && from > 0) {
    response.writeHead(416).end();
    return;
  }
  const range = from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(from > 0 ? 206 : 200, {
    "content-length": content.length - from,
    "last-modified": modified,
    ...range,
  });
  response.end(content.subarray(from));
}

export interface TestMachine extends AsyncDisposable {
  /** Where its `/` is, and its cache. */
  readonly root: string;
  readonly cache: string;
  /** Writes a file below its root. */
  write(file: string, content: string | Uint8Array): string;
  request(asked?: Partial<PackageRequest>): PackageRequest;
}

/** A machine whose apt has these settings, one source at this address, and the test archive's key. */
export function machine(
  url: string,
  options: { readonly suites?: string; readonly settings?: string; readonly extra?: string } = {},
): TestMachine {
  const folder = temporaryFolder();
  const write = (file: string, content: string | Uint8Array): string => {
    const whole = folder.join("root", file);
    fs.mkdirSync(path.dirname(whole), { recursive: true });
    fs.writeFileSync(whole, content);
    return whole;
  };
  const keyring = write("keys/archive.gpg", certificate(archiveKey));
  write(
    "etc/apt/sources.list.d/test.sources",
    `Types: deb\nURIs: ${url}\nSuites: ${options.suites ?? "bookworm"}\nComponents: main\nSigned-By: ${keyring}\n${options.extra ?? ""}`,
  );
  const configuration = write(
    "apt.conf",
    `Dir "${folder.join("root")}/";\nAcquire::Retries::Delay "false";\n${options.settings ?? ""}`,
  );
  return {
    root: folder.join("root"),
    cache: folder.join("cache"),
    write,
    request: (asked = {}) => ({
      release: "bookworm",
      architecture: "amd64",
      include: ["app"],
      priorities: [],
      cacheFolder: folder.join("cache"),
      env: { APT_CONFIG: configuration },
      nowMs,
      ...asked,
    }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
