import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import { after, before, suite, test } from "node:test";
import { fetchPackages, type PackageRequest } from "../../src/debian/index.ts";
import { addSuite, machine, serve, type Files } from "../debian/test-archive.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

suite("an archive over https, with a certificate that openssl has made", { skip: skipWithout("openssl") }, () => {
  let folder: TemporaryFolder;
  let tls: { readonly key: string; readonly cert: string };
  const files: Files = new Map();

  before(() => {
    folder = temporaryFolder();
    const [key, cert] = [folder.join("key.pem"), folder.join("cert.pem")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    runPeer("openssl", [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      ...subject,
      "-keyout",
      key,
      "-out",
      cert,
    ]);
    tls = { key: fs.readFileSync(key, "utf8"), cert: fs.readFileSync(cert, "utf8") };
    addSuite(files, "bookworm", { packages: [{ Package: "app" }] });
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
  });

  function trusting(): string {
    return `Acquire::https::CaInfo "${folder.join("cert.pem")}";`;
  }

  async function outcome(request: PackageRequest): Promise<string> {
    try {
      return (await fetchPackages(request)).packages.map(({ name }) => name).join(" ");
    } catch (error) {
      return (error as Error).message;
    }
  }

  test("only if its certificate is trusted", async () => {
    await using server = await serve(files, tls);
    await using home = machine(server.url);
    assert.match(
      await outcome(home.request()),
      /^cannot fetch "https:.*": its certificate cannot be trusted or TLS failed \(self-signed/,
    );
    await using trustful = machine(server.url, { settings: trusting() });
    assert.equal(await outcome(trustful.request()), "app");
  });

  test("not on to http", async () => {
    await using server = await serve(files, tls);
    server.handler = (_, response, name) => {
      response.writeHead(302, { location: `http://127.0.0.1:1/${name}` }).end();
      return true;
    };
    await using home = machine(server.url, { settings: trusting() });
    assert.match(
      await outcome(home.request()),
      /it leads to "http:\/\/127.0.0.1:1\/dists\/bookworm\/InRelease", which is not followed/,
    );
  });

  test("through a proxy, which sees no more than the host", async () => {
    await using server = await serve(files, tls);
    const seen = new Set<string>();
    const proxy = http.createServer((_, response) => response.writeHead(500).end());
    proxy.on("connect", (request, client: net.Socket) => {
      seen.add(request.url ?? "");
      const [host = "", port] = (request.url ?? "").split(":");
      const onward = net.connect(Number(port), host, () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        onward.pipe(client).pipe(onward);
      });
      for (const socket of [client, onward]) socket.on("error", () => socket.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const { port } = proxy.address() as net.AddressInfo;
    try {
      await using home = machine(server.url, {
        settings: `${trusting()} Acquire::http::Proxy "http://127.0.0.1:${port}";`,
      });
      assert.equal(await outcome(home.request()), "app");
      assert.deepEqual([...seen], [new URL(server.url).host]);
      proxy.removeAllListeners("connect");
      proxy.on("connect", (_, client: net.Socket) => client.end("HTTP/1.1 403 Forbidden\r\n\r\n"));
      await using refused = machine(server.url, {
        settings: `${trusting()} Acquire::Retries "0"; Acquire::http::Proxy "http://127.0.0.1:${port}";`,
      });
      assert.match(await outcome(refused.request()), /by the proxy http:\/\/127.0.0.1:\d+\/: the proxy refused/);
    } finally {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    }
  });
});
