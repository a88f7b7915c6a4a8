import { once } from "node:events";
import { createServer, isIPv6, type AddressInfo, type Server, type Socket } from "node:net";
import { Failure, systemReason } from "../../base/index.ts";
import type { ProtocolName } from "./guard.ts";

/** More than these wait only where the machine is overrun. */
const waitingLimit = 1024;

export interface DoorPlace {
  readonly protocol: ProtocolName;
  readonly address: string;
  readonly port: number;
}

/** A port that is bound. Connections wait in it until it is opened, and nothing of theirs is read here. */
export class Door {
  readonly protocol: ProtocolName;
  readonly address: string;
  readonly port: number;
  readonly #server: Server;
  #isOpen = false;
  readonly #waiting: (() => void)[] = [];

  private constructor(server: Server, { protocol, address }: DoorPlace) {
    this.#server = server;
    this.protocol = protocol;
    this.address = address;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Throws `failed` where the port cannot be had. */
  static async bind(place: DoorPlace, onArrival: (socket: Socket, address: string) => void): Promise<Door> {
    const { address, port } = place;
    const server = createServer({ pauseOnConnect: true, noDelay: true });
    try {
      server.listen({ host: address, port, backlog: waitingLimit, ...(isIPv6(address) ? { ipv6Only: true } : {}) });
      await once(server, "listening");
    } catch (error) {
      const hint = port < 1024 && process.getuid?.() !== 0 ? { hint: "ports below 1024 need root" } : {};
      throw new Failure("failed", `cannot listen at ${address} port ${port}: ${systemReason(error)}`, {
        ...hint,
        cause: error,
      });
    }
    server.on("error", () => undefined); // of one connection that could not be accepted
    const door = new Door(server, place);
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      const arrive = (): void => {
        const { remoteAddress } = socket;
        if (remoteAddress === undefined) socket.destroy();
        else onArrival(socket, remoteAddress);
      };
      if (door.#isOpen) arrive();
      else door.#waiting.push(arrive);
    });
    return door;
  }

  open(): void {
    this.#isOpen = true;
    for (const arrive of this.#waiting.splice(0)) arrive();
  }

  /** Takes no more connections; those that were handed over go on. */
  close(): void {
    this.#server.close();
  }
}
