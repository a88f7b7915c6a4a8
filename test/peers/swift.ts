/** OpenStack Swift with its S3 interface, as ordinary processes on ports of their own. */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import { temporaryFolder } from "../temp.ts";
import { runPeer } from "./peer.ts";
import { endServer, freePort, startServer } from "./server.ts";

export interface S3Server extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  /** What an account's keys are looked for in. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends what answers; what is stored stays. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const keys = { AWS_ACCESS_KEY_ID: "test:tester", AWS_SECRET_ACCESS_KEY: "testing" };
/** Debian's own, whatever other one is in front of it. */
const python = "/usr/bin/python3";

export const swiftNeeds = [
  python,
  "swift-proxy-server",
  "swift-account-server",
  "swift-container-server",
  "swift-object-server",
];

const storing = ["account", "container", "object"] as const;

/** One ring for each kind of server, with one disk in it. */
const makeRings = `
import json, sys
from swift.common.ring import RingBuilder
folder, ports = sys.argv[1], json.loads(sys.argv[2])
for kind, port in ports.items():
    builder = RingBuilder(2, 1, 1)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "disk", "weight": 1,
                     "replication_ip": "127.0.0.1", "replication_port": port, "meta": ""})
    builder.rebalance()
    builder.get_ring().save(f"{folder}/{kind}.ring.gz")
`;

export async function startSwift(): Promise<S3Server> {
  const folder = temporaryFolder();
  fs.mkdirSync(folder.join("disks", "disk"), { recursive: true });
  const ports = new Map<string, number>();
  for (const kind of [...storing, "proxy"]) ports.set(kind, await freePort());
  const ringPorts = Object.fromEntries(storing.map((kind) => [kind, ports.get(kind)]));
  runPeer(python, ["-c", makeRings, folder.path, JSON.stringify(ringPorts)]);
  for (const [kind, port] of ports) fs.writeFileSync(folder.join(`${kind}.conf`), configOf(kind, port, folder.path));
  const running = new Map<string, ChildProcess>();
  const start = async (kind: string): Promise<void> => {
    const child = startServer(`swift-${kind}-server`, [folder.join(`${kind}.conf`)], ports.get(kind) ?? 0);
    running.set(kind, await child);
  };
  const port = ports.get("proxy") ?? 0;
  const server: S3Server = {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    env: { ...keys, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, AWS_REGION: "us-east-1" },
    kill: () => endServer(running.get("proxy")),
    start: () => start("proxy"),
    async [Symbol.asyncDispose]() {
      for (const child of running.values()) await endServer(child);
      await folder[Symbol.asyncDispose]();
    },
  };
  const started = await Promise.allSettled([...ports.keys()].map(start));
  const failed = started.find((one) => one.status === "rejected");
  if (failed === undefined) return server;
  await server[Symbol.asyncDispose]();
  throw failed.reason;
}

function configOf(kind: string, port: number, folder: string): string {
  const common = [
    "[DEFAULT]",
    "bind_ip = 127.0.0.1",
    `bind_port = ${port}`,
    "workers = 0",
    `user = ${os.userInfo().username}`,
    `swift_dir = ${folder}`,
    `devices = ${folder}/disks`,
    "mount_check = false",
    "fallocate_reserve = 0",
    "log_level = INFO",
    "",
  ];
  if (kind !== "proxy") {
    return [
      ...common,
      "[pipeline:main]",
      `pipeline = ${kind}-server`,
      `[app:${kind}-server]`,
      `use = egg:swift#${kind}`,
      "",
    ].join("\n");
  }
  // A cache must be there; that nothing answers does no harm.
  const filters = {
    catch_errors: "",
    memcache: "memcache_servers = 127.0.0.1:1",
    s3api: "s3_acl = false",
    tempauth: "user_test_tester = testing .admin",
    slo: "",
  };
  return [
    ...common,
    "[pipeline:main]",
    `pipeline = ${Object.keys(filters).join(" ")} proxy-server`,
    ...Object.entries(filters).flatMap(([name, more]) => [`[filter:${name}]`, `use = egg:swift#${name}`, more]),
    "[app:proxy-server]",
    "use = egg:swift#proxy",
    "account_autocreate = true",
    "",
  ].join("\n");
}
