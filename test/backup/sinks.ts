/** Servers on this machine's loopback interface that take what they are sent. */
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";

export interface Sink<Taken> extends AsyncDisposable {
  readonly port: number;
  /** What was taken, in its order. */
  readonly taken: readonly Taken[];
}

export interface TakenPost {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A web server that answers with these statuses, then with 204. */
export async function httpSink(...statuses: readonly number[]): Promise<Sink<TakenPost>> {
  const taken: TakenPost[] = [];
  const left = [...statuses];
  const server = http.createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (piece: string) => (body += piece));
    request.on("end", () => {
      taken.push({ headers: request.headers, body });
      response.writeHead(left.shift() ?? 204).end();
    });
  });
  return { taken, ...(await listening(server)) };
}

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** What AUTH PLAIN said. */
  readonly login?: string;
  readonly data: string;
}

type Listener = (serve: (socket: net.Socket) => void) => net.Server;

/** A mail server (RFC 5321) that takes everything, and any password. */
export async function smtpSink(listener: Listener = net.createServer): Promise<Sink<TakenMail>> {
  const taken: TakenMail[] = [];
  const server = listener((socket) => serveMail(socket, (mail) => taken.push(mail)));
  return { taken, ...(await listening(server)) };
}

function serveMail(socket: net.Socket, onMail: (mail: TakenMail) => void): void {
  const say = (text: string): boolean => socket.write(`${text}\r\n`);
  const state = {
    from: "",
    to: [] as string[],
    login: undefined as string | undefined,
    data: undefined as string[] | undefined,
  };
  const hear = (line: string): unknown => {
    if (state.data !== undefined) {
      if (line !== ".") return state.data.push(line.replace(/^\.\./, "."));
      const { from, to, login, data } = state;
      onMail({ from, to, data: data.join("\n"), ...(login === undefined ? {} : { login }) });
      state.data = undefined;
      return say("250 taken");
    }
    const [, address = ""] = /<(.*)>/.exec(line) ?? [];
    if (line.startsWith("EHLO")) return say("250-sink\r\n250 AUTH PLAIN");
    if (line.startsWith("AUTH PLAIN ")) {
      state.login = Buffer.from(line.slice(11), "base64").toString().replaceAll("\0", " ").trim();
      return say("235 come in");
    }
    if (line.startsWith("MAIL")) state.from = address;
    else if (line.startsWith("RCPT")) state.to.push(address);
    else if (line === "DATA") {
      state.data = [];
      return say("354 go on");
    } else if (line === "QUIT") return socket.end("221 bye\r\n");
    return say("250 yes");
  };
  let text = "";
  socket.setEncoding("utf8");
  socket.on("error", () => undefined);
  socket.on("data", (piece: string) => {
    const lines = (text + piece).split("\r\n");
    text = lines.pop() ?? "";
    for (const line of lines) hear(line);
  });
  say("220 sink");
}

async function listening(server: net.Server): Promise<{ readonly port: number } & AsyncDisposable> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      if (server instanceof http.Server) server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
