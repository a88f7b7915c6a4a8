import { Server, type Socket } from "node:net";
import { TLSSocket, type SecureContext } from "node:tls";
import type { CertificateHolder } from "../connection.ts";
import { plainAlert, sealedAlert, type HandshakeRefusal } from "./alert.ts";

/** What a client's certificate came to. */
export type HandshakeVerdict =
  | { readonly holder: CertificateHolder; readonly refusal?: undefined }
  | { readonly holder?: undefined; readonly refusal: HandshakeRefusal };

export interface HandshakeOptions {
  readonly context: SecureContext;
  readonly timeoutMs: number;
  /** Decides by the certificate (DER). */
  readonly verify: (certificate: Uint8Array) => HandshakeVerdict;
}

export interface ShakenHands {
  readonly socket: TLSSocket;
  readonly holder: CertificateHolder;
}

/** A handshake that came to nothing: refused by us, or broken off by the client. */
export class HandshakeEnd extends Error {
  /** Absent where it is not this side that refused. */
  readonly refusal: HandshakeRefusal | undefined;
  constructor(why: string, refusal?: HandshakeRefusal) {
    super(why);
    this.refusal = refusal;
  }
}

/**
 * Makes TLS of a new connection. Nothing of ours but the handshake leaves before the certificate was verified. Rejects
 * with a `HandshakeEnd`; the client was told why by an alert then, and the socket is closed.
 *
 * OpenSSL's own verdict is not asked for, since what it checks is all in `verify`, which knows the mailbox and what to do
 * once a list is past its end. That the client has the key of its certificate OpenSSL checks anyway. Sessions are not
 * resumed: each connection shows its certificate anew.
 */
export function shakeHands(raw: Socket, { context, timeoutMs, verify }: HandshakeOptions): Promise<ShakenHands> {
  return new Promise((resolve, reject) => {
    // Of TLS 1.2 this event comes when the client has shown its certificate, and holds back our last flight.
    const gate = new Server();
    const socket = new TLSSocket(raw, {
      isServer: true,
      server: gate,
      secureContext: context,
      requestCert: true,
      rejectUnauthorized: true, // without a certificate OpenSSL refuses
    });
    const handshake = new Handshake(raw, socket, verify);
    const timer = setTimeout(() => end(new HandshakeEnd("it took too long")), timeoutMs);
    const onError = (error: NodeJS.ErrnoException): void => end(endOf(error));
    const onClose = (): void => end(new HandshakeEnd("the client hung up"));
    const forget = (): void => {
      clearTimeout(timer);
      gate.removeAllListeners();
      for (const [name, listener] of listeners) socket.off(name, listener as () => void);
      raw.off("error", onError);
    };
    const end = (why: HandshakeEnd): void => {
      forget();
      socket.on("error", () => undefined);
      raw.on("error", () => undefined);
      if (why.refusal === undefined) socket.destroy();
      reject(why);
    };
    const listeners = [
      ["error", onError],
      ["close", onClose],
      ["keylog", (line: Buffer) => handshake.keepSecret(line)],
      [
        "secure",
        () => {
          const verdict = handshake.decide();
          if (verdict.refusal !== undefined) return end(new HandshakeEnd(verdict.refusal, verdict.refusal));
          forget();
          resolve({ socket, holder: verdict.holder });
        },
      ],
    ] as const;
    for (const [name, listener] of listeners) socket.on(name, listener as () => void);
    raw.on("error", onError);
    gate.on("newSession", (_id: Buffer, _session: Buffer, goOn: () => void) => {
      if (socket.getProtocol() === "TLSv1.2") {
        const verdict = handshake.decide();
        if (verdict.refusal !== undefined) return end(new HandshakeEnd(verdict.refusal, verdict.refusal));
      }
      goOn();
    });
  });
}

class Handshake {
  readonly #raw: Socket;
  readonly #socket: TLSSocket;
  readonly #verify: HandshakeOptions["verify"];
  #verdict: HandshakeVerdict | undefined;
  #secret: Uint8Array | undefined;

  constructor(raw: Socket, socket: TLSSocket, verify: HandshakeOptions["verify"]) {
    this.#raw = raw;
    this.#socket = socket;
    this.#verify = verify;
  }

  keepSecret(line: Buffer): void {
    const [label, , secret = ""] = line.toString("latin1").trim().split(" ");
    if (label === "SERVER_TRAFFIC_SECRET_0") this.#secret = Buffer.from(secret, "hex");
  }

  /** Verifies once; where the certificate is refused, tells the client so and hangs up. */
  decide(): HandshakeVerdict {
    if (this.#verdict !== undefined) return this.#verdict;
    const certificate = this.#socket.getPeerX509Certificate()?.raw;
    this.#verdict = certificate === undefined ? { refusal: "no certificate" } : this.#verify(certificate);
    if (this.#verdict.refusal !== undefined) this.#refuse(this.#verdict.refusal);
    return this.#verdict;
  }

  #refuse(refusal: HandshakeRefusal): void {
    const alert = this.#alert(refusal);
    const hangUp = (): void => void this.#socket.destroy();
    if (alert === undefined || this.#raw.destroyed) hangUp();
    else this.#raw.write(alert, hangUp);
  }

  #alert(refusal: HandshakeRefusal): Uint8Array | undefined {
    if (this.#socket.getProtocol() === "TLSv1.2") return plainAlert(refusal);
    if (this.#secret === undefined) return undefined;
    return sealedAlert(refusal, { secret: this.#secret, cipher: this.#socket.getCipher().standardName });
  }
}

function endOf(error: NodeJS.ErrnoException): HandshakeEnd {
  if (error.code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") {
    return new HandshakeEnd("no certificate", "no certificate");
  }
  return new HandshakeEnd(error.code ?? error.message);
}
