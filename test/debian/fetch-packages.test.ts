import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as zlib from "node:zlib";
import { suite, test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { fetchPackages, type ChosenPackages, type PackageRequest } from "../../src/debian/index.ts";
import { armour, certificate, day } from "../openpgp/openpgp-maker.ts";
import {
  addSuite,
  archiveKey,
  contentOf,
  machine,
  nowMs,
  serve,
  strangeKey,
  type Files,
  type SuiteOptions,
  type TestServer,
} from "./test-archive.ts";

const packages = [
  { Package: "app", "Pre-Depends": "tool (>= 1.0)", Depends: "lib" },
  { Package: "lib", Version: "1:2.0~rc1" },
  { Package: "tool" },
];
const appFile = "pool/app_1.0_all.deb";
const index = "dists/bookworm/main/binary-amd64/Packages.gz";

function archive(options: Partial<SuiteOptions> = {}): Files {
  const files: Files = new Map();
  addSuite(files, "bookworm", { packages, ...options });
  return files;
}

/** The failure as a user sees it. */
async function failureOf(request: PackageRequest): Promise<Failure> {
  try {
    await fetchPackages(request);
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    assert.match(error.message, /^cannot /);
    return error;
  }
  throw new assert.AssertionError({ message: "nothing failed" });
}

async function refused(
  server: TestServer,
  options: { readonly settings?: string; readonly extra?: string } = {},
): Promise<string> {
  await using home = machine(server.url, options);
  const { code, message } = await failureOf(home.request());
  return `${code}: ${message.replaceAll(server.url, "URL/")}`;
}

function names({ packages: chosen }: ChosenPackages): string {
  return chosen.map(({ name }) => name).join(" ");
}

function assertWhole({ packages: chosen }: ChosenPackages): void {
  for (const { name, version, file } of chosen) assert.deepEqual(fs.readFileSync(file), contentOf(name, version), name);
}

suite("from the archive", () => {
  test("packages in their order, their files, the suites; nothing twice", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    const seen: number[] = [];
    const first = await fetchPackages(home.request(), {
      onProgress({ phase, doneBytes, totalBytes = 0 }) {
        if (phase === "fetching packages") seen.push(doneBytes / totalBytes);
      },
    });
    assert.equal(names(first), "tool lib app");
    assert.equal(seen.at(-1), 1);
    assertWhole(first);
    const [, , app] = first.packages;
    assert.equal(app?.control.get("Pre-Depends"), "tool (>= 1.0)");
    assert.deepEqual(
      [app?.version, app?.architecture, app?.priority, app?.section, app?.essential],
      ["1.0", "all", "optional", "misc", false],
    );
    assert.deepEqual(first.suites, [
      {
        url: server.url,
        suite: "bookworm",
        components: ["main"],
        codename: "bookworm",
        signedBy: archiveKey.fingerprint,
      },
    ]);
    assert.deepEqual(first.warnings, []);
    assert.ok(server.log.includes(index));
    server.log.length = 0;
    assert.deepEqual(await fetchPackages(home.request()), first);
    assert.deepEqual(server.log, ["dists/bookworm/InRelease"]);
  });

  test("by hash, with Release and Release.gpg, with an index for all architectures", async () => {
    const [app, lib, tool] = packages;
    await using server = await serve(
      archive({ byHash: true, isDetached: true, packages: [app!, lib!], indexOfAll: [tool!] }),
    );
    await using home = machine(server.url);
    assertWhole(await fetchPackages(home.request()));
    assert.equal(server.log.filter((line) => line.includes("by-hash/SHA256/")).length, 2);
    server.log.length = 0;
    assertWhole(await fetchPackages(home.request()));
    assert.ok(
      server.log.every((line) => line.startsWith("dists/bookworm/")),
      server.log.join(),
    );
  });

  test("an index that is listed only as it is compressed", async () => {
    await using server = await serve(archive({ isOnlyPacked: true }));
    await using home = machine(server.url);
    assertWhole(await fetchPackages(home.request()));
    server.log.length = 0;
    assertWhole(await fetchPackages(home.request()));
    assert.deepEqual(server.log, ["dists/bookworm/InRelease"]);
  });

  test("by hash on a mirror that has only the plain names", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url, { extra: "By-Hash: yes\n" });
    assertWhole(await fetchPackages(home.request()));
    assert.ok(server.log.some((line) => line.includes("by-hash/SHA256/")));
  });

  test("a name with a version, from another suite, and what has to be asked for", async () => {
    const files = archive();
    addSuite(files, "bookworm-updates", { packages: [{ Package: "lib", Version: "1:2.0" }] });
    addSuite(files, "bookworm-backports", {
      packages: [{ Package: "lib", Version: "1:3.0" }],
      fields: { NotAutomatic: "yes", ButAutomaticUpgrades: "yes" },
    });
    await using server = await serve(files);
    await using home = machine(server.url, { suites: "bookworm bookworm-updates bookworm-backports" });
    const versionOfLib = async (include: readonly string[]): Promise<string | undefined> => {
      const { packages: chosen } = await fetchPackages(home.request({ include }));
      return chosen.find(({ name }) => name === "lib")?.version;
    };
    assert.equal(await versionOfLib(["app"]), "1:2.0");
    assert.equal(await versionOfLib(["app", "lib=1:2.0~rc1"]), "1:2.0~rc1");
    assert.equal(await versionOfLib(["app", "lib=1:3.0"]), "1:3.0");
  });

  test("files of this machine", async () => {
    await using home = machine("file:/nowhere");
    for (const [file, content] of archive()) home.write(`mirror/${file}`, content);
    home.write("etc/apt/sources.list.d/test.sources", "");
    for (const scheme of ["file", "copy"]) {
      home.write(
        "etc/apt/sources.list",
        `deb [signed-by=${home.root}/keys/archive.gpg arch=amd64] ${scheme}:${home.root}/mirror bookworm main # here\n`,
      );
      assertWhole(await fetchPackages(home.request({ cacheFolder: `${home.cache}-${scheme}` })));
    }
  });

  test("a mirror and keyring that were given, without any apt", async () => {
    await using server = await serve(archive());
    await using home = machine("http://127.0.0.1:1/");
    const given = { mirrors: [server.url], keyrings: [`${home.root}/keys/archive.gpg`] };
    assertWhole(await fetchPackages(home.request(given)));
    assertWhole(await fetchPackages(home.request({ ...given, mirrors: [`${server.url} bookworm main`] })));
    assert.match(
      (await failureOf(home.request({ ...given, mirrors: [`${server.url} trixie`] }))).message,
      /dists\/trixie\/Release": it is not there/,
    );
    assert.match(
      (await failureOf(home.request({ ...given, mirrors: ["ftp://127.0.0.1/"] }))).message,
      /only http, https, file, copy/,
    );
  });

  test("several at once share a cache", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    for (const chosen of await Promise.all([1, 2, 3].map(() => fetchPackages(home.request())))) assertWhole(chosen);
    assert.deepEqual(
      fs.readdirSync(`${home.cache}/packages`).filter((name) => !name.endsWith(".deb")),
      [],
    );
  });
});

suite("what is on this machine", () => {
  test("without a network: the index that was verified, with a warning", async () => {
    await using server = await serve(archive({ validUntilMs: nowMs + day }));
    await using home = machine(server.url, { settings: 'Acquire::Retries "0";' });
    await fetchPackages(home.request());
    await server.stop();
    const offline = await fetchPackages(home.request());
    assertWhole(offline);
    assert.match(
      offline.warnings.join("\n"),
      /^cannot fetch ".*InRelease": the connection is refused; its index of 2026-05-31 is used/,
    );
    const later = await fetchPackages(home.request({ nowMs: nowMs + 9 * day }));
    assert.match(later.warnings.join("\n"), /it was valid until 2026-06-02T00:00:00Z/);
    assert.match(
      (await failureOf(home.request({ include: ["app"], cacheFolder: `${home.cache}-other` }))).message,
      /the connection is refused/,
    );
  });

  test("apt's own lists and packages are taken, if they are what the archive signed", async () => {
    const files = archive();
    await using server = await serve(files);
    await using home = machine(server.url);
    const list = `${server.url.slice(7).replace(/\/$/, "")}_dists_bookworm_main_binary-amd64_Packages`;
    const plain = zlib.gunzipSync(files.get(index)!);
    home.write(`var/lib/apt/lists/${list}`, plain);
    home.write("var/cache/apt/archives/lib_1%3a2.0~rc1_all.deb", contentOf("lib", "1:2.0~rc1"));
    home.write("var/cache/apt/archives/tool_1.0_all.deb", contentOf("tool", "1.1"));
    assertWhole(await fetchPackages(home.request()));
    assert.deepEqual(server.log.filter((line) => line !== "dists/bookworm/InRelease").toSorted(), [
      appFile,
      "pool/tool_1.0_all.deb",
    ]);
  });

  test("what was changed in the cache is fetched again", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    await fetchPackages(home.request());
    for (const folder of ["lists", "packages"]) {
      for (const name of fs.readdirSync(`${home.cache}/${folder}`)) {
        const file = `${home.cache}/${folder}/${name}`;
        const content = fs.readFileSync(file);
        content[100] = (content[100] ?? 0) ^ 1;
        fs.writeFileSync(file, content);
      }
    }
    server.log.length = 0;
    assertWhole(await fetchPackages(home.request()));
    assert.equal(server.log.length, 5);
  });
});

suite("an index that cannot be trusted", () => {
  const cases: readonly (readonly [what: string, options: Partial<SuiteOptions>, said: RegExp])[] = [
    [
      "of another key",
      { key: strangeKey },
      /^refused: cannot trust "URL\/dists\/bookworm\/InRelease": no key of .*archive.gpg has signed it/,
    ],
    [
      "past its end",
      { validUntilMs: nowMs - 1000 },
      /^refused: cannot use the index of .*: it was valid until 2026-05-31T23:59:59Z/,
    ],
    [
      "from the future",
      { dateMs: nowMs + day / 2 },
      /^refused: .* is still to come: the clock of this machine may be wrong/,
    ],
    [
      "of another suite",
      { codename: "buster", suite: "oldoldstable" },
      /^mismatch: cannot use .*: it is of buster \(oldoldstable\), bookworm is needed/,
    ],
    ["without checksums that are safe", { fields: { SHA256: "" } }, /^damaged: .* the field SHA256 is there twice/],
  ];
  for (const [what, options, said] of cases) {
    test(what, async () => {
      await using server = await serve(archive(options));
      assert.match(await refused(server), said);
      await using detached = await serve(archive({ ...options, isDetached: true }));
      assert.match((await refused(detached)).replace("/Release", "/InRelease"), said);
    });
  }

  test("changed after it was signed, or not signed at all", async () => {
    const files = archive();
    const release = files.get("dists/bookworm/InRelease")!;
    files.set("dists/bookworm/InRelease", Buffer.from(release.toString().replace("Origin: Debian", "Origin: Evilan")));
    await using server = await serve(files);
    assert.match(await refused(server), /^mismatch: cannot trust .* was changed or damaged/);
    files.set("dists/bookworm/InRelease", Buffer.from("Origin: Debian\n"));
    assert.match(await refused(server), /^damaged: cannot trust .* does not begin as a signed message does/);
    files.delete("dists/bookworm/InRelease");
    files.set("dists/bookworm/Release", release);
    assert.match(await refused(server), /^refused: cannot trust "URL\/dists\/bookworm\/Release": it is not signed/);
  });

  test("apt's settings say whether dates and signatures count", async () => {
    await using old = await serve(archive({ validUntilMs: nowMs - day, dateMs: nowMs - 2 * day }));
    for (const options of [
      { settings: 'Acquire::Check-Valid-Until "false";' },
      { extra: "Check-Valid-Until: no\n" },
      { settings: 'acquire::check-date "no";' },
    ]) {
      await using home = machine(old.url, options);
      assertWhole(await fetchPackages(home.request()));
    }
    await using strange = await serve(archive({ key: strangeKey }));
    await using home = machine(strange.url, { extra: "Trusted: yes\n" });
    const chosen = await fetchPackages(home.request());
    assert.match(chosen.warnings.join(), /is used without a signature, since apt's sources say that it is trusted/);
    assert.equal(chosen.suites[0]?.signedBy, "");
  });

  test("older than the one before: the newer one is used", async () => {
    const files = archive();
    await using server = await serve(files);
    await using home = machine(server.url);
    await fetchPackages(home.request());
    addSuite(files, "bookworm", {
      packages: packages.map((one) => ({ ...one, Version: "0.9" })),
      dateMs: nowMs - 9 * day,
    });
    server.handler = (request) => {
      delete request.headers["if-modified-since"];
      return false;
    };
    const chosen = await fetchPackages(home.request());
    assertWhole(chosen);
    assert.equal(chosen.packages[1]?.version, "1:2.0~rc1");
    assert.match(chosen.warnings.join(), /gives out an index of 2026-05-23, older than that of 2026-05-31/);
  });
});

suite("files that are not what was signed", () => {
  test("an index, a package, an index that unpacks to something else", async () => {
    const files = archive();
    const [good, package_] = [files.get(index)!, files.get(appFile)!];
    await using server = await serve(files);
    files.set(index, Buffer.from(good).fill(7, 20, 25));
    assert.match(await refused(server), /^mismatch: cannot use "URL\/.*Packages.gz": its SHA-256 is not the one/);
    files.set(index, Buffer.concat([good, good]));
    assert.match(await refused(server), /it has more than the \d+ bytes/);
    files.set(index, good);
    files.set(appFile, Buffer.from(package_).fill(7, 20, 25));
    await using home = machine(server.url);
    assert.match(
      (await failureOf(home.request())).message,
      /^cannot use ".*app_1.0_all.deb": its SHA-256 is not the one that the signed index has/,
    );
    assert.deepEqual(
      fs.readdirSync(`${home.cache}/packages`).filter((name) => name.startsWith("app")),
      [],
    );
    files.set(appFile, package_.subarray(0, 100));
    assert.match((await failureOf(home.request())).message, /it ends after 100 bytes, of \d+/);
    files.delete(appFile);
    const absent = await failureOf(home.request());
    assert.equal(
      `${absent.code}: ${absent.message.replace(server.url, "URL/")}`,
      'not-found: cannot fetch "URL/pool/app_1.0_all.deb": it is not there (HTTP 404)',
    );
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["Filename", /app has no proper Filename, Size and SHA256/],
    ["SHA256", /app has no proper Filename/],
    ["Size", /app has no proper Filename/],
    ["Depends", /Depends of app.*names no package/],
  ];
  for (const [field, said] of wrong) {
    test(`a stanza whose ${field} is none`, async () => {
      const value = field === "Filename" ? "pool/../../../etc/passwd" : "(";
      await using server = await serve(archive({ packages: [{ Package: "app", [field]: value }] }));
      assert.match(await refused(server), said);
    });
  }

  test("a package whose name or version would leave the folder", async () => {
    for (const one of [{ Package: "../app" }, { Package: "app", Version: "1/../../x" }]) {
      await using server = await serve(archive({ packages: [one] }));
      assert.match(await refused(server), /without a proper name and version/);
    }
  });
});

suite("a network that is not perfect", () => {
  test("what breaks off goes on from there, in the same run and in the next one", async () => {
    await using server = await serve(archive());
    let broken = 0;
    const breakOff = (times: number): void => {
      broken = 0;
      server.handler = (request, response, name) => {
        if (name !== appFile || broken >= times) return false;
        broken++;
        const from = Number(/\d+/.exec(request.headers.range ?? "")?.[0] ?? 0);
        const content = server.files.get(appFile)!;
        response.writeHead(from > 0 ? 206 : 200, {
          "content-length": content.length - from,
          "content-range": `bytes ${from}-${content.length - 1}/${content.length}`,
        });
        response.write(content.subarray(from, from + 1000), () => response.destroy());
        return true;
      };
    };
    await using home = machine(server.url);
    breakOff(2);
    assertWhole(await fetchPackages(home.request()));
    assert.deepEqual(
      server.log.filter((line) => line.startsWith(appFile)),
      [appFile, `${appFile} bytes=1000-`, `${appFile} bytes=2000-`],
    );

    await using second = machine(server.url, { settings: 'Acquire::Retries "0";' });
    breakOff(1);
    assert.match((await failureOf(second.request())).message, /the connection broke off/);
    server.log.length = 0;
    assertWhole(await fetchPackages(second.request()));
    assert.ok(server.log.includes(`${appFile} bytes=1000-`), server.log.join());
  });

  test("a server that ends too soon without saying how much there is", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    server.handler = (request, response, name) => {
      if (name !== appFile) return false;
      const content = server.files.get(appFile)!;
      const from = Number(/\d+/.exec(request.headers.range ?? "")?.[0] ?? 0);
      response.useChunkedEncodingByDefault = false;
      response.writeHead(from > 0 ? 206 : 200, {
        connection: "close",
        "content-range": `bytes ${from}-${content.length - 1}/${content.length}`,
      });
      response.end(content.subarray(from, from === 0 ? 1000 : undefined));
      return true;
    };
    assertWhole(await fetchPackages(home.request()));
    assert.ok(server.log.includes(`${appFile} bytes=1000-`), server.log.join());
  });

  test("what was left of another file is not kept", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    const { packages: chosen } = await fetchPackages(home.request());
    const file = chosen.find(({ name }) => name === "app")!.file;
    for (const left of [
      Buffer.alloc(100),
      Buffer.alloc(100_000_0),
      contentOf("app", "1.0"),
      Buffer.alloc(contentOf("app", "1.0").length),
    ]) {
      fs.rmSync(file);
      fs.writeFileSync(`${file}.part`, left);
      assertWhole(await fetchPackages(home.request()));
    }
  });

  test("a server that knows no ranges", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    const { packages: chosen } = await fetchPackages(home.request());
    const file = chosen.find(({ name }) => name === "app")!.file;
    fs.rmSync(file);
    fs.writeFileSync(`${file}.part`, contentOf("app", "1.0").subarray(0, 500));
    server.handler = (request) => {
      delete request.headers.range;
      return false;
    };
    assertWhole(await fetchPackages(home.request()));
  });

  test("errors that may pass are tried again, others are not", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    for (const [status, tries] of [
      [503, 4],
      [403, 1],
    ] as const) {
      server.log.length = 0;
      server.handler = (_, response) => {
        response.writeHead(status).end();
        return true;
      };
      assert.match((await failureOf(home.request())).message, new RegExp(`HTTP ${status}`));
      assert.equal(server.log.length, tries);
    }
  });

  test("a server that says nothing", async () => {
    await using server = await serve(archive());
    server.handler = () => true;
    assert.match(
      await refused(server, { settings: 'Acquire::http::Timeout "1"; Acquire::Retries "0";' }),
      /there is no answer/,
    );
  });

  test("redirections are followed, but not in a circle nor to other protocols", async () => {
    await using behind = await serve(archive());
    await using server = await serve(new Map());
    let target = (name: string): string => `${behind.url}${name}`;
    server.handler = (_, response, name) => {
      response.writeHead(302, { location: target(name) }).end();
      return true;
    };
    await using home = machine(server.url);
    assertWhole(await fetchPackages(home.request()));
    target = (name) => `/${name}`;
    assert.match(await refused(server), /leads on more than 10 times/);
    target = () => "file:///etc/passwd";
    assert.match(await refused(server), /leads to "file:\/\/\/etc\/passwd", which is not followed/);
  });

  test("https where none is spoken", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url.replace("http:", "https:"));
    assert.match((await failureOf(home.request())).message, /its certificate cannot be trusted or TLS failed/);
  });

  test("it can be stopped, and goes on later", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    const stop = new AbortController();
    server.handler = (_, response, name) => {
      if (name !== appFile) return false;
      response.writeHead(200, { "content-length": contentOf("app", "1.0").length });
      response.write(contentOf("app", "1.0").subarray(0, 1000), () => stop.abort());
      return true;
    };
    await assert.rejects(
      fetchPackages(home.request(), { signal: stop.signal }),
      (error) => error instanceof Failure && error.code === "interrupted",
    );
    server.handler = undefined;
    assertWhole(await fetchPackages(home.request()));
  });

  test("a cache that cannot be written", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    home.write("file", "");
    assert.match(
      (await failureOf(home.request({ cacheFolder: `${home.root}/file` }))).message,
      /^cannot write ".*file\/lists": not a directory/,
    );
  });
});

suite("proxies", () => {
  interface Proxy extends AsyncDisposable {
    readonly address: string;
    readonly log: string[];
  }

  /** Forwards what it is asked for with whole addresses; wants `name:secret` if told so. */
  async function proxy(login?: string): Promise<Proxy> {
    const log: string[] = [];
    const server = http.createServer((request, response) => {
      log.push(request.url ?? "");
      const given = Buffer.from(
        (request.headers["proxy-authorization"] ?? "").replace("Basic ", ""),
        "base64",
      ).toString();
      if (login !== undefined && given !== login) {
        response.writeHead(407).end();
        return;
      }
      http.get(request.url ?? "", { headers: request.headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    return {
      address: `127.0.0.1:${port}`,
      log,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  test("apt's, one for a host, none for a host, the environment's", async () => {
    await using server = await serve(archive());
    await using by = await proxy();
    const cases: readonly (readonly [settings: string, env: NodeJS.ProcessEnv, isUsed: boolean])[] = [
      [`Acquire::http::Proxy "http://${by.address}/";`, {}, true],
      [`Acquire { http { Proxy { 127.0.0.1 "http://${by.address}"; } } };`, {}, true],
      [`Acquire::http::Proxy "http://${by.address}/"; Acquire::http::Proxy::127.0.0.1 "DIRECT";`, {}, false],
      ["", { http_proxy: `http://${by.address}` }, true],
      ["", { http_proxy: by.address, no_proxy: "example.org, 127.0.0.1" }, false],
      ['Acquire::http::Proxy "DIRECT";', { http_proxy: `http://${by.address}` }, false],
    ];
    for (const [settings, env, isUsed] of cases) {
      by.log.length = 0;
      await using home = machine(server.url, { settings });
      const request = home.request();
      assertWhole(await fetchPackages({ ...request, env: { ...request.env, ...env } }));
      assert.equal(by.log.length > 0, isUsed, settings);
      if (isUsed) assert.ok(by.log.includes(`${server.url}${appFile}`), by.log.join());
    }
  });

  test("one that wants a password, one that is not there, one of another kind", async () => {
    await using server = await serve(archive());
    await using by = await proxy("name:secret");
    await using home = machine(server.url, { settings: `Acquire::http::Proxy "http://name:secret@${by.address}";` });
    assertWhole(await fetchPackages(home.request()));
    const without = await refused(server, { settings: `Acquire::http::Proxy "http://${by.address}";` });
    assert.match(without, /the proxy http:\/\/127.0.0.1:\d+\/ wants a name and password/);
    const absent = await refused(server, {
      settings: 'Acquire::Retries "0"; Acquire::http::Proxy "http://name:secret@127.0.0.1:1";',
    });
    assert.match(absent, /by the proxy http:\/\/127.0.0.1:1\/: the connection is refused/);
    const socks = await refused(server, { settings: 'Acquire::http::Proxy "socks5h://127.0.0.1:1";' });
    assert.match(socks, /^unsupported: cannot use the proxy of "acquire::http::proxy": it is no http or https address/);
  });
});

suite("which sources", () => {
  test("refused by name: ways to fetch that are not spoken here", async () => {
    for (const url of ["mirror+file:/etc/apt/mirrors", "tor+http://example.org/", "ftp://example.org/"]) {
      await using home = machine(url);
      const { message } = await failureOf(home.request());
      assert.ok(message.includes(`"${url.replace(/[^/]$/, "$&/")}" of `), message);
      assert.match(message, /is not used: only http, https, file, copy are fetched from/);
    }
  });

  test("a mirror's suite by another name of the release, but of no other release", async () => {
    const files = archive();
    addSuite(files, "trixie", { packages: [{ Package: "app" }], suite: "testing" });
    addSuite(files, "stable", { packages, codename: "bookworm" });
    await using server = await serve(files);
    await using home = machine("http://127.0.0.1:1/");
    const given = { keyrings: [`${home.root}/keys/archive.gpg`] };
    assertWhole(await fetchPackages(home.request({ ...given, mirrors: [`${server.url} stable`] })));
    const failure = await failureOf(home.request({ ...given, mirrors: [`${server.url} trixie`] }));
    assert.match(failure.message, /its trixie is of trixie, bookworm is needed/);
  });

  test("another name of the release is found in the Release files", async () => {
    const files = archive();
    addSuite(files, "trixie", { packages: [{ Package: "app", Version: "2.0" }], suite: "testing" });
    await using server = await serve(files);
    await using home = machine(server.url, { suites: "bookworm trixie gone" });
    const version = async (release: string): Promise<string | undefined> => {
      return (await fetchPackages(home.request({ release }))).packages.find(({ name }) => name === "app")?.version;
    };
    assert.equal(await version("stable"), "1.0");
    assert.equal(await version("testing"), "2.0");
    const failure = await failureOf(home.request({ release: "sid" }));
    assert.equal(
      failure.message,
      'cannot find packages of "sid": the apt sources of this machine are for bookworm, trixie, gone',
    );
    assert.match(failure.hint ?? "", /--mirror/);
  });

  test("none at all, none that can be used, none for the architecture", async () => {
    await using home = machine("http://127.0.0.1:1/", { settings: 'Dir::Etc::sourceparts "/dev/null";' });
    assert.match((await failureOf(home.request())).message, /this machine has no apt sources for amd64/);
    await using cdrom = machine("cdrom:[Debian]/");
    cdrom.write("etc/apt/sources.list.d/test.sources", "");
    cdrom.write("etc/apt/sources.list", "deb cdrom:[Debian GNU/Linux 12]/ bookworm main\n");
    assert.match(
      (await failureOf(cdrom.request())).message,
      /"cdrom:\[Debian GNU\/Linux 12\]\/" of .*sources.list:1 is not used: only http/,
    );
    await using server = await serve(archive());
    await using other = machine(server.url);
    assert.match(
      (await failureOf(other.request({ architecture: "riscv64" }))).message,
      /for riscv64: these archives have none/,
    );
  });

  test("those of other makers with a suite of the same name are left out", async () => {
    await using theirs = await serve(archive({ packages: [{ Package: "app", Version: "9" }], origin: "Docker" }));
    await using server = await serve(archive());
    await using home = machine(server.url);
    home.write("etc/apt/sources.list", `deb [signed-by=${home.root}/keys/archive.gpg] ${theirs.url} bookworm main\n`);
    const chosen = await fetchPackages(home.request());
    assert.equal(chosen.packages.find(({ name }) => name === "app")?.version, "1.0");
    assert.match(chosen.warnings.join(), /is not used: it is of Docker, not of Debian/);
  });

  test("what apt goes by and is not read is said", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url, { settings: 'Acquire::http::Proxy-Auto-Detect "/usr/bin/true";' });
    home.write("etc/apt/preferences.d/pins", "Package: *\nPin: release a=stable\nPin-Priority: 1\n");
    home.write("etc/apt/preferences.d/none.txt", "Package: *\n");
    const { warnings } = await fetchPackages(home.request());
    assert.equal(warnings.length, 2);
    assert.match(warnings.join(), /finds its proxy by a program.*preferences in ".*pins" are not read/);
  });

  test("keys in the source itself, by fingerprint, or those that apt trusts", async () => {
    await using server = await serve(archive());
    const key = armour("PUBLIC KEY BLOCK", certificate(archiveKey));
    const embedded = key
      .trimEnd()
      .split("\n")
      .map((line) => ` ${line === "" ? "." : line}`)
      .join("\n");
    const source = (signedBy: string): string =>
      `Types: deb\nURIs: ${server.url}\nSuites: bookworm\nComponents: main\n${signedBy}`;
    const cases: readonly (readonly [signedBy: string, isTrusted: boolean, isTaken: boolean])[] = [
      [`Signed-By:\n${embedded}\n`, false, true],
      [`Signed-By: ${archiveKey.fingerprint}\n`, true, true],
      [`Signed-By: ${strangeKey.fingerprint}\n`, true, false],
      ["", true, true],
      ["", false, false],
    ];
    for (const [signedBy, isTrusted, isTaken] of cases) {
      await using home = machine(server.url);
      home.write("etc/apt/sources.list.d/test.sources", source(signedBy));
      if (isTrusted) home.write("etc/apt/trusted.gpg.d/archive.asc", key);
      home.write("etc/apt/trusted.gpg.d/broken.gpg", "KBXf");
      home.write("etc/apt/trusted.gpg.d/empty.gpg", "");
      if (isTaken) assertWhole(await fetchPackages(home.request()));
      else assert.match((await failureOf(home.request())).message, /has signed it/);
    }
  });

  test("a keyring that is not there", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    const failure = await failureOf(home.request({ keyrings: [`${home.root}/absent.gpg`] }));
    assert.match(failure.message, /^cannot read the keyring ".*absent.gpg": no such file/);
  });
});

suite("what runs before have left", () => {
  test("a run that was killed: the next one goes on; two at once both have all", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    server.handler = (_, response, name) => {
      if (name !== appFile) return false;
      response.writeHead(200, { "content-length": contentOf("app", "1.0").length });
      response.write(contentOf("app", "1.0").subarray(0, 1000));
      return true;
    };
    const first = inProcess(home.request());
    // All but the rest of one package has come in: now the process is killed.
    const killAt = contentOf("lib", "1:2.0~rc1").length + contentOf("tool", "1.0").length + 1000;
    first.child.stderr?.on("data", (text: Buffer) => {
      if (text.toString().split("\n").includes(String(killAt))) first.child.kill("SIGKILL");
    });
    assert.equal((await first.ended).status, null);
    server.handler = undefined;
    server.log.length = 0;
    const both = await Promise.all([inProcess(home.request()).ended, inProcess(home.request()).ended]);
    assert.deepEqual(both, [
      { status: 0, output: "tool lib app\n" },
      { status: 0, output: "tool lib app\n" },
    ]);
    assert.ok(
      server.log.some((line) => line.startsWith(`${appFile} bytes=`)),
      server.log.join(),
    );
    assertWhole(await fetchPackages(home.request()));
  });

  test("old leftovers are cleared away, new ones are not", async () => {
    await using server = await serve(archive());
    await using home = machine(server.url);
    await fetchPackages(home.request());
    const folder = `${home.cache}/packages`;
    for (const [name, age] of [
      ["old.part", 40],
      ["new.part", 20],
      ["old.new", 2],
      ["new.new", 0],
    ] as const) {
      fs.writeFileSync(`${folder}/${name}`, "");
      fs.utimesSync(`${folder}/${name}`, nowMs / 1000, (nowMs - age * day) / 1000);
    }
    await fetchPackages(home.request());
    assert.deepEqual(
      fs
        .readdirSync(folder)
        .filter((name) => !name.endsWith(".deb"))
        .toSorted(),
      ["new.new", "new.part"],
    );
  });

  test(
    "a disk that takes no more: what is there stays, and the next run goes on",
    { skip: process.platform !== "linux" },
    async () => {
      await using server = await serve(archive());
      await using home = machine(server.url);
      const full = inProcess(home.request(), "ulimit -f 16; ");
      let said = "";
      full.child.stderr?.on("data", (text: Buffer) => (said += text.toString()));
      assert.equal((await full.ended).status, 1);
      assert.match(said, /cannot write ".*_all_[0-9a-f]{16}.deb": file too large/);
      assert.deepEqual(
        fs.readdirSync(`${home.cache}/packages`).filter((name) => name.endsWith(".deb")),
        [],
      );
      assertWhole(await fetchPackages(home.request()));
    },
  );

  interface Run {
    readonly child: ChildProcess;
    readonly ended: Promise<{ readonly status: number | null; readonly output: string }>;
  }

  function inProcess(request: PackageRequest, before = ""): Run {
    const fixture = `${import.meta.dirname}/fetch-packages-fixture.ts`;
    const command = `${before}exec "$0" "$@"`;
    const child = spawn("sh", ["-c", command, process.execPath, fixture, JSON.stringify(request)], { stdio: "pipe" });
    let output = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString()));
    return { child, ended: new Promise((resolve) => child.on("close", (status) => resolve({ status, output }))) };
  }
});

suite("a server that wants a password", () => {
  test("apt's auth.conf has it; without it the error says what is missing, and shows no password", async () => {
    await using server = await serve(archive());
    server.handler = (request, response) => {
      if (request.headers.authorization === `Basic ${Buffer.from("me:secret").toString("base64")}`) return false;
      response.writeHead(401).end();
      return true;
    };
    const { host, port } = new URL(server.url);
    await using home = machine(server.url);
    assert.match((await failureOf(home.request())).message, /it wants a name and password \(HTTP 401\)/);
    home.write(
      "etc/apt/auth.conf",
      `# comment\nmachine http://other login x password y\nmachine http://${host}/pool login me\n password secret`,
    );
    assert.match((await failureOf(home.request())).message, /InRelease": it wants a name/);
    home.write(
      "etc/apt/auth.conf.d/b.conf",
      `machine ${host} login no password no\nmachine http://127.0.0.1:${port} login me password secret\n`,
    );
    assertWhole(await fetchPackages(home.request()));

    await using inAddress = machine(server.url.replace("//", "//me:secret@"));
    const chosen = await fetchPackages(inAddress.request());
    assertWhole(chosen);
    assert.equal(chosen.suites[0]?.url, server.url);
    await using wrong = machine(server.url.replace("//", "//me:wrong@"));
    assert.doesNotMatch((await failureOf(wrong.request())).message, /wrong/);
  });
});
