/** Packages are fetched by networks that are not perfect, through proxies, with a password. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as http from "node:http";
import { suite, test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { fetchPackages } from "../../src/debian/index.ts";
import { appFile, archive, failureOf, refused, assertWhole } from "./sample-archive.ts";
import { contentOf, machine, serve } from "./test-archive.ts";

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
